"""Weight rounding: each weight makes up for what rounding those before it did to the layer's output.

Weights that read neighboring pixels read nearly the same. Rounded each to its nearest integer, their errors
add up at random; here the error of one is handed on to those that are not rounded yet, as far as they read
the same, so that the output's error

    (q - w)' C (q - w),

with C the covariance of the inputs over the representative dataset, is a fraction of that. The mean is left
to bias correction. (Frantar et al. 2023, "GPTQ: Accurate Post-Training Quantization for Generative
Pre-trained Transformers", section 3; Frantar and Alistarh 2022, "Optimal Brain Compression".)
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.export.graph.layers import is_depthwise
from edgefashion.export.quantization.weight_clipping import largest_weights
from edgefashion.tensorflow import keras, tf

Array = npt.NDArray[np.float32]
Moments = npt.NDArray[np.float64]
BATCH = 20
POSITIONS = 8
"""As many rows and columns of an output are looked at, at most."""
MOST_INPUTS = 1200
"""Layers whose outputs read more stay as they are: their errors average out, and this takes long."""
DAMPING = 0.01
"""Is added to the covariances' diagonals, in parts of their mean, as in the paper."""


def covariances(
    model: keras.Model, layers: list[keras.layers.Layer], images: Array, resize: Callable[[Any], Any]
) -> dict[str, Moments]:
    """The covariance of what an output of each layer reads, float64 [1, inputs, inputs], or
    [channels, inputs, inputs] of a depthwise one, over the model's inputs, which `resize` makes of `images`,
    float32 [N, H, W, C]; of the layers with MOST_INPUTS or fewer.
    """
    layers = [layer for layer in layers if _inputs(layer) <= MOST_INPUTS]
    if not layers:
        return {}
    probe = keras.Model(model.input, [layer.input for layer in layers])
    sums: list[list[Any]] = [[0, np.float64(0), np.float64(0)] for _ in layers]
    for start in range(0, len(images), BATCH):
        values = tf.nest.flatten(probe(resize(images[start : start + BATCH]), training=False))
        for total, read in zip(sums, _windows(layers, values), strict=True):
            total[0] += read.shape[1]
            total[1] += np.asarray(tf.reduce_sum(read, axis=1))
            total[2] += np.asarray(tf.matmul(read, read, transpose_a=True))
    return {
        layer.name: squares / count - total[:, :, None] * total[:, None, :] / count**2
        for layer, (count, total, squares) in zip(layers, sums, strict=True)
    }


def round_with_feedback(layer: keras.layers.Layer, kernel: Array, covariance: Moments, largest: int) -> Array:
    """The kernel in multiples of each output channel's scale, from -`largest` to `largest` of them. The
    largest weight of a channel, which sets the scale, stays as it is.
    """
    weights = _as_matrices(layer, kernel).astype(np.float64)
    top = _as_matrices(layer, np.abs(kernel) >= largest_weights(layer, kernel))
    scale = np.abs(weights).max(axis=1) / largest
    scale[scale == 0] = 1
    damped = covariance + np.eye(covariance.shape[1]) * _damping(covariance)
    order = np.argsort(-np.diagonal(damped, axis1=1, axis2=2).mean(axis=0), kind="stable")
    inverse = np.linalg.inv(damped[:, order][:, :, order])
    spread = np.linalg.cholesky(inverse).transpose(0, 2, 1)
    left, top = weights[:, order], top[:, order]
    rounded = left.copy()
    for index in range(len(order)):
        nearest = np.clip(np.rint(left[:, index] / scale), -largest, largest) * scale
        rounded[:, index] = np.where(top[:, index], rounded[:, index], nearest)
        error = (left[:, index] - rounded[:, index]) / spread[:, index, index, None]
        left[:, index + 1 :] -= spread[:, index, index + 1 :, None] * error[:, None]
    return _from_matrices(layer, rounded[:, np.argsort(order)], kernel.shape)


def _inputs(layer: keras.layers.Layer) -> int:
    """How many weights an output channel has."""
    kernel = layer.weights[0].shape
    return int(np.prod(kernel[: 2 if is_depthwise(layer) else -1]))


def _damping(covariance: Moments) -> Moments:
    """What each group's diagonal is raised by, [groups, 1, 1]: more than 0 where all inputs are constant."""
    mean = np.trace(covariance, axis1=1, axis2=2)[:, None, None] / covariance.shape[1]
    return np.asarray(DAMPING * np.maximum(mean, 0) + 1e-9)


def _windows(layers: list[keras.layers.Layer], values: list[Any]) -> Iterator[Any]:
    """What outputs of each layer read, float32 [1, positions, inputs], or [channels, positions, inputs]."""
    for layer, read in zip(layers, values, strict=True):
        if isinstance(layer, keras.layers.Dense):
            yield tf.reshape(read, (1, -1, read.shape[-1]))
            continue
        steps = [
            stride * -(-size // POSITIONS)
            for stride, size in zip(layer.strides, layer.output_shape[1:3], strict=True)
        ]
        sizes, rates = [1, *layer.kernel_size, 1], [1, *layer.dilation_rate, 1]
        patches = tf.image.extract_patches(read, sizes, [1, *steps, 1], rates, layer.padding.upper())
        if is_depthwise(layer):
            patches = tf.reshape(patches, (-1, int(np.prod(layer.kernel_size)), read.shape[-1]))
            yield tf.transpose(patches, (2, 0, 1))
        else:
            yield tf.reshape(patches, (1, -1, patches.shape[-1]))


def _as_matrices(layer: keras.layers.Layer, kernel: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """[groups, inputs, outputs of each group] of a kernel, one group but for depthwise layers."""
    if is_depthwise(layer):
        return kernel.reshape(-1, *kernel.shape[2:]).transpose(1, 0, 2)
    return kernel.reshape(1, -1, kernel.shape[-1])


def _from_matrices(layer: keras.layers.Layer, matrices: Moments, shape: tuple[int, ...]) -> Array:
    """The kernel of this shape again."""
    ordered = matrices.transpose(1, 0, 2) if is_depthwise(layer) else matrices
    return ordered.reshape(shape).astype(np.float32)
