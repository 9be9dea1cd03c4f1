"""The activations of MobileNetV3 as layers, where Keras 2 has operators between layers.

Written as here, TensorFlow's converter makes one operator of a hard swish.
"""

from typing import Any

from edgefashion.tensorflow import keras, tf

register = keras.saving.register_keras_serializable("edgefashion")


@register
class HardSigmoid(keras.layers.Layer):
    """relu6(x + 3) / 6, a sigmoid of straight lines (Howard et al. 2019, section 5.2). Keras 2 calls
    another one so, 0.2 x + 0.5 between 0 and 1.
    """

    def call(self, inputs: Any) -> Any:
        """float32 tensor of any shape → the same shape, from 0 to 1."""
        return tf.nn.relu6(inputs + 3.0) * (1 / 6)


@register
class HardSwish(keras.layers.Layer):
    """x * relu6(x + 3) / 6, a swish of straight lines (Howard et al. 2019, section 5.2)."""

    def call(self, inputs: Any) -> Any:
        """float32 tensor of any shape → the same shape, from -0.375."""
        return inputs * (tf.nn.relu6(inputs + 3.0) * (1 / 6))


def is_clamp(layer: keras.layers.Layer) -> bool:
    """Whether a runtime computes it within the layer before it: a ReLU without a slope, or up to 6."""
    plain = isinstance(layer, keras.layers.ReLU) and not layer.negative_slope and not layer.threshold
    return bool(plain and layer.max_value in (None, 6))
