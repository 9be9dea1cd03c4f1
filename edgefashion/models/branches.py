"""Convolutions side by side that are only added, merged into one (Ding et al. 2021, "RepVGG").

They are trained as several, each with a batch normalization of its own, which is folded first. A sum of
linear functions is one: the smaller kernels become part of the largest, at the places that they read.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from edgefashion.models.batch_norm_folding import Array, is_linear, readers_of, rebuild
from edgefashion.tensorflow import keras, tf

KINDS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
Place = tuple[int, int]
"""Row and column."""


@keras.saving.register_keras_serializable("edgefashion")
class Centers(keras.layers.Layer):
    """The pixels at the centers of the windows of a 3x3 convolution of stride 2 that pads as TensorFlow does:
    [N, height, width, channels] → the same with half the height and width, rounded up.

    Slices with steps of 2 made a step of training 15 % slower than this, and a crop 30 %.
    """

    def call(self, images: Any) -> Any:
        """One of each 2x2, all of one row and of channels side by side."""
        height, width, channels = images.shape[1:]
        images = tf.pad(images, [[0, 0], [0, height % 2], [0, width % 2], [0, 0]])
        rows, columns = (height + 1) // 2, (width + 1) // 2
        (row, column), count = centers((0, height, width)), tf.shape(images)[0]
        pairs = tf.reshape(images, (count, rows, 2, columns, 2 * channels))
        chosen = tf.slice(pairs, (0, 0, row, 0, column * channels), (count, rows, 1, columns, channels))
        return tf.reshape(chosen, (count, rows, columns, channels))


def centers(shape: Sequence[int]) -> Place:
    """The center of the first window of such a convolution over images [N, height, width, channels]: an even
    edge gets no zeros before its first pixel.
    """
    return 1 - shape[1] % 2, 1 - shape[2] % 2


@dataclass(frozen=True)
class _Branch:
    """A convolution, and where in which tensor its first window begins: outside there are zeros."""

    layer: keras.layers.Layer
    tensor: Any
    strides: Place
    start: Place

    @property
    def size(self) -> tuple[int, bool]:
        """Of its kernel; of two alike, a depthwise one is the smaller."""
        return int(np.prod(self.layer.kernel_size)), _is_whole(self.layer)

    def place_in(self, other: "_Branch") -> Place | None:
        """Where in the kernel of the other its own has to lie, if it can."""
        mine, its = self.layer, other.layer
        if mine.kernel_size != (1, 1) and mine.dilation_rate != its.dilation_rate:
            return None
        if _is_whole(mine) and (not _is_whole(its) or mine.groups != its.groups):
            return None
        if not _is_whole(mine) and mine.depth_multiplier != getattr(its, "depth_multiplier", 1):
            return None
        found = [
            divmod(own - first, step)
            for own, first, step in zip(self.start, other.start, its.dilation_rate, strict=True)
        ]
        rooms = zip(found, its.kernel_size, mine.kernel_size, strict=True)
        fits = all(not rest and 0 <= place <= large - small for (place, rest), large, small in rooms)
        return (found[0][0], found[1][0]) if fits else None


def merge_branches(model: keras.Model) -> keras.Model:
    """A model that computes what the flat `model` does; that itself where it has no such convolutions."""
    while sums := dict(_sums(model)):
        model = _merged(model, sums)
    return model


def _sums(model: keras.Model) -> Iterator[tuple[str, list[_Branch]]]:
    """The names of layers that add what can be merged, the largest kernel first."""
    makers, readers = {id(layer.output): layer for layer in model.layers}, readers_of(model)

    def key(branch: _Branch) -> tuple[Any, ...]:
        return id(branch.tensor), branch.strides, branch.layer.output_shape[1:]

    for layer in model.layers:
        if not isinstance(layer, keras.layers.Add):
            continue
        added = [makers[id(tensor)] for tensor in layer.input if readers[id(tensor)] == [layer]]
        branches = [_branch(each, makers) for each in added if type(each) in KINDS and is_linear(each)]
        for _, alike in groupby(sorted(branches, key=key), key):
            largest, *others = sorted(alike, key=lambda branch: branch.size, reverse=True)
            fitting = [other for other in others if other.place_in(largest) is not None]
            if fitting:
                yield layer.name, [largest, *fitting]
                break  # others are found the next time


def _branch(layer: keras.layers.Layer, makers: dict[int, keras.layers.Layer]) -> _Branch:
    """Behind rows and columns of zeros, or at the centers of windows, it is one of what these layers read."""
    tensor, before, strides = layer.input, makers[id(layer.input)], layer.strides
    row, column = (-(_padded(layer, axis) // 2) for axis in (0, 1))
    if isinstance(before, keras.layers.ZeroPadding2D):
        tensor, ((above, _), (left, _)) = before.input, before.padding
        row, column = row - above, column - left
    elif isinstance(before, Centers) and layer.kernel_size == strides == (1, 1):
        tensor, strides, (row, column) = before.input, (2, 2), centers(before.input_shape)
    return _Branch(layer, tensor, strides, (row, column))


def _padded(layer: keras.layers.Layer, axis: int) -> int:
    """How many zeros it adds to an edge: TensorFlow adds half of them, rounded down, before it."""
    if layer.padding == "valid":
        return 0
    windows, stride = layer.output_shape[1 + axis], layer.strides[axis]
    reach = (layer.kernel_size[axis] - 1) * layer.dilation_rate[axis] + 1
    return max(int((windows - 1) * stride + reach - layer.input_shape[1 + axis]), 0)


def _merged(model: keras.Model, sums: dict[str, list[_Branch]]) -> keras.Model:
    merged = {largest.layer.name: (largest, others) for largest, *others in sums.values()}

    def make(layer: keras.layers.Layer) -> Callable[[Any], Any]:
        config = layer.get_config()
        if layer.name in merged:
            config["use_bias"] = True
        copy: Callable[[Any], Any] = type(layer).from_config(config)
        if layer.name not in sums:
            return copy
        gone = [id(branch.layer.output) for branch in sums[layer.name][1:]]
        kept = [index for index, tensor in enumerate(layer.input) if id(tensor) not in gone]
        if len(kept) == 1:
            return lambda values: values[kept[0]]
        return lambda values: copy([values[index] for index in kept])

    result = rebuild(model, make)
    for layer in result.layers:
        if layer.name in merged:
            layer.set_weights(_summed(*merged[layer.name]))
        else:
            layer.set_weights(model.get_layer(layer.name).get_weights())
    return result


def _summed(largest: _Branch, others: list[_Branch]) -> list[Array]:
    """Its kernel and bias with those of the others."""
    kernel, *biases = largest.layer.get_weights()
    for other in others:
        own, *more = other.layer.get_weights()
        row, column = other.place_in(largest) or (0, 0)
        if _is_whole(largest.layer) and not _is_whole(other.layer):
            own = _whole(own, kernel.shape)
        kernel[row : row + own.shape[0], column : column + own.shape[1]] += own
        biases += more
    return [kernel, np.sum(biases or [np.zeros(largest.layer.output_shape[-1])], axis=0, dtype=np.float32)]


def _is_whole(layer: keras.layers.Layer) -> bool:
    """Whether an output channel is a sum over input channels."""
    return type(layer) is keras.layers.Conv2D


def _whole(kernel: Array, shape: tuple[int, ...]) -> Array:
    """A depthwise kernel, float32 [height, width, channels, 1], as one of a convolution of `shape`."""
    inputs, outputs = shape[2:]
    whole = np.zeros((*kernel.shape[:2], inputs, outputs), np.float32)
    channels = np.arange(outputs)
    whole[:, :, channels % inputs, channels] = kernel[..., 0]
    return whole
