"""Pixels that no logit depends on, left out before the first layer: the same function, with less work.

Windows of convolution and pooling that do not fit a last time leave rows and columns unread at the lower
and the right edge. Two each of a 28x28 image: the CNN's second pooling reads 10 of 11 rows, for which its
second convolution needs 12 of 13 that the first pooling gives, for which the first needs 26.
"""

from collections.abc import Callable
from typing import Any

from edgefashion.models.architecture import unwrapped
from edgefashion.models.batch_norm_folding import rebuild
from edgefashion.tensorflow import keras

Size = tuple[int, int]


def crop_unread(model: keras.Model) -> keras.Model:
    """A model that computes what `model` does, its first convolution on those pixels only that are read.

    That is `model` itself where all are, or the first convolution reads another image. Wrappers of
    quantization-aware training stay around their layers.
    """
    first = first_convolution(model)
    if first is None:
        return model
    (height, width), read = _size(model.input), _read(first)
    if read == (height, width) or _size(first.input) != (height, width):
        return model
    crop = keras.layers.Cropping2D(((0, height - read[0]), (0, width - read[1])), name="crop")

    def make(layer: keras.layers.Layer) -> Callable[[Any], Any]:
        copy = type(layer).from_config(layer.get_config())
        copies.append(copy)
        return (lambda image: copy(crop(image))) if layer is first else copy

    copies: list[keras.layers.Layer] = []
    result = rebuild(model, make)
    for copy in copies:
        copy.set_weights(model.get_layer(copy.name).get_weights())
    return result


def first_convolution(model: keras.Model) -> keras.layers.Layer | None:
    """The first layer that is a convolution, in its wrapper if it has one; None where none is."""
    kind = keras.layers.Conv2D
    return next((layer for layer in model.layers if isinstance(unwrapped(layer), kind)), None)


def rows_and_columns(model: keras.Model) -> Size:
    """How many of its input's the first convolution of a model reads; see `crop_unread`."""
    first = first_convolution(model)
    for layer in model.layers:
        if first is not None and layer.output is first.input and _leaves_first(layer):
            return _size(layer.output)
    return _size(model.input)


def _leaves_first(layer: keras.layers.Layer) -> bool:
    """Whether it crops rows and columns at the lower and the right edge only."""
    return isinstance(layer, keras.layers.Cropping2D) and all(start == 0 for start, _ in layer.cropping)


def _read(layer: keras.layers.Layer) -> Size:
    """The rows and columns of its input that what follows depends on."""
    window = _window(unwrapped(layer))
    if window is None:
        return _size(layer.input)
    readers = [node.layer for node in layer.outbound_nodes]
    needed = _read(readers[0]) if len(readers) == 1 and _is_image(layer.output) else _size(layer.output)
    height, width = (
        (number - 1) * stride + length for number, length, stride in zip(needed, *window, strict=True)
    )
    return height, width


def _window(layer: keras.layers.Layer) -> tuple[Size, Size] | None:
    """Size and strides of a layer that moves a window over an image and no further; None for any other."""
    if getattr(layer, "padding", None) != "valid":
        return None
    if isinstance(layer, keras.layers.MaxPooling2D):
        return layer.pool_size, layer.strides
    if type(layer) is keras.layers.Conv2D and layer.dilation_rate == (1, 1):
        return layer.kernel_size, layer.strides
    return None


def _is_image(tensor: Any) -> bool:
    return len(tensor.shape) == 4


def _size(image: Any) -> Size:
    height, width = image.shape[1:3]
    return height, width
