"""Weight pruning and clustering: less information in each weight, so that the file compresses better.

    pruning      the smallest weights of a layer become zero, more and more of them during the first half
                 of the first epoch, and stay zero (Zhu and Gupta 2017); the others adapt
    clustering   the weights of a layer take one of a few values, which training moves; a weight may
                 change over to another one (Han et al. 2016)

The model is the folded one that is deployed: folding batch normalization later would give every channel
values of its own. Biases and depthwise kernels stay as they are, as tensorflow-model-optimization has it,
and so do the first and the last kernel: they are 0.7 % of the CNN's weights and decide most. Measured on its
validation images, 80 % zeros in them too cost 0.8 points more, 90 % cost 2.5, and 16 values 0.3.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from edgefashion.errors import MissingExtra, VerificationError
from edgefashion.figures import undisturbed
from edgefashion.models.architecture import Compression
from edgefashion.records.run import CompressedLayer
from edgefashion.tensorflow import keras

try:
    with undisturbed():
        import tensorflow_model_optimization as tfmot
except ModuleNotFoundError as error:
    raise MissingExtra(f"Pruning and clustering need {error.name}", "train") from error

PRUNING_STEPS = 10
"""In how many steps the share of zeros grows, where an epoch has that many."""
Layers = dict[str, CompressedLayer]


class Pruning(Compression):
    """Makes the share `sparsity`, in 0..1, of the weights zero."""

    def __init__(self, sparsity: float) -> None:
        self.sparsity = sparsity

    def wrap(self, model: keras.Model, steps: int) -> keras.Model:
        """All zeros are there before the first epoch ends, so that any epoch may be the best one."""
        ramp = max(1, steps // 2)
        every = max(1, ramp // PRUNING_STEPS)
        schedule = tfmot.sparsity.keras.PolynomialDecay(
            initial_sparsity=0.0,
            final_sparsity=self.sparsity,
            begin_step=0,
            end_step=ramp // every * every,  # the last share is reached in that very step or never
            frequency=every,
        )
        return _wrapped(model, lambda layer: tfmot.sparsity.keras.prune_low_magnitude(layer, schedule))

    def callbacks(self) -> list[keras.callbacks.Callback]:
        """Counts the steps, and makes zero again what the last step of an epoch has moved."""
        return [tfmot.sparsity.keras.UpdatePruningStep()]

    def scope(self) -> Any:
        """See `Compression.scope`."""
        return tfmot.sparsity.keras.prune_scope()

    def strip(self, model: keras.Model) -> keras.Model:
        """See `Compression.strip`."""
        return tfmot.sparsity.keras.strip_pruning(model)

    def check(self, model: keras.Model) -> Layers:
        """Equal weights are all zero or none of them, hence a thousandth may be missing."""
        found = _layers(model)
        for name, layer in found.items():
            if layer.zeros < (self.sparsity - 0.001) * layer.weights - 1:
                raise VerificationError(
                    f"{name} has {layer.zeros:,} zeros among {layer.weights:,} weights after pruning, "
                    f"{self.sparsity:.1%} were asked for: no run was kept; please report it"
                )
        return found


class Clustering(Compression):
    """Gives the weights of each layer no more than `clusters` different values."""

    def __init__(self, clusters: int) -> None:
        self.clusters = clusters

    def wrap(self, model: keras.Model, steps: int) -> keras.Model:
        """The first values are drawn from the weights, far from each other (k-means++)."""
        return _wrapped(model, lambda layer: tfmot.clustering.keras.cluster_weights(layer, self.clusters))

    def scope(self) -> Any:
        """See `Compression.scope`."""
        return tfmot.clustering.keras.cluster_scope()

    def strip(self, model: keras.Model) -> keras.Model:
        """See `Compression.strip`."""
        return tfmot.clustering.keras.strip_clustering(model)

    def check(self, model: keras.Model) -> Layers:
        """See `Compression.check`."""
        found = _layers(model)
        for name, layer in found.items():
            if layer.values > self.clusters:
                raise VerificationError(
                    f"{name} has {layer.values:,} different weights after clustering, {self.clusters} "
                    "were asked for: no run was kept; please report it"
                )
        return found


def compressible(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers that are pruned or clustered."""
    kinds = (keras.layers.Conv2D, keras.layers.Dense)  # a DepthwiseConv2D is neither
    return [layer for layer in model.layers if isinstance(layer, kinds)][1:-1]


def _wrapped(model: keras.Model, wrap: Callable[[keras.layers.Layer], keras.layers.Layer]) -> keras.Model:
    chosen = {layer.name for layer in compressible(model)}
    return keras.models.clone_model(
        model, clone_function=lambda layer: wrap(layer) if layer.name in chosen else layer
    )


def _layers(model: keras.Model) -> Layers:
    kernels = {layer.name: layer.kernel.numpy() for layer in compressible(model)}
    return {
        name: CompressedLayer(
            weights=int(kernel.size),
            zeros=int(np.count_nonzero(kernel == 0)),
            values=len(np.unique(kernel)),
        )
        for name, kernel in kernels.items()
    }
