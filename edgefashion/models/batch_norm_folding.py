"""Batch normalization folded into the kernel beside it: one multiplication less, the same function."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.tensorflow import keras, tf

Array = npt.NDArray[np.float32]
Layer = Callable[[Any], Any]
Make = Callable[[keras.layers.Layer], Layer | None]
KERNELS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)


def rebuild(
    model: keras.Model,
    make: Make,
    first: Sequence[keras.layers.Layer] = (),
) -> keras.Model:
    """A model of the same connections.

    `make` gives the layer in the place of each layer, or None where it is left out; the layers `first`
    come before all of them. For flat models that use every layer once.
    """
    tensor = image = keras.Input(model.input_shape[1:], name=model.input_names[0])
    for layer in first:
        tensor = layer(tensor)
    tensors = {id(model.input): tensor}
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    connect(layers, tensors, make)
    return keras.Model(image, tensors[id(model.output)], name=model.name)


def connect(layers: Sequence[keras.layers.Layer], tensors: dict[int, Any], make: Make) -> None:
    """Call what `make` gives in the place of each layer on the new tensors in the place of its inputs.

    `tensors` has them by the id of the old ones, and gets what each layer gives too.
    """
    for layer in layers:
        inputs = tf.nest.map_structure(lambda tensor: tensors[id(tensor)], layer.input)
        made = make(layer)
        tensors[id(layer.output)] = inputs if made is None else made(inputs)


def fold_batch_norms(model: keras.Model) -> keras.Model:
    """The same function of the same input, as it is at inference, without BatchNormalization.

    One behind a layer with a kernel and no activation becomes part of that kernel, one of single numbers
    before a dense layer part of the next, and any other a 1x1 depthwise convolution.
    """
    behind, before = _neighbors(model)
    gone = {norm.name for norm in (*behind.values(), *before.values())}

    def make(layer: keras.layers.Layer) -> Layer | None:
        if layer.name in gone:
            return None
        if isinstance(layer, keras.layers.BatchNormalization):
            return _scaling(layer)
        config = layer.get_config()
        changed = layer.name in behind or layer.name in before
        copy: Layer = type(layer).from_config({**config, "use_bias": True} if changed else config)
        return copy

    folded = rebuild(model, make)
    for layer in folded.layers:
        if layer.weights:
            given = model.get_layer(layer.name)
            layer.set_weights(_folded(given, before.get(layer.name), behind.get(layer.name)))
    return folded


def _neighbors(model: keras.Model) -> tuple[dict[str, keras.layers.Layer], dict[str, keras.layers.Layer]]:
    """The normalizations behind layers with a kernel, and those before, by the names of these layers."""
    makers = {id(layer.output): layer for layer in model.layers}
    readers: dict[int, list[keras.layers.Layer]] = {}
    for layer in model.layers:
        for tensor in tf.nest.flatten(layer.input):
            readers.setdefault(id(tensor), []).append(layer)
    behind, before = {}, {}
    for norm in model.layers:
        if not isinstance(norm, keras.layers.BatchNormalization):
            continue
        maker, followers = makers[id(norm.input)], readers.get(id(norm.output), [])
        plain = isinstance(maker, KERNELS) and maker.activation is keras.activations.linear
        if plain and len(readers[id(norm.input)]) == 1 and norm.input is not model.output:
            behind[maker.name] = norm
        elif norm.output is not model.output and [type(each) for each in followers] == [keras.layers.Dense]:
            before[followers[0].name] = norm
    return behind, before


def _scaling(norm: keras.layers.Layer) -> Layer:
    """A 1x1 depthwise convolution in the place of a normalization, of an image or of single numbers."""
    channels = norm.output_shape[-1]
    scaling: Layer = keras.layers.DepthwiseConv2D(1, name=norm.name)
    if len(norm.output_shape) == 4:
        return scaling
    image = keras.layers.Reshape((1, 1, channels), name=f"{norm.name}_image")
    row = keras.layers.Reshape(norm.output_shape[1:], name=f"{norm.name}_row")
    return lambda tensor: row(scaling(image(tensor)))


def _folded(
    layer: keras.layers.Layer, before: keras.layers.Layer | None, behind: keras.layers.Layer | None
) -> list[Array]:
    """The weights of a layer, those of the normalizations before and behind it in them."""
    if isinstance(layer, keras.layers.BatchNormalization):
        factor, offset = _affine(layer)
        return [factor.reshape((1, 1, -1, 1)), offset]
    weights = layer.get_weights()
    if before is not None:
        factor, offset = _affine(before)
        kernel, *bias = weights
        weights = [kernel * factor[:, None], offset @ kernel + (bias[0] if bias else 0.0)]
    return weights if behind is None else _fold(layer, weights, behind)


def _affine(norm: keras.layers.Layer) -> tuple[Array, Array]:
    """Factor and offset of each channel, with the statistics of inference."""
    variance, mean = norm.moving_variance.numpy(), norm.moving_mean.numpy()
    factor = (norm.gamma.numpy() if norm.scale else 1.0) / np.sqrt(variance + norm.epsilon)
    return factor, (norm.beta.numpy() if norm.center else 0.0) - mean * factor


def _fold(layer: keras.layers.Layer, weights: list[Array], norm: keras.layers.Layer) -> list[Array]:
    """Kernel and bias after Jacob et al. 2018, equation 14, with the statistics of inference."""
    kernel, *bias = weights
    factor, _ = _affine(norm)
    offset: Any = bias[0] if bias else 0.0
    # The last two axes of a depthwise kernel are the output channels, of any other the last one is.
    channels = kernel.shape[2:] if isinstance(layer, keras.layers.DepthwiseConv2D) else (-1,)
    return [
        kernel * factor.reshape(channels),
        (norm.beta.numpy() if norm.center else 0.0) + (offset - norm.moving_mean.numpy()) * factor,
    ]
