"""Bias correction: what rounding the weights does to a layer on average is taken off its bias.

Rounding a kernel W to Q, clipped before or not, moves the layer's output by (Q - W) * x. The mean of that
over real images, (Q - W) * E[x], is known before a single integer is computed (Nagel et al. 2019,
"Data-Free Quantization Through Weight Equalization and Bias Correction", section 4.2; here with E[x]
measured on the representative dataset).
"""

from collections.abc import Callable, Collection

import numpy as np
import numpy.typing as npt

from edgefashion.export.graph.layers import is_depthwise
from edgefashion.export.quantization.layer_inputs import LayerInputs
from edgefashion.export.quantization.weight_clipping import clip_kernel, largest_weights, round_kernel
from edgefashion.export.quantization.weight_rounding import round_with_feedback
from edgefashion.models.architecture import with_weights
from edgefashion.tensorflow import keras

Array = npt.NDArray[np.float32]


def correct_biases(
    inputs: LayerInputs,
    levels: Callable[[keras.layers.Layer], int],
    excepted: Collection[str] = (),
    clip: bool = False,
    feedback: bool = False,
) -> keras.Model:
    """A copy of the model whose layers' `inputs` these are, its biases corrected, where there are any, and
    with `clip` the kernels of these layers clipped where that helps (see weight_clipping), with `feedback`
    rounded already (see weight_rounding).

    `levels` gives the largest integer a layer's weights will take (127 for 8 bits), symmetric, one scale for
    each output channel. Layers named in `excepted` stay as they are.
    """
    spread = inputs.covariances if feedback else {}
    changed = {}
    for layer in inputs.layers:
        if layer.name in excepted:
            continue
        kernel, bias = layer.get_weights()
        mean, squares = inputs.moments[layer.name]
        made = clip_kernel(layer, kernel, squares, levels(layer)) if clip else kernel
        if layer.name in spread:
            made = round_with_feedback(layer, made, spread[layer.name], levels(layer))
        error = rounding_error(layer, made, levels(layer)) + (made - kernel)
        changed[layer.name] = [made, bias - mean_shift(layer, error, mean)]
    return with_weights(inputs.model, changed)


def rounding_error(layer: keras.layers.Layer, kernel: Array, largest: int) -> Array:
    """The kernel as integers will represent it, less the kernel."""
    return round_kernel(kernel, largest_weights(layer, kernel), largest) - kernel


def mean_shift(layer: keras.layers.Layer, error: Array, mean: Array) -> Array:
    """What an error in the kernel adds to each output channel on average: float32 [channels]."""
    if is_depthwise(layer):
        return np.asarray(np.einsum("hwcm,c->cm", error, mean)).reshape(-1)
    positions = tuple(range(error.ndim - 2))
    return np.asarray(mean @ error.sum(axis=positions))
