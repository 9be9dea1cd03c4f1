"""The architectures by name. Importing this package opens TensorFlow."""

from edgefashion.models.base import Architecture, Normalisation
from edgefashion.models.cnn import CNN
from edgefashion.models.mobilenetv2 import MOBILENETV2

ARCHITECTURES = {architecture.name: architecture for architecture in (CNN, MOBILENETV2)}


def architecture_for(name: str, quantized: bool) -> Architecture:
    """The architecture called `name`, as floats are trained or as quantization-aware training wants it."""
    if not quantized:
        return ARCHITECTURES[name]
    from edgefashion.models import quantized as quantization

    return quantization.quantized(ARCHITECTURES[name])


__all__ = ["ARCHITECTURES", "Architecture", "Normalisation", "architecture_for"]
