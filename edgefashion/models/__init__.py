"""The architectures by name. Importing this package opens TensorFlow."""

from edgefashion.models.architecture import Architecture, Compression, Normalization
from edgefashion.models.cnn import CNN
from edgefashion.models.mobilenetv2 import MOBILENETV2
from edgefashion.models.residual import RESIDUAL_CNNS

ARCHITECTURES = {architecture.name: architecture for architecture in (CNN, *RESIDUAL_CNNS, MOBILENETV2)}

__all__ = ["ARCHITECTURES", "Architecture", "Compression", "Normalization"]
