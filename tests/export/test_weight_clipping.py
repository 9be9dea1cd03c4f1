import numpy as np
import numpy.typing as npt
import pytest

from edgefashion.export.quantization import bias_correction
from edgefashion.export.quantization.layer_inputs import LayerInputs
from edgefashion.tensorflow import keras

Array = npt.NDArray[np.float32]
GENERATOR = np.random.default_rng(0)
LAYERS = {
    "pointwise": keras.layers.Conv2D(5, 1),
    "convolution": keras.layers.Conv2D(5, 3, padding="same"),
    "dense": keras.layers.Dense(5),
}
LEVELS = {"8 bits": 127, "7 bits": 64}


def images(quiet: float) -> Array:
    """40 images of 6x6 pixels and eight channels, the first of which is nearly always 0."""
    values = GENERATOR.uniform(0.5, 1.0, (40, 6, 6, 8)).astype(np.float32)
    values[..., 0] = quiet * (GENERATOR.random((40, 6, 6)) < 0.1)
    return values


def with_outlier(layer: keras.layers.Layer, factor: float = 50.0) -> keras.Model:
    """A model of one layer, its weights of the first input channel larger than all others."""
    layer = type(layer).from_config(layer.get_config())
    model = keras.Sequential([keras.layers.Input((6, 6, 8)), layer])
    kernel, bias = (GENERATOR.normal(size=weights.shape) for weights in layer.get_weights())
    kernel[..., 0, :] *= factor
    layer.set_weights([kernel, bias])
    return model


def error(model: keras.Model, made: keras.Model, given: Array, levels: int) -> Array:
    """What `made`, its kernel rounded, gives more than the float model."""
    copy = keras.models.clone_model(made)
    kernel, bias = made.get_weights()
    copy.set_weights([kernel + bias_correction.rounding_error(made.layers[-1], kernel, levels), bias])
    return np.asarray(copy(given)) - np.asarray(model(given))


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("kind", LAYERS)
def test_large_weights_of_a_channel_that_is_nearly_always_0_are_clipped(kind: str, levels: str) -> None:
    model, given, largest = with_outlier(LAYERS[kind]), images(quiet=0.0), LEVELS[levels]
    plain, clipped = (
        bias_correction.correct_biases(LayerInputs(model, given), lambda _: largest, clip=clip)
        for clip in (False, True)
    )
    before, after = (np.square(error(model, made, given, largest)).mean() for made in (plain, clipped))
    assert after < before / 4
    assert np.array_equal(plain.get_weights()[0], model.get_weights()[0])


def test_the_mean_that_clipping_moves_is_taken_off_the_bias() -> None:
    model, given = with_outlier(keras.layers.Dense(5)), images(quiet=0.005)
    clipped = bias_correction.correct_biases(LayerInputs(model, given), lambda _: 127, clip=True)
    assert not np.array_equal(clipped.get_weights()[0], model.get_weights()[0])
    assert np.abs(error(model, clipped, given, 127).mean(axis=(0, 1, 2))).max() < 1e-4


def test_large_weights_that_the_output_needs_stay() -> None:
    model, given = with_outlier(keras.layers.Dense(5)), images(quiet=3.0)
    made = bias_correction.correct_biases(LayerInputs(model, given), lambda _: 127, clip=True)
    assert np.array_equal(made.get_weights()[0], model.get_weights()[0])


def test_a_layer_that_gains_little_keeps_its_kernel_to_the_byte() -> None:
    model, given = with_outlier(keras.layers.Dense(5), factor=1.2), images(quiet=0.0)
    made = bias_correction.correct_biases(LayerInputs(model, given), lambda _: 127, clip=True)
    assert np.array_equal(made.get_weights()[0], model.get_weights()[0])


def test_a_depthwise_kernel_whose_channels_have_a_scale_each_is_left_alone() -> None:
    model, given = with_outlier(keras.layers.DepthwiseConv2D(3)), images(quiet=0.0)
    made = bias_correction.correct_biases(LayerInputs(model, given), lambda _: 127, clip=True)
    assert np.array_equal(made.get_weights()[0], model.get_weights()[0])


def test_layers_in_float_are_not_clipped() -> None:
    model, given = with_outlier(keras.layers.Dense(5, name="kept")), images(quiet=0.0)
    made = bias_correction.correct_biases(LayerInputs(model, given), lambda _: 127, ["kept"], clip=True)
    assert all(np.array_equal(a, b) for a, b in zip(made.get_weights(), model.get_weights(), strict=True))
