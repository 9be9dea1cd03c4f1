import numpy as np
import numpy.typing as npt
import pytest

from edgefashion.export.quantization import bias_correction, weight_rounding
from edgefashion.export.quantization.layer_inputs import LayerInputs
from edgefashion.tensorflow import keras

Array = npt.NDArray[np.float32]
GENERATOR = np.random.default_rng(0)
CHANNELS = 16
LAYERS = {
    "pointwise": keras.layers.Conv2D(20, 1),
    "convolution": keras.layers.Conv2D(5, 3, padding="same"),
    "strides": keras.layers.Conv2D(5, 3, strides=2),
    "depthwise": keras.layers.DepthwiseConv2D(3, depth_multiplier=2),
    "gaps": keras.layers.DepthwiseConv2D(3, dilation_rate=2),
    "dense": keras.layers.Dense(20),
}
LEVELS = {"8 bits": 127, "7 bits": 64}


def smooth_images(count: int = 60) -> Array:
    """Images of 10x10 pixels in which neighboring pixels and channels are nearly equal."""
    light = GENERATOR.uniform(0, 4, (count, 1, 1, 1)) + GENERATOR.uniform(0, 1, (count, 1, 1, CHANNELS))
    return np.asarray(light + GENERATOR.uniform(0, 0.1, (count, 10, 10, CHANNELS)), np.float32)


def model_of(layer: keras.layers.Layer) -> keras.Model:
    """A model of one layer with random weights."""
    layer = type(layer).from_config(layer.get_config())
    model = keras.Sequential([keras.layers.Input((10, 10, CHANNELS)), layer])
    model.set_weights([GENERATOR.normal(size=weights.shape) for weights in model.get_weights()])
    return model


def error(model: keras.Model, made: keras.Model, given: Array, levels: int) -> float:
    """The mean square of what `made`, its kernel rounded, gives more than the float model."""
    copy = keras.models.clone_model(made)
    kernel, bias = made.get_weights()
    copy.set_weights([kernel + bias_correction.rounding_error(made.layers[-1], kernel, levels), bias])
    return float(np.square(np.asarray(copy(given)) - np.asarray(model(given))).mean())


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("kind", LAYERS)
def test_errors_of_weights_that_read_nearly_the_same_make_up_for_each_other(kind: str, levels: str) -> None:
    model, seen, unseen, largest = model_of(LAYERS[kind]), smooth_images(), smooth_images(), LEVELS[levels]
    nearest, handed_on = (
        bias_correction.correct_biases(LayerInputs(model, seen), lambda _: largest, feedback=feedback)
        for feedback in (False, True)
    )
    assert error(model, handed_on, unseen, largest) < error(model, nearest, unseen, largest) / 2
    assert np.array_equal(nearest.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("kind", LAYERS)
def test_what_is_made_is_in_integers_whose_largest_weight_is_the_one_it_was(kind: str) -> None:
    model = model_of(LAYERS[kind])
    made = bias_correction.correct_biases(LayerInputs(model, smooth_images()), lambda _: 127, feedback=True)
    before, after = model.get_weights()[0], made.get_weights()[0]
    layer = made.layers[-1]
    assert np.abs(bias_correction.rounding_error(layer, after, 127)).max() < 1e-6
    largest = [weight_rounding.largest_weights(layer, kernel) for kernel in (before, after)]
    assert np.array_equal(*largest)


@pytest.mark.parametrize("kind", ["convolution", "depthwise"])
def test_inputs_that_never_change_and_channels_without_weights_do_no_harm(kind: str) -> None:
    model, given = model_of(LAYERS[kind]), np.zeros((3, 10, 10, CHANNELS), np.float32)
    kernel, bias = model.get_weights()
    kernel[..., 0] = 0
    model.set_weights([kernel, bias])
    made = bias_correction.correct_biases(
        LayerInputs(model, given), lambda _: 127, feedback=True
    ).get_weights()[0]
    step = np.abs(kernel).max() / 127
    assert np.abs(made - kernel).max() <= 0.51 * step


def test_layers_in_float_and_layers_of_very_many_inputs_keep_their_kernels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = model_of(keras.layers.Dense(5, name="kept"))
    made = bias_correction.correct_biases(
        LayerInputs(model, smooth_images()), lambda _: 127, ["kept"], feedback=True
    )
    assert np.array_equal(made.get_weights()[0], model.get_weights()[0])
    monkeypatch.setattr(weight_rounding, "MOST_INPUTS", 3)
    made = bias_correction.correct_biases(LayerInputs(model, smooth_images()), lambda _: 127, feedback=True)
    assert np.array_equal(made.get_weights()[0], model.get_weights()[0])
