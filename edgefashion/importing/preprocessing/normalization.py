"""What a model does with pixels, made the one normalization that an exported file has.

    x = pixel * scale + offset, one a channel  →  x = ((pixel - zero point) * scale) * factor + shift

The integer zero point and the scale are of all channels. Factor and shift go into the first kernel and its
bias, where that is exact: a padded border reads zeros, which are the pixel `zero point` and no other, and may
be half a gray level off. Else a 1x1 layer at the front does it. Where the model reads blue first, the first
kernel's channels change places.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.importing.network.imported import Preprocessing
from edgefashion.models.architecture import Normalization
from edgefashion.models.batch_norm_folding import rebuild
from edgefashion.tensorflow import keras

NAME = "preprocessing"
HALF_A_LEVEL = 0.5 + 1e-6
Channels = npt.NDArray[np.float64]
"""A number for each channel, in the order of the model's."""


def normalized(model: keras.Model, way: Preprocessing) -> tuple[keras.Model, Normalization]:
    """A model that gives for `normalization(pixels)` what `model` gives for pixels prepared that way, and the
    normalization; pixels are uint8 [N, height, width, channels] of pictures, red first.
    """
    count = model.input_shape[-1]
    scale, offset = (
        np.broadcast_to(np.asarray(each, np.float64), (count,)) for each in (way.scale, way.offset)
    )
    zeros = -offset / scale
    normalization = Normalization(
        scale=float(np.abs(scale).max()),
        zero_point=int(np.clip(np.ceil(zeros.mean() - 0.5), 0, 255)),
    )
    factor, shift = scale / normalization.scale, scale * normalization.zero_point + offset
    if not way.bgr and (factor == 1).all() and (np.abs(shift) < 1e-6 * normalization.scale).all():
        return model, normalization
    near = bool((np.abs(zeros - normalization.zero_point) <= HALF_A_LEVEL).all())
    first, padded = _first_kernel(model)
    if first is not None and (near or not padded):
        return _folded(model, first, factor, shift, way.bgr), normalization
    if first is not None and way.bgr:
        model = _folded(model, first, np.ones(count), np.zeros(count), True)
        factor, shift = factor[::-1], shift[::-1]
    return _in_front(model, factor, shift, way.bgr and first is None), normalization


def _first_kernel(model: keras.Model) -> tuple[keras.layers.Layer | None, bool]:
    """The layer whose kernel reads the channels of images, and whether their border is padded before it; None
    where others read them.
    """
    tensor, padded = model.input, False
    while True:
        readers = [layer for layer in model.layers if _reads(layer, tensor)]
        if len(readers) != 1:
            return None, padded
        (layer,) = readers
        if type(layer) is keras.layers.Conv2D and layer.groups == 1:
            return layer, padded or (layer.padding == "same" and max(layer.kernel_size) > 1)
        if isinstance(layer, keras.layers.Dense):
            return layer, padded
        if not isinstance(layer, keras.layers.ZeroPadding2D | keras.layers.Flatten):
            return None, padded
        padded = padded or isinstance(layer, keras.layers.ZeroPadding2D)
        tensor = layer.output


def _reads(layer: keras.layers.Layer, tensor: Any) -> bool:
    if isinstance(layer, keras.layers.InputLayer):
        return False
    inputs = layer.input if isinstance(layer.input, list) else [layer.input]
    return any(each is tensor for each in inputs)


def _folded(
    model: keras.Model, first: keras.layers.Layer, factor: Channels, shift: Channels, swap: bool
) -> keras.Model:
    """The model with factor and shift in its first kernel; where `swap` says so, its channels the other way
    round.
    """
    kernel, *bias = first.get_weights()
    by_channel = kernel.astype(np.float64).reshape(-1, len(factor), kernel.shape[-1])
    added = np.einsum("pco,c->o", by_channel, shift)
    scaled = by_channel * factor[:, np.newaxis]
    scaled = scaled[:, ::-1] if swap else scaled
    changed = [scaled.reshape(kernel.shape), (bias[0] if bias else 0.0) + added]

    def make(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        return type(layer).from_config({**config, "use_bias": True} if layer is first else config)

    result = rebuild(model, make)
    _take_weights(result, model, {first.name: changed})
    return result


def _in_front(model: keras.Model, factor: Channels, shift: Channels, swap: bool) -> keras.Model:
    """The model behind a 1x1 layer that does it."""
    names = {layer.name.lower() for layer in model.layers}
    name = next(each for each in (NAME, *(f"{NAME}_{n}" for n in range(2, 1000))) if each not in names)
    count = len(factor)
    if swap:
        layer = keras.layers.Conv2D(count, 1, name=name)
        kernel = np.diag(factor)[::-1].reshape(1, 1, count, count)
    else:
        layer = keras.layers.DepthwiseConv2D(1, name=name)
        kernel = factor.reshape(1, 1, count, 1)
    result = rebuild(model, lambda each: type(each).from_config(each.get_config()), first=[layer])
    _take_weights(result, model, {name: [kernel, shift]})
    return result


def _take_weights(result: keras.Model, model: keras.Model, changed: dict[str, list[Any]]) -> None:
    for layer in result.layers:
        if layer.weights:
            known = changed.get(layer.name)
            layer.set_weights(model.get_layer(layer.name).get_weights() if known is None else known)
