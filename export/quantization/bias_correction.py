"""Bias correction: what rounding the weights does to a layer on average is taken off its bias.

Rounding a kernel W to Q, clipped before or not, moves the layer's output by (Q - W) * x. The mean of that
over real images, (Q - W) * E[x], is known before a single integer is computed (Nagel et al. 2019,
"Data-Free Quantization Through Weight Equalization and Bias Correction", section 4.2; here with E[x]
measured on the representative dataset).
"""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.export.graph.layers import MULTIPLYING, is_depthwise
from edgefashion.export.quantization.weight_clipping import clip_kernel, largest_weights, round_kernel
from edgefashion.export.quantization.weight_rounding import covariances, round_with_feedback
from edgefashion.models.architecture import with_weights
from edgefashion.tensorflow import keras, tf

Array = npt.NDArray[np.float32]
BATCH = 50


def correct_biases(
    model: keras.Model,
    images: Array,
    levels: Callable[[keras.layers.Layer], int],
    excepted: Collection[str] = (),
    clip: bool = False,
    feedback: bool = False,
) -> keras.Model:
    """A copy of a flat model without batch normalization, its biases corrected, where there are any, and
    with `clip` the kernels of these layers clipped where that helps (see weight_clipping), with `feedback`
    rounded already (see weight_rounding).

    `images` are its input, float32 [N, H, W, C]: the representative dataset. `levels` gives the largest
    integer a layer's weights will take (127 for 8 bits), symmetric, one scale for each output channel.
    Layers named in `excepted` stay as they are.
    """
    layers = [layer for layer in model.layers if _is_correctable(layer) and layer.name not in excepted]
    moments = input_moments(model, layers, images) if layers else {}
    spread = covariances(model, layers, images) if feedback else {}
    changed = {}
    for layer in layers:
        kernel, bias = layer.get_weights()
        mean, squares = moments[layer.name]
        made = clip_kernel(layer, kernel, squares, levels(layer)) if clip else kernel
        if layer.name in spread:
            made = round_with_feedback(layer, made, spread[layer.name], levels(layer))
        error = rounding_error(layer, made, levels(layer)) + (made - kernel)
        changed[layer.name] = [made, bias - mean_shift(layer, error, mean)]
    return with_weights(model, changed)


def _is_correctable(layer: keras.layers.Layer) -> bool:
    """Whether it has a bias, and each of its outputs reads one input channel or all of them."""
    grouped = getattr(layer, "groups", 1) > 1 and not is_depthwise(layer)
    return type(layer) in MULTIPLYING and layer.use_bias and not grouped


def input_moments(
    model: keras.Model, layers: list[keras.layers.Layer], images: Array
) -> dict[str, tuple[Array, Array]]:
    """E[x] and E[x^2] of each channel of each layer's input over images and positions: float32 [C], twice
    a layer.
    """
    probe = keras.Model(model.input, [layer.input for layer in layers])
    sums: list[list[Any]] = [[0.0, 0.0] for _ in layers]
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        for total, values in zip(sums, tf.nest.flatten(probe(batch, training=False)), strict=True):
            positions = tf.reshape(values, (len(values), -1, values.shape[-1]))
            for power, raised in enumerate((positions, positions**2)):
                total[power] += np.asarray(tf.reduce_sum(tf.reduce_mean(raised, axis=1), axis=0))
    return {
        layer.name: (first / len(images), second / len(images))
        for layer, (first, second) in zip(layers, sums, strict=True)
    }


def rounding_error(layer: keras.layers.Layer, kernel: Array, largest: int) -> Array:
    """The kernel as integers will represent it, less the kernel."""
    return round_kernel(kernel, largest_weights(layer, kernel), largest) - kernel


def mean_shift(layer: keras.layers.Layer, error: Array, mean: Array) -> Array:
    """What an error in the kernel adds to each output channel on average: float32 [channels]."""
    if is_depthwise(layer):
        return np.asarray(np.einsum("hwcm,c->cm", error, mean)).reshape(-1)
    positions = tuple(range(error.ndim - 2))
    return np.asarray(mean @ error.sum(axis=positions))
