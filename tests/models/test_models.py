"""The architectures: what the trainer and the exporters rely on, and initial weights that do not fit."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.data import FASHION_MNIST, Dataset, Picture, Task
from edgefashion.errors import BadInput
from edgefashion.models import ARCHITECTURES, Architecture, check_size, mobilenetv2
from edgefashion.models.mobilenetv2 import BATCH_NORM_MOMENTUM, SIZE, build, resize
from edgefashion.models.summary import summarize
from edgefashion.tensorflow import keras

KINDS = ("cnn", "cnn-64k", "cnn-64k-v2", "mobilenetv2")
"""Between them all layers of every architecture."""
INPUTS = dict.fromkeys(KINDS, (28, 28, 1)) | {"mobilenetv2": (SIZE, SIZE, 3)}
EVERY_PIXEL = np.arange(256, dtype=np.uint8)
SIGNS = Task("signs", (24, 32, 3), ("stop", "go"), Picture("crop", (255, 255, 255), (0, 0, 0)))


def of_size(height: int, width: int) -> Task:
    return replace(SIGNS, image_shape=(height, width, 3))


@pytest.fixture(scope="module", params=KINDS)
def architecture(request: pytest.FixtureRequest) -> Architecture:
    return ARCHITECTURES[request.param]


@pytest.fixture(scope="module")
def model(architecture: Architecture) -> keras.Model:
    """Random weights, and statistics in the batch normalizations that are not those of a new model."""
    model = architecture.build(FASHION_MNIST, None)
    generator = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([generator.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


def test_a_model_is_flat_and_gives_ten_logits(architecture: Architecture, model: keras.Model) -> None:
    """Quantization-aware training takes no model within a model."""
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    assert model.input_shape == (None, *INPUTS[architecture.name])
    assert model.output_shape == (None, 10)
    assert model.layers[-1].activation is keras.activations.linear
    assert model.layers[-1].dtype_policy.name == "float32"


def test_prepared_images_fit_the_model(
    architecture: Architecture, model: keras.Model, sample: Dataset
) -> None:
    prepared = architecture.prepare(sample.test.images[:20]).numpy()
    assert prepared.shape == (20, *model.input_shape[1:])
    assert prepared.dtype == np.float32
    low, high = architecture.normalization.range
    assert prepared.min() == pytest.approx(low)
    assert prepared.max() <= high + 1e-6
    assert prepared.max() > 0.9


def test_what_is_exported_computes_what_was_trained(
    architecture: Architecture, model: keras.Model, sample: Dataset
) -> None:
    pixels = sample.test.images[:8]
    trained = model(architecture.prepare(pixels)).numpy()
    images = architecture.resize(architecture.normalization(pixels))
    deployed = architecture.fold(model, FASHION_MNIST)(images, training=False).numpy()
    assert deployed.shape == (8, 10)
    assert np.ptp(trained) > 1e-2
    np.testing.assert_allclose(deployed, trained, atol=1e-4)


def test_a_model_is_built_for_its_task_and_images_in_color_are_folded_too(architecture: Architecture) -> None:
    model = architecture.build(SIGNS, None)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 24, 32, 3), np.uint8)
    logits = model(architecture.prepare(pixels))
    assert logits.shape == (2, 2)
    images = architecture.resize(architecture.normalization(pixels))
    deployed = architecture.fold(model, SIGNS)(images, training=False)
    np.testing.assert_allclose(deployed, logits, atol=1e-4)


def test_a_pixel_is_its_own_quantized_value(architecture: Architecture) -> None:
    normalization = architecture.normalization
    values = normalization(EVERY_PIXEL).numpy()
    assert values.dtype == np.float32
    quantized = np.round(values / normalization.scale) + normalization.zero_point
    assert np.array_equal(quantized, EVERY_PIXEL)
    assert (values[0], values[255]) == pytest.approx(normalization.range)


@pytest.mark.parametrize(
    ("name", "expected"), [("cnn", (0, 1)), ("mobilenetv2", (-127 / 127.5, 128 / 127.5))]
)
def test_the_range_of_normalized_pixels(name: str, expected: tuple[float, float]) -> None:
    assert ARCHITECTURES[name].normalization.range == pytest.approx(expected)


def test_the_cnn_of_fashion_mnist_has_two_convolutions_and_225034_parameters() -> None:
    """The same initial weights, too, whatever larger images need."""
    keras.utils.set_random_seed(0)
    first = keras.Sequential(
        [
            keras.layers.Input((28, 28, 1), name="image"),
            keras.layers.Conv2D(32, 3, activation="relu", name="conv1"),
            keras.layers.MaxPooling2D(name="pool1"),
            keras.layers.Conv2D(64, 3, activation="relu", name="conv2"),
            keras.layers.MaxPooling2D(name="pool2"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(128, activation="relu", name="dense"),
            keras.layers.Dense(10, dtype="float32", name="logits"),
        ],
        name="cnn",
    )
    keras.utils.set_random_seed(0)
    model = ARCHITECTURES["cnn"].build(FASHION_MNIST, None)
    assert model.count_params() == 225_034
    assert model.get_config() == first.get_config()
    for mine, wanted in zip(model.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, wanted)


@pytest.mark.parametrize(
    ("size", "convolutions", "flattened"),
    [
        ((10, 10), 2, 64),
        ((32, 32), 2, 2304),
        ((37, 37), 2, 3136),
        ((38, 38), 3, 576),
        ((64, 48), 3, 1536),
        ((96, 96), 4, 1024),
        ((224, 224), 5, 1600),
        ((10, 200), 2, 3072),
    ],
    ids=str,
)
def test_the_cnn_has_as_many_convolutions_as_leave_little_to_flatten(
    size: tuple[int, int], convolutions: int, flattened: int
) -> None:
    model = ARCHITECTURES["cnn"].build(of_size(*size), None)
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in model.layers) == convolutions
    assert model.get_layer("flatten").output_shape == (None, flattened)


@pytest.mark.parametrize(
    ("name", "weights", "macs"),
    [
        ("cnn-16k", 8_674, 1_285_018),
        ("cnn-64k", 51_808, 4_657_360),
        ("cnn-64k-v2", 53_768, 4_659_320),
        ("cnn-256k", 253_384, 22_608_304),
        ("cnn-256k-v2", 242_384, 24_502_208),
    ],
)
def test_the_residual_cnns_are_small(name: str, weights: int, macs: int) -> None:
    known = ARCHITECTURES[name]
    layers = summarize(known.fold(known.build(FASHION_MNIST, None), FASHION_MNIST))
    channels = sum(layer.output_shape[-1] for layer in layers if layer.macs)
    assert sum(layer.parameters for layer in layers) - channels == weights
    assert sum(layer.macs for layer in layers) == macs


@pytest.mark.parametrize(
    ("size", "halved"),
    [
        ((24, 96), (24, 96)),
        ((40, 41), (40, 41)),
        ((41, 60), (21, 30)),
        ((80, 96), (40, 48)),
        ((81, 96), (20, 24)),
    ],
    ids=str,
)
def test_the_residual_cnns_halve_larger_images_first(size: tuple[int, int], halved: tuple[int, int]) -> None:
    model = ARCHITECTURES["cnn-64k"].build(of_size(*size), None)
    assert model.get_layer("conv2").input.shape[1:3] == halved
    assert model.count_params() == ARCHITECTURES["cnn-64k"].build(of_size(28, 28), None).count_params()


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("cnn", (9, 40), "cnn takes images with edges of 10 to 1024 pixels, and those of signs are 9x40"),
        ("cnn-64k", (23, 40), "edges of 24 to 96 pixels, and those of signs are 23x40: choose cnn or mobile"),
        ("cnn-256k", (128, 96), "are 128x96: choose cnn or mobilenetv2, or another size"),
        ("mobilenetv2", (225, 96), "are 225x96: choose cnn, or another size"),
    ],
)
def test_images_too_small_or_large_for_a_model(name: str, size: tuple[int, int], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_size(ARCHITECTURES[name], of_size(*size))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "edge"), [("cnn", 10), ("cnn-64k", 24), ("cnn-64k", 96), ("mobilenetv2", 224)]
)
def test_the_smallest_and_the_largest_images_of_a_model(name: str, edge: int, short: None) -> None:
    check_size(ARCHITECTURES[name], of_size(edge, edge))
    assert ARCHITECTURES[name].build(of_size(edge, edge), None).output_shape == (None, 2)


def test_mobilenetv2_forgets_old_statistics_soon_enough() -> None:
    model = build(1.0, FASHION_MNIST)
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(layers) == 52
    assert {layer.momentum for layer in layers} == {BATCH_NORM_MOMENTUM} == {0.99}


def test_images_are_resized_between_pixel_centres() -> None:
    """A ramp stays a ramp, shifted by half a pixel as centers ask for, and flat beyond the outermost ones."""
    ramp = np.broadcast_to(np.arange(28, dtype=np.float32)[None, :, None, None], (1, 28, 28, 1))
    centers = (np.arange(SIZE) + 0.5) * 28 / SIZE - 0.5
    resized = resize(ramp).numpy()
    assert resized.shape == (1, SIZE, SIZE, 1)
    for column in (0, 50, 95):
        np.testing.assert_allclose(resized[0, :, column, 0], centers.clip(0, 27), atol=1e-5)


def test_weights_of_a_file_fit_images_of_another_size(tmp_path: Path, short: None) -> None:
    source = mobilenetv2._untrained(0.35, (48, 48))
    source.save_weights(tmp_path / "weights.h5")
    model = build(0.35, of_size(128, 97), str(tmp_path / "weights.h5"))
    assert model.input_shape == (None, 128, 97, 3)
    for expected, found in zip(source.get_weights(), model.get_weights(), strict=False):
        np.testing.assert_array_equal(found, expected)


def test_weights_of_a_file_of_another_width_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def small(width: float, size: tuple[int, int]) -> keras.Model:
        image = keras.Input((*size, 3))
        return keras.Model(image, keras.layers.Conv2D(int(20 * width), 3, name="Conv1")(image))

    monkeypatch.setattr(mobilenetv2, "_untrained", small)
    small(0.35, (SIZE, SIZE)).save_weights(tmp_path / "weights.h5")
    message = refusal(str(tmp_path / "weights.h5"), width=0.5)
    assert "does not hold the weights of MobileNetV2 0.5 without its head" in message
    assert "is float32" in message and message.endswith("; width names another width")


@pytest.mark.parametrize(("size", "published"), [((96, 96), 96), ((128, 96), 96), ((150, 120), 128)])
def test_the_weights_of_imagenet_are_those_of_the_nearest_size(
    size: tuple[int, int], published: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def small(weights: str | None, input_shape: Any, alpha: float, include_top: bool) -> keras.Model:
        asked.append((weights, input_shape[0], alpha))
        image = keras.Input(input_shape)
        initial = "zeros" if weights else "ones"
        return keras.Model(image, keras.layers.Conv2D(2, 3, kernel_initializer=initial)(image))

    asked: list[Any] = []
    monkeypatch.setattr(keras.applications, "MobileNetV2", small)
    model = build(0.75, of_size(*size), "imagenet")
    assert asked[0] == ("imagenet", published, 0.75)
    assert model.input_shape == (None, *size, 3)
    assert not model.get_weights()[0].any()


def test_random_weights_differ_with_the_seed_only(short: None) -> None:
    def first(seed: int) -> Any:
        keras.utils.set_random_seed(seed)
        return build(1.0, FASHION_MNIST, "none").get_weights()[0]

    assert not np.array_equal(first(1), first(2))
    assert np.array_equal(first(1), first(1))  # now that what all tests copy is built


def refusal(weights: str, width: float = 1.0) -> str:
    with pytest.raises(BadInput) as refused:
        build(width, FASHION_MNIST, weights)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_a_weights_file_that_is_not_there(tmp_path: Path, short: None) -> None:
    path = tmp_path / "weights.h5"
    expected = f"{path} does not exist: name a file of weights, imagenet or none"
    assert refusal(str(path)) == expected


def other_h5(path: Path) -> None:
    keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)]).save_weights(path)


def not_h5(path: Path) -> None:
    path.write_bytes(b"weights")


def truncated_h5(path: Path) -> None:
    other_h5(path)
    path.write_bytes(path.read_bytes()[:1000])


def other_checkpoint(path: Path) -> None:
    keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)]).save_weights(
        path.with_suffix(""), save_format="tf"
    )


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (other_h5, "weights.h5"),
        (not_h5, "weights.h5"),
        (not_h5, "weights.bin"),
        (truncated_h5, "weights.h5"),
        (other_checkpoint, "weights.index"),
    ],
)
def test_a_weights_file_of_something_else(tmp_path: Path, make: Any, name: str, short: None) -> None:
    make(tmp_path / name)
    message = refusal(str(tmp_path / name))
    assert message.startswith(f"{tmp_path / name} does not hold the weights of MobileNetV2 1.0 without")
    assert "use imagenet, none or such a file" in message


def test_imagenet_weights_that_cannot_be_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(**options: Any) -> None:
        raise Exception("URL fetch failure: no route to host")

    monkeypatch.setattr(keras.applications, "MobileNetV2", offline)
    message = refusal("imagenet")
    assert "weights PATH" in message
    assert "weights none" in message
