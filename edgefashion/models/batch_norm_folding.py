"""Batch normalization folded into the layers beside it: one multiplication less, the same function."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.tensorflow import keras, tf

Array = npt.NDArray[np.float32]
Make = Callable[[keras.layers.Layer], Callable[[Any], Any] | None]
MULTIPLYING = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)


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

    Each one becomes part of the convolution or dense layer before it, where that has no activation and no
    other reader; else of those behind it, where none of them pads what it reads; else a depthwise convolution
    of 1x1 with its name.
    """
    behind, before = _folds(model)
    left_out = {norm.name for norm in (*behind.values(), *before.values())}

    def make(layer: keras.layers.Layer) -> Callable[[Any], Any] | None:
        if layer.name in left_out:
            return None
        if isinstance(layer, keras.layers.BatchNormalization):
            return _depthwise(layer)
        folds = layer.name in behind or layer.name in before
        changed = {"use_bias": True} if folds else {}
        made: Callable[[Any], Any] = type(layer).from_config({**layer.get_config(), **changed})
        return made

    folded = rebuild(model, make)
    for layer in folded.layers:
        if layer.weights:
            own = model.get_layer(layer.name)
            layer.set_weights(_weights(own, before.get(layer.name), behind.get(layer.name)))
    return folded


def readers_of(model: keras.Model) -> dict[int, list[keras.layers.Layer]]:
    """The layers of a model that read a tensor, by its id."""
    found: dict[int, list[keras.layers.Layer]] = {}
    for layer in model.layers:
        if not isinstance(layer, keras.layers.InputLayer):
            for tensor in tf.nest.flatten(layer.input):
                found.setdefault(id(tensor), []).append(layer)
    return found


Norms = dict[str, keras.layers.Layer]
"""Batch normalizations, by the names of the layers that they become part of."""


def _folds(model: keras.Model) -> tuple[Norms, Norms]:
    """Those that follow such a layer, and those before one."""
    makers = {id(layer.output): layer for layer in model.layers}
    readers = readers_of(model)
    behind, before = {}, {}
    for norm in model.layers:
        if not isinstance(norm, keras.layers.BatchNormalization):
            continue
        maker, following = makers.get(id(norm.input)), readers.get(id(norm.output), [])
        if maker and is_linear(maker) and readers[id(norm.input)] == [norm]:
            behind[maker.name] = norm
        elif following and norm.output is not model.output and all(map(_pads_nothing, following)):
            before.update({reader.name: norm for reader in following})
    return behind, before


def is_linear(layer: keras.layers.Layer) -> bool:
    """Whether it gives the sums of a kernel as they are."""
    return isinstance(layer, MULTIPLYING) and layer.activation is keras.activations.linear


def _pads_nothing(layer: keras.layers.Layer) -> bool:
    """Whether it multiplies only values that it reads."""
    if not isinstance(layer, MULTIPLYING):
        return False
    return getattr(layer, "padding", "valid") == "valid" or tuple(layer.kernel_size) == (1, 1)


def _depthwise(norm: keras.layers.Layer) -> Callable[[Any], Any]:
    """What computes it as a convolution, a vector as one pixel."""
    convolution: Callable[[Any], Any] = keras.layers.DepthwiseConv2D(1, name=norm.name)
    if len(norm.input.shape) == 4:
        return convolution
    channels = norm.input.shape[-1]
    pixel = keras.layers.Reshape((1, 1, channels), name=f"{norm.name}_pixel")
    vector = keras.layers.Reshape((channels,), name=f"{norm.name}_vector")
    return lambda values: vector(convolution(pixel(values)))


def _affine(norm: keras.layers.Layer) -> tuple[Array, Array]:
    """What each channel is multiplied by and then moved by, with the statistics of inference."""
    gamma = norm.gamma.numpy() if norm.scale else np.float32(1)
    beta = norm.beta.numpy() if norm.center else np.float32(0)
    factor = gamma / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
    return factor, beta - norm.moving_mean.numpy() * factor


def _weights(
    layer: keras.layers.Layer, before: keras.layers.Layer | None, behind: keras.layers.Layer | None
) -> list[Array]:
    """Those of the layer in the place of one that takes over batch normalizations, or is one (Jacob et al.
    2018, equation 14).
    """
    if isinstance(layer, keras.layers.BatchNormalization):
        factor, offset = _affine(layer)
        return [factor.reshape(1, 1, -1, 1), offset]
    kernel, *biases = weights = layer.get_weights()
    if before is None and behind is None:
        return list(weights)
    bias: Any = biases[0] if biases else np.float32(0)
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    if before is not None:
        factor, offset = (_by_input(layer, values) for values in _affine(before))
        summed = tuple(range(2 if depthwise else kernel.ndim - 1))
        bias = bias + (kernel * offset).sum(axis=summed).reshape(-1)
        kernel = kernel * factor
    if behind is not None:
        factor, offset = _affine(behind)
        # The last two axes of a depthwise kernel are the output channels, of any other the last one is.
        channels = kernel.shape[2:] if depthwise else (-1,)
        kernel, bias = kernel * factor.reshape(channels), offset + bias * factor
    return [kernel, bias]


def _by_input(layer: keras.layers.Layer, values: Array) -> Array:
    """A value for each input channel → one for each place of the last two axes of the layer's kernel."""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return values[:, np.newaxis]
    groups, outputs = getattr(layer, "groups", 1), layer.output_shape[-1]
    return np.repeat(values.reshape(groups, -1).T, outputs // groups, axis=1)
