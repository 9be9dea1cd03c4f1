import numpy as np
import pytest

from edgefashion.export.quantization import bias_correction
from edgefashion.export.quantization.layer_inputs import LayerInputs
from edgefashion.tensorflow import keras

GENERATOR = np.random.default_rng(0)


def model_of(*layers: keras.layers.Layer) -> keras.Model:
    """Layers with random weights, over images of 6x6 pixels and three channels."""
    model = keras.Sequential([keras.layers.Input((6, 6, 3)), *layers])
    model.set_weights([GENERATOR.normal(size=weights.shape) for weights in model.get_weights()])
    return model


def rounded(model: keras.Model, levels: int) -> keras.Model:
    """The model with its kernels as integers of `levels` steps to either side would represent them."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for layer in copy.layers:
        kernel, *bias = layer.get_weights()
        layer.set_weights([kernel + bias_correction.rounding_error(layer, kernel, levels), *bias])
    return copy


LAYERS = {
    "pointwise": keras.layers.Conv2D(8, 1),
    "convolution": keras.layers.Conv2D(8, 6),
    "depthwise": keras.layers.DepthwiseConv2D(6),
    "dense": keras.layers.Dense(5),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_the_mean_output_of_a_rounded_layer_becomes_that_of_the_float_layer(kind: str) -> None:
    model = model_of(LAYERS[kind])
    # Equal at all positions: the correction knows one mean a channel.
    images = np.repeat(GENERATOR.uniform(0.5, 1.0, (40, 1, 1, 3)), 36, axis=1).reshape(40, 6, 6, 3)
    corrected = bias_correction.correct_biases(LayerInputs(model, images), lambda _: 3)
    channels = (0, 1, 2)
    expected = np.asarray(model(images)).mean(axis=channels)
    plain = np.asarray(rounded(model, 3)(images)).mean(axis=channels)
    found = np.asarray(rounded(corrected, 3)(images)).mean(axis=channels)
    assert np.abs(plain - expected).max() > 0.05
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_kernels_stay_as_they_are_and_the_model_given_too() -> None:
    model = model_of(keras.layers.Conv2D(4, 3, name="conv"))
    before = model.get_weights()
    copy = bias_correction.correct_biases(LayerInputs(model, np.ones((2, 6, 6, 3), np.float32)), lambda _: 7)
    assert np.array_equal(copy.get_weights()[0], before[0])
    assert not np.array_equal(copy.get_weights()[1], before[1])
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


def test_a_kernel_that_integers_can_say_has_no_rounding_error() -> None:
    layer = keras.layers.Dense(2)
    kernel = np.array([[127.0, -2.54], [1.0, 0.02], [0.0, 0.0]], np.float32)
    assert np.abs(bias_correction.rounding_error(layer, kernel, 127)).max() < 1e-6


def test_a_channel_of_zeros_is_left_alone() -> None:
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    error = bias_correction.rounding_error(keras.layers.Conv2D(1, 3), kernel, 127)
    assert np.array_equal(error, kernel)
