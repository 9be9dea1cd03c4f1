"""The architectures by name. Importing this package opens TensorFlow."""

from edgefashion.models.base import Architecture, Normalisation
from edgefashion.models.cnn import CNN
from edgefashion.models.mobilenetv2 import MOBILENETV2

ARCHITECTURES = {architecture.name: architecture for architecture in (CNN, MOBILENETV2)}

__all__ = ["ARCHITECTURES", "Architecture", "Normalisation"]
