"""The first convolution of an int8 TFLite model, over cells of pixels instead of pixels: the same integers.

before    at every place a window of pixels, whose one channel leaves most lanes of a dot product empty
after     at every cell of 2x2 pixels a window of cells, their pixels as four channels (space to depth);
          it gives what the places in a cell give: with strides of 2 there is one, else there are four, of
          which max pooling behind it keeps the largest. Where a window is two cells wide and their number
          allows, these are one pixel of eight channels: kernels for processors without a dot product fill
          up four with zeros to eight
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.export.graph.kernel_copies import copy_kernels
from edgefashion.export.graph.unread_pixels import first_convolution
from edgefashion.models.architecture import unwrapped
from edgefashion.models.batch_norm_folding import rebuild
from edgefashion.tensorflow import keras, tf

CELL = 2
PLACES = CELL**2


def compute_cells(model: keras.Model) -> keras.Model:
    """A model that computes what `model` does, its first convolution over cells.

    That is `model` itself where this cannot be: the convolution must read one channel of even height and
    width, without gaps in its windows and with ReLU or no activation, and have either an odd kernel, no
    strides, no padding and max pooling of 2x2 alone behind it, or a kernel of 3x3, strides of 2 and the
    padding that gives half the height and width. Wrappers of quantization-aware training stay around their
    layers.
    """
    first = first_convolution(model)
    if first is None or not _is_simple(unwrapped(first)):
        return model
    readers = [node.layer for node in first.outbound_nodes]
    pool: Any = readers[0] if len(readers) == 1 else None
    strided = _is_strided(unwrapped(first))
    if not (_reads_cells(first) and (strided or (_is_plain(unwrapped(first)) and _is_pooling(pool)))):
        return model
    places = 1 if strided else PLACES
    paired = not strided and _is_paired(first)
    read = _pairs if paired else _cells
    made: dict[str, keras.layers.Layer] = {}

    def make(layer: keras.layers.Layer) -> Callable[[Any], Any]:
        if layer is pool and not strided:
            return partial(_largest, name=layer.name)
        wider = layer is first
        copy = _wider(layer, places, paired) if wider else type(layer).from_config(layer.get_config())
        made[layer.name] = copy
        return (lambda image: copy(read(image))) if wider else copy

    keras.backend.reset_uids()  # Keras numbers what has no name here through all models of a process
    result = rebuild(model, make)
    for name, copy in made.items():
        weights = model.get_layer(name).get_weights()
        if name == first.name:
            arranged = (_arranged(value, places) for value in weights)
            weights = [value.reshape(own.shape) for value, own in zip(arranged, copy.weights, strict=True)]
        copy.set_weights(weights)
    return result


def _reads_cells(layer: keras.layers.Layer) -> bool:
    height, width, channels = layer.input.shape[1:]
    return bool(channels == 1 and height % CELL == width % CELL == 0)


def _is_simple(layer: keras.layers.Layer) -> bool:
    activation = layer.activation in (keras.activations.linear, keras.activations.relu)
    return bool(type(layer) is keras.layers.Conv2D and layer.dilation_rate == (1, 1) and activation)


def _is_plain(layer: keras.layers.Layer) -> bool:
    odd = all(size % 2 for size in layer.kernel_size)
    return bool(odd and layer.strides == (1, 1) and layer.padding == "valid")


def _is_strided(layer: keras.layers.Layer) -> bool:
    """Whether its windows begin where cells do: the padding is at the lower and the right edge only."""
    return bool(layer.strides == (CELL, CELL) and layer.kernel_size == (3, 3) and layer.padding == "same")


def _is_paired(layer: keras.layers.Layer) -> bool:
    """Whether its windows are two cells wide, and as many begin at even columns of cells as at odd ones."""
    return bool(unwrapped(layer).kernel_size[1] == 3 and layer.input.shape[2] // CELL % 2)


def _is_pooling(layer: Any) -> bool:
    pooling = isinstance(layer, keras.layers.MaxPooling2D)
    return bool(pooling and layer.pool_size == layer.strides == (CELL, CELL) and layer.padding == "valid")


def _wider(layer: keras.layers.Layer, places: int, paired: bool) -> keras.layers.Layer:
    """The convolution over cells or pairs of them, in its wrapper if it has one."""
    inner = unwrapped(layer)
    rows, columns = ((length + 1) // CELL for length in inner.kernel_size)
    changed = {
        "filters": inner.filters * places,
        "kernel_size": (rows, 1 if paired else columns),
        "strides": (1, 1),
    }
    convolution = type(inner).from_config({**inner.get_config(), **changed})
    return convolution if inner is layer else type(layer)(convolution, layer.quantize_config, name_prefix="")


def _arranged(weights: npt.NDArray[np.float32], places: int) -> npt.NDArray[np.float32]:
    """A kernel [height, width, 1, channels] over cells, [rows, columns, pixels, places * channels]; a bias
    with a copy for each place; the range of an activation as it is.
    """
    if weights.ndim == 0:
        return weights
    if weights.ndim == 1:
        return np.tile(weights, places)
    kernels = copy_kernels(weights.transpose(3, 2, 0, 1), (CELL, CELL), (1, 1))[: places * weights.shape[-1]]
    rows, columns = (length // CELL for length in kernels.shape[2:])
    cells = kernels.reshape(-1, rows, CELL, columns, CELL)
    return cells.transpose(1, 3, 2, 4, 0).reshape(rows, columns, PLACES, -1)


def _cells(image: Any) -> Any:
    """[N, height, width, 1] → [N, rows, columns, pixels]."""
    return tf.nn.space_to_depth(image, CELL)


def _pairs(image: Any) -> Any:
    """[N, height, width, 1] → [N, rows, columns - 1, 2 * pixels]: each cell with the one to its right.

    Those that begin at even columns lie in memory as they are needed, and so do the others; put together,
    they are a copy of few pieces.
    """
    cells = _cells(image)
    _, rows, columns, pixels = cells.shape
    halves = [
        tf.reshape(cells[:, :, start : start + columns - 1], (-1, rows, columns // 2, 1, 2 * pixels))
        for start in range(2)
    ]
    return tf.reshape(tf.concat(halves, axis=3), (-1, rows, columns - 1, 2 * pixels))


def _largest(blocks: Any, name: str) -> Any:
    """The largest of the places of each cell: [N, height, width, places * channels] → […, channels]."""
    height, width, channels = blocks.shape[1:]
    beside = tf.reshape(blocks, (-1, height, width * PLACES, channels // PLACES))
    return keras.layers.MaxPooling2D((1, PLACES), name=name)(beside)
