"""The architectures by name. Importing this package opens TensorFlow."""

from edgefashion.models.base import Architecture, Compression, Normalisation, deployed
from edgefashion.models.cnn import CNN
from edgefashion.models.mobilenetv2 import MOBILENETV2
from edgefashion.models.residual import RESIDUAL_CNNS
from edgefashion.recipes import FineTuning, Recipe

ARCHITECTURES = {architecture.name: architecture for architecture in (CNN, *RESIDUAL_CNNS, MOBILENETV2)}


def architecture_for(name: str, fine_tuning: FineTuning | None = None) -> Architecture:
    """The architecture called `name`, as it is trained at first or when it is fine-tuned."""
    if fine_tuning is None:
        return ARCHITECTURES[name]
    if fine_tuning != "qat":
        return deployed(ARCHITECTURES[name])
    from edgefashion.models import quantized

    return quantized.quantized(ARCHITECTURES[name])


def compression_for(recipe: Recipe) -> Compression:
    """What is done to the weights while a model is trained after `recipe`."""
    if recipe.sparsity is not None:
        from edgefashion.models.compression import Pruning

        return Pruning(recipe.sparsity)
    if recipe.clusters is not None:
        from edgefashion.models.compression import Clustering

        return Clustering(recipe.clusters)
    return Compression()


__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Compression",
    "Normalisation",
    "architecture_for",
    "compression_for",
]
