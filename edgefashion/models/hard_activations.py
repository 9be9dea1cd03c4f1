"""Hard sigmoid and hard swish without their sixth, as integer kernels compute them fast.

    hard sigmoid        relu6(x + 3) / 6  →      relu6(x + 3), the 3 in the bias before it where there is one
    hard swish      x * relu6(x + 3) / 6  →  x * relu6(x + 3)

What is six times too large then is divided by six in the kernels that read it. A clamped sum and a product
are integer operators of every runtime. A hard swish is one of TFLite, but XNNPACK has none for integers: it
leaves a model in pieces around each, and MobileNetV3 small took twice the time that it takes in float.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from edgefashion.models.activations import HardSigmoid, HardSwish, register
from edgefashion.models.batch_norm_folding import MULTIPLYING, Array, is_linear, readers_of, rebuild
from edgefashion.tensorflow import keras, tf

HARD = (HardSigmoid, HardSwish)
PROPORTIONAL = (
    *(keras.layers.Flatten, keras.layers.Reshape, keras.layers.Permute),
    *(keras.layers.ZeroPadding2D, keras.layers.Cropping2D, keras.layers.MaxPooling2D),
    *(keras.layers.AveragePooling2D, keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D),
)
"""What these give grows as what they read does."""
Readers = dict[int, list[keras.layers.Layer]]


@register
class HardGate(keras.layers.Layer):
    """relu6(x + 3): six times a hard sigmoid."""

    def call(self, inputs: Any) -> Any:
        """float32 tensor of any shape → the same shape, from 0 to 6."""
        return tf.nn.relu6(inputs + 3.0)


def without_sixths(model: keras.Model) -> keras.Model:
    """The same function, its hard activations as above where kernels alone read them, and products and
    pooling before these. For flat models without batch normalization that use every layer once.
    """
    readers = readers_of(model)
    hard = {layer.name for layer in model.layers if isinstance(layer, HARD) and _ends(layer.output, readers)}
    if not hard:
        return model
    shifted = _shifted(model, hard, readers)

    def make(layer: keras.layers.Layer) -> Callable[[Any], Any]:
        if layer.name in hard:
            return _gate(layer, layer.name in shifted.values())
        bias = {"use_bias": True} if layer.name in shifted else {}
        made: Callable[[Any], Any] = type(layer).from_config({**layer.get_config(), **bias})
        return made

    result, factors = rebuild(model, make), _factors(model, hard)
    for layer in result.layers:
        if layer.weights:
            own = model.get_layer(layer.name)
            factor = factors[id(own.input)] if isinstance(own, MULTIPLYING) else 1
            layer.set_weights(_weights(own, factor, layer.name in shifted))
    return result


def _ends(tensor: Any, readers: Readers) -> bool:
    """Whether all that depends on a tensor is kernels that can take over a factor of it."""
    return id(tensor) in readers and all(
        isinstance(layer, MULTIPLYING)
        or (isinstance(layer, (*PROPORTIONAL, keras.layers.Multiply)) and _ends(layer.output, readers))
        for layer in readers[id(tensor)]
    )


def _shifted(model: keras.Model, hard: set[str], readers: Readers) -> dict[str, str]:
    """The hard sigmoids that alone read a kernel's sums, by the names of the layers with these kernels."""
    makers = {id(layer.output): layer for layer in model.layers}
    sigmoids = [each for each in model.layers if isinstance(each, HardSigmoid) and each.name in hard]
    found = {}
    for sigmoid in sigmoids:
        maker = makers.get(id(sigmoid.input))
        if maker and is_linear(maker) and readers[id(sigmoid.input)] == [sigmoid]:
            found[maker.name] = sigmoid.name
    return found


def _gate(layer: keras.layers.Layer, shifted: bool) -> Callable[[Any], Any]:
    """What is in the place of a hard activation."""
    if isinstance(layer, HardSigmoid):
        made: Callable[[Any], Any] = (
            keras.layers.ReLU(6.0, name=layer.name) if shifted else HardGate(name=layer.name)
        )
        return made
    gate, product = HardGate(name=f"{layer.name}_gate"), keras.layers.Multiply(name=layer.name)
    return lambda values: product([values, gate(values)])


def _factors(model: keras.Model, hard: set[str]) -> dict[int, int]:
    """How many times as large each tensor is, by its id in the old model."""
    found = {id(model.input): 1}
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        read = [found[id(tensor)] for tensor in tf.nest.flatten(layer.input)]
        factor = 6 if layer.name in hard else 1
        if isinstance(layer, PROPORTIONAL):
            (factor,) = read
        elif isinstance(layer, keras.layers.Multiply):
            factor = math.prod(read)
        found[id(layer.output)] = factor
    return found


def _weights(layer: keras.layers.Layer, factor: int, shifted: bool) -> list[Array]:
    """Those of a layer that reads values so many times as large, and gives sums larger by 3 where these are
    to be shifted.
    """
    weights: list[Array] = layer.get_weights()
    if factor != 1:
        weights[0] = weights[0] / np.float32(factor)
    if not shifted:
        return weights
    kernel, *biases = weights
    bias = biases[0] if biases else np.zeros(layer.output_shape[-1], np.float32)
    return [kernel, bias + np.float32(3)]
