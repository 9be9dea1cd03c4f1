"""What the layers of a model read on the representative dataset: found once, for every file that is made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.export.graph.layers import MULTIPLYING, is_depthwise
from edgefashion.export.quantization import weight_rounding
from edgefashion.tensorflow import keras, tf

Array = npt.NDArray[np.float32]
BATCH = 50


@dataclass(frozen=True, eq=False)
class LayerInputs:
    """What the layers with a bias to correct read, of a flat model without batch normalization. Its inputs
    are what `resize` makes of `images`, float32 [N, H, W, C].
    """

    model: keras.Model
    images: Array
    resize: Callable[[Any], Any] = field(default=tf.identity)

    @cached_property
    def layers(self) -> list[keras.layers.Layer]:
        """Those with a bias, and outputs that each read one input channel or all of them."""
        return [layer for layer in self.model.layers if _is_correctable(layer)]

    @cached_property
    def moments(self) -> dict[str, tuple[Array, Array]]:
        """E[x] and E[x^2] of each channel of each layer's input over images and positions: float32 [C],
        twice a layer.
        """
        if not self.layers:
            return {}
        probe = keras.Model(self.model.input, [layer.input for layer in self.layers])
        sums: list[list[Any]] = [[0.0, 0.0] for _ in self.layers]
        for start in range(0, len(self.images), BATCH):
            batch = self.resize(self.images[start : start + BATCH])
            for total, values in zip(sums, tf.nest.flatten(probe(batch, training=False)), strict=True):
                positions = tf.reshape(values, (len(values), -1, values.shape[-1]))
                for power, raised in enumerate((positions, positions**2)):
                    total[power] += np.asarray(tf.reduce_sum(tf.reduce_mean(raised, axis=1), axis=0))
        return {
            layer.name: (first / len(self.images), second / len(self.images))
            for layer, (first, second) in zip(self.layers, sums, strict=True)
        }

    @cached_property
    def covariances(self) -> dict[str, weight_rounding.Moments]:
        """See `weight_rounding.covariances`."""
        return weight_rounding.covariances(self.model, self.layers, self.images, self.resize)


def _is_correctable(layer: keras.layers.Layer) -> bool:
    grouped = getattr(layer, "groups", 1) > 1 and not is_depthwise(layer)
    return type(layer) in MULTIPLYING and layer.use_bias and not grouped
