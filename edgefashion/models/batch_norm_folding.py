"""Batch normalization folded into the convolution before it: one multiplication less, the same function."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.tensorflow import keras, tf

Array = npt.NDArray[np.float32]
Make = Callable[[keras.layers.Layer], keras.layers.Layer | None]
CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


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

    Each one must follow a convolution that has no activation. Raises ValueError for one that does not.
    """
    folds = _folds(model)
    left_out = {norm.name for norm in folds.values()}

    def make(layer: keras.layers.Layer) -> keras.layers.Layer | None:
        if layer.name in left_out:
            return None
        config = layer.get_config()
        return type(layer).from_config({**config, "use_bias": True} if layer.name in folds else config)

    folded = rebuild(model, make)
    for layer in folded.layers:
        if layer.name in folds:
            layer.set_weights(_fold(model.get_layer(layer.name), folds[layer.name]))
        elif layer.weights:
            layer.set_weights(model.get_layer(layer.name).get_weights())
    return folded


def _folds(model: keras.Model) -> dict[str, keras.layers.Layer]:
    """The batch normalization behind each convolution that has one, by the convolution's name."""
    makers = {id(layer.output): layer for layer in model.layers}
    folds = {}
    for norm in model.layers:
        if not isinstance(norm, keras.layers.BatchNormalization):
            continue
        maker = makers[id(norm.input)]
        if not isinstance(maker, CONVOLUTIONS) or maker.activation is not keras.activations.linear:
            raise ValueError(f"{norm.name} cannot be folded into {maker.name}")
        folds[maker.name] = norm
    return folds


def _fold(convolution: keras.layers.Layer, norm: keras.layers.Layer) -> list[Array]:
    """Kernel and bias after Jacob et al. 2018, equation 14, with the statistics of inference."""
    kernel, *bias = convolution.get_weights()
    factor = norm.gamma.numpy() / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
    offset: Any = bias[0] if bias else 0.0
    # The last two axes of a depthwise kernel are the output channels, of any other the last one is.
    channels = kernel.shape[2:] if isinstance(convolution, keras.layers.DepthwiseConv2D) else (-1,)
    return [
        kernel * factor.reshape(channels),
        norm.beta.numpy() + (offset - norm.moving_mean.numpy()) * factor,
    ]
