"""Weight clipping: a few large weights that matter little do not make the rounding of all others coarse.

An output channel's weights share one scale, which the largest of them sets. Where that one reads an input
channel that is nearly always 0, it says next to nothing, and the weights that do are rounded to few steps.
So each output channel's weights are clipped to the threshold t that loses least as the inputs weigh them,

    sum over i of E[x_i^2] * (w_i - Q_t(w_i))^2,

with Q_t the integers' value of a weight between -t and t, and E[x_i^2] of the input channel that w_i reads,
measured on the representative dataset. (Thresholds of least squared error: Nagel et al. 2021, "A White
Paper on Neural Network Quantization", section 3.1; of weights, as activations weigh them: Lin et al. 2024,
"AWQ: Activation-aware Weight Quantization", whose code searches for the threshold of each group of weights.)
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.export.graph.layers import is_depthwise
from edgefashion.tensorflow import keras

Array = npt.NDArray[np.float32]
SHARES = 0.9 ** np.arange(1, 41, dtype=np.float32)
"""The thresholds tried, as shares of the largest weight of a channel: down to 1.5 %"""
MIN_GAIN_DB = 6.0
"""Where a layer gains less, its kernel stays as it is."""


def clip_kernel(layer: keras.layers.Layer, kernel: Array, squares: Array, largest: int) -> Array:
    """The kernel, its output channels clipped where that raises the signal-to-noise ratio of the layer's
    output by MIN_GAIN_DB or more. `squares` is E[x^2] of each input channel, float32 [C]; `largest` the
    largest integer that a weight will take.
    """
    highest = largest_weights(layer, kernel)
    best, plain = highest, _noise(layer, kernel, squares, highest, largest)
    least = plain
    for share in SHARES:
        noise = _noise(layer, kernel, squares, share * highest, largest)
        best, least = np.where(noise < least, share * highest, best), np.minimum(noise, least)
    gains = plain.sum() > least.sum() * 10 ** (MIN_GAIN_DB / 10)
    return np.clip(kernel, -best, best) if gains else kernel


def round_kernel(kernel: Array, threshold: Array, largest: int) -> Array:
    """The kernel as integers will represent it whose largest stands for `threshold`."""
    scale = threshold / largest
    scale[scale == 0] = 1
    return np.asarray(np.rint(np.clip(kernel, -threshold, threshold) / scale) * scale)


def largest_weights(layer: keras.layers.Layer, kernel: Array) -> Array:
    """The largest absolute weight of each output channel, in the kernel's number of dimensions."""
    return np.asarray(np.abs(kernel).max(axis=_inputs(layer, kernel), keepdims=True))


def _inputs(layer: keras.layers.Layer, kernel: Array) -> Any:
    """The axes of a kernel over which an output channel sums."""
    return tuple(range(kernel.ndim - (2 if is_depthwise(layer) else 1)))


def _noise(layer: keras.layers.Layer, kernel: Array, squares: Array, threshold: Array, largest: int) -> Array:
    """What rounding adds to each output channel, squared, on average."""
    error = round_kernel(kernel, threshold, largest) - kernel
    return np.asarray((error**2 * squares[:, None]).sum(axis=_inputs(layer, kernel), keepdims=True))
