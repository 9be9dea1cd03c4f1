"""Keras files, of Keras 3 and of Keras 2: what is read of them answers as Keras does."""

import io
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import keras as keras3
import numpy as np
import pytest

from edgefashion.importing.network.imported import Imported
from edgefashion.importing.reading import read_model
from edgefashion.models.activations import HardSigmoid, HardSwish
from edgefashion.tensorflow import keras as keras2
from edgefashion.tensorflow import tf

PACKAGES = {"Keras 3": keras3, "Keras 2": keras2}
EDGE = 16
Make = Callable[[Any], Any]
Read = Callable[[Any, Make, str], tuple[Imported, Path]]


@pytest.fixture(params=PACKAGES)
def keras(request: pytest.FixtureRequest) -> Any:
    """Each Keras in turn."""
    return PACKAGES[request.param]


def randomized(model: Any) -> Any:
    """With statistics and slopes that are not those of a new model."""
    chance = np.random.default_rng(0)
    model.set_weights([value + chance.uniform(0.1, 0.5, value.shape) for value in model.get_weights()])
    return model


def pixels(model: Any) -> Any:
    shape = [edge or EDGE for edge in model.input_shape[1:]]
    return np.random.default_rng(1).integers(0, 256, (5, *shape)).astype(np.float32)


def answers(found: Imported, images: Any) -> Any:
    """What the model that was read says, as its file ends, to raw pixels."""
    images = images.reshape(len(images), *found.model.input_shape[1:])
    logits = found.model(found.preprocessing.apply(images) if found.preprocessing else images).numpy()
    return {"softmax": tf.nn.softmax, "sigmoid": tf.nn.sigmoid, "logits": tf.identity}[found.ending](logits)


def check(model: Any, path: Path, size: tuple[int, int] | None = None) -> Imported:
    """Save, read and compare; two logits of a single one have its sigmoid as their softmax."""
    model.save(path)
    found = read_model(path, size)
    wanted = np.asarray(model(pixels(model), training=False))
    if wanted.shape[1] == 1:
        logits = found.model(
            pixels(model) if found.preprocessing is None else found.preprocessing.apply(pixels(model))
        )
        last = np.asarray(tf.nn.softmax(logits))[:, 1:]
        np.testing.assert_allclose(
            last, wanted if found.ending == "sigmoid" else 1 / (1 + np.exp(-wanted)), atol=1e-5
        )
    else:
        np.testing.assert_allclose(answers(found, pixels(model)), wanted, rtol=1e-3, atol=1e-4 * wanted.std())
    return found


def tutorial(keras: Any) -> Any:
    """A backbone under a head, augmentation and preprocessing inside."""
    layers = keras.layers
    image = keras.Input((EDGE, EDGE, 3))
    tensor = layers.BatchNormalization()(layers.Conv2D(8, 3, strides=2, use_bias=False, name="first")(image))
    tensor = layers.Conv2D(8, 1)(layers.ReLU(6.0)(tensor))
    base = keras.Model(
        image, layers.Add()([tensor, layers.DepthwiseConv2D(3, padding="same")(tensor)]), name="base"
    )
    base.trainable = False
    image = keras.Input((EDGE, EDGE, 3))
    augmented = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.1)])(image)
    tensor = base(keras.applications.mobilenet_v2.preprocess_input(augmented), training=False)
    tensor = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(tensor))
    tensor = layers.BatchNormalization()(layers.Dense(6, activation="relu")(tensor))
    return keras.Model(image, layers.Dense(4)(tensor))


def many_layers(keras: Any) -> Any:
    """Most kinds of layers, and a softmax."""
    layers = keras.layers
    image = keras.Input((EDGE, EDGE, 3))
    tensor = layers.Rescaling([1 / 255, 1 / 254, 1 / 253], [0, 0.1, 0.2])(image)
    tensor = layers.Normalization(mean=[0.4, 0.5, 0.6], variance=[0.1, 0.2, 0.3])(tensor)
    tensor = layers.ZeroPadding2D(((0, 1), (1, 0)))(tensor)
    tensor = layers.SeparableConv2D(6, 3, padding="same", activation="swish", dilation_rate=2)(tensor)
    tensor = layers.PReLU(shared_axes=[1, 2])(tensor)
    tensor = layers.Conv2D(8, 3, groups=2, activation="hard_sigmoid")(layers.AveragePooling2D(2, 1)(tensor))
    tensor = layers.LeakyReLU()(layers.UpSampling2D(2)(tensor))
    pooled = layers.GlobalAveragePooling2D(keepdims=True)(tensor)
    excited = layers.Conv2D(8, 1, activation="sigmoid")(layers.Conv2D(2, 1, activation="relu")(pooled))
    tensor = layers.Multiply()([tensor, excited])
    tensor = layers.Concatenate()([layers.MaxPooling2D(2)(tensor), layers.AveragePooling2D(2)(tensor)])
    tensor = layers.Cropping2D(((1, 0), (0, 2)))(layers.Activation("tanh")(tensor))
    tensor = layers.Flatten()(layers.Permute((3, 1, 2))(layers.Reshape((-1, 6, 16))(tensor)))
    return keras.Model(image, layers.Dense(4, activation="softmax")(tensor))


def operators(keras: Any) -> Any:
    """Operators between layers, among them those that make a hard swish, and a function at the end."""
    layers = keras.layers
    functions = keras.ops if keras is keras3 else tf.nn
    image = keras.Input((EDGE, EDGE, 3))
    tensor = keras.applications.densenet.preprocess_input(image)
    tensor = layers.Conv2D(8, 3)(tensor)
    tensor = tensor * (functions.relu6(tensor + 3.0) * (1 / 6))
    tensor = layers.Conv2D(8, 1)(3.0 - tensor * 0.5)
    tensor = layers.Conv2D(8, 1)(functions.elu(tensor))
    tensor = layers.Conv2D(8, 1)(tensor * functions.sigmoid(tensor) + tensor / 4)
    tensor = layers.Multiply()([tensor, layers.ReLU(6.0)(tensor + 3.0) * (1 / 6)])
    tensor = layers.GlobalMaxPooling2D()(tensor[:, 1:, :-2])
    return keras.Model(image, functions.softmax(layers.Dense(4)(-tensor)))


def blue_first(keras: Any) -> Any:
    """The preprocessing of ResNet50, and a single sigmoid."""
    image = keras.Input((EDGE, EDGE, 3))
    tensor = keras.layers.Conv2D(4, 3)(keras.applications.resnet50.preprocess_input(image) / 64.0)
    return keras.Model(image, keras.layers.Dense(1, activation="sigmoid")(keras.layers.Flatten()(tensor)))


def chain(keras: Any) -> Any:
    """A Sequential of gray images without channels, with another inside."""
    layers = keras.layers
    inner = keras.Sequential([layers.Dense(8, activation=layers.ReLU()), layers.Dropout(0.2)])
    first = [layers.Input((EDGE, EDGE)), layers.Rescaling(1 / 255), layers.Flatten()]
    return keras.Sequential([*first, inner, layers.Dense(3, activation="sigmoid")])


MODELS = {
    tutorial: ["Conv2D", "BatchNormalization", "ReLU", "Conv2D", "DepthwiseConv2D", "Add"],
    many_layers: ["ZeroPadding2D", "DepthwiseConv2D", "Conv2D", "Activation", "PReLU"],
    operators: ["Conv2D"],
    blue_first: ["Conv2D", "Flatten", "Dense"],
    chain: [],
}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """read(keras, make, suffix): what is read of such a file, once compared, and the file."""

    @cache
    def once(keras: Any, make: Make, suffix: str) -> tuple[Imported, Path]:
        path = tmp_path_factory.mktemp("file") / f"model{suffix}"
        return check(randomized(make(keras)), path), path

    return once


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_what_is_read_answers_as_keras_does(keras: Any, make: Make, suffix: str, read: Read) -> None:
    if make is blue_first and keras is keras2 and suffix == ".keras":
        pytest.skip("Keras 2 cannot save this so itself")
    found, _ = read(keras, make, suffix)
    assert PACKAGES[found.format] is keras
    kinds = [type(layer).__name__ for layer in found.model.layers[1:]]
    assert kinds[: len(MODELS[make])] == MODELS[make]
    assert found.size == (EDGE, EDGE)


def test_hard_swishes_are_found_in_operators(keras: Any, read: Read) -> None:
    found, _ = read(keras, operators, ".keras")
    kinds = [type(layer).__name__ for layer in found.model.layers]
    assert kinds.count("HardSwish") == 2
    assert found.ending == "softmax"


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_what_was_kept_of_a_model_is_read_again(suffix: str, tmp_path: Path) -> None:
    image = keras2.Input((EDGE, EDGE, 3))
    tensor = HardSigmoid()(HardSwish()(keras2.layers.Conv2D(4, 3)(image)))
    tensor = keras2.layers.GlobalAveragePooling2D()(tensor)
    found = check(keras2.Model(image, keras2.layers.Dense(4)(tensor)), tmp_path / f"model{suffix}")
    assert {"HardSwish", "HardSigmoid"} < {type(layer).__name__ for layer in found.model.layers}


def test_preprocessing_inside_a_file_is_taken_off(keras: Any, read: Read) -> None:
    found, _ = read(keras, tutorial, ".keras")
    assert found.preprocessing is not None
    np.testing.assert_allclose(
        (*found.preprocessing.scale, *found.preprocessing.offset), (1 / 127.5, -1), rtol=1e-6
    )
    assert "RandomFlip, RandomRotation, Dropout" in found.notes[-1]
    blue = read(keras, blue_first, ".h5")[0].preprocessing
    assert blue is not None
    assert blue.bgr
    np.testing.assert_allclose(np.multiply(blue.offset, 64), (-103.939, -116.779, -123.68), rtol=1e-5)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_statistics_that_were_adapted_are_in_the_preprocessing(
    keras: Any, suffix: str, tmp_path: Path
) -> None:
    normalization = keras.layers.Normalization()
    normalization.adapt(np.random.default_rng(0).normal(100, 30, (9, EDGE, EDGE, 3)).astype(np.float32))
    layers = [keras.layers.Input((EDGE, EDGE, 3)), normalization, keras.layers.Conv2D(4, 3)]
    model = keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(3)])
    assert check(model, tmp_path / f"model{suffix}").preprocessing is not None


def test_a_file_that_leaves_the_size_open_is_read_for_one(keras: Any, tmp_path: Path) -> None:
    image = keras.Input((None, None, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(image))
    found = check(keras.Model(image, keras.layers.Dense(3)(pooled)), tmp_path / "model.keras", (EDGE, EDGE))
    assert found.size is None
    assert found.model.input_shape == (None, EDGE, EDGE, 3)


def test_a_resizing_at_the_beginning_says_the_size(keras: Any, tmp_path: Path) -> None:
    layers = [
        keras.layers.Input((None, None, 3)),
        keras.layers.Resizing(EDGE, EDGE, crop_to_aspect_ratio=True),
        keras.layers.Conv2D(4, 3),
    ]
    keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(3)]).save(tmp_path / "model.keras")
    found = read_model(tmp_path / "model.keras")
    assert found.size == (EDGE, EDGE)
    assert f"it resizes its images to {EDGE}x{EDGE} (bilinear, crop_to_aspect_ratio)" in found.notes[0]


def check_same(one: Imported, other: Imported) -> None:
    for found, wanted in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("compression", ["gzip", "lzf"])
def test_arrays_that_were_compressed_are_read(compression: str, read: Read, tmp_path: Path) -> None:
    (plain, path), packed = read(keras2, tutorial, ".h5"), tmp_path / "packed.h5"
    with h5py.File(path) as given, h5py.File(packed, "w") as made:
        made.attrs.update(given.attrs)

        def copy(name: str, member: Any) -> None:
            if isinstance(member, h5py.Dataset):
                made.create_dataset(name, data=member[()], compression=compression, shuffle=True)
            else:
                made.require_group(name).attrs.update(member.attrs)

        given.visititems(copy)
    check_same(read_model(packed), plain)


def test_archives_of_keras_2_13_are_read(read: Read, tmp_path: Path) -> None:
    """Their layers stand in another group, in which those with weights are counted twice."""
    (plain, path), older = read(keras2, tutorial, ".keras"), tmp_path / "older.keras"
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(older, "w") as made:
        for name in given.namelist():
            content = given.read(name)
            made.writestr(name, as_in_2_13(content) if name.endswith(".h5") else content)
    check_same(read_model(older), plain)


def as_in_2_13(weights: bytes) -> bytes:
    file = io.BytesIO(weights)
    with h5py.File(file, "r+") as opened:
        for group in (opened["layers/functional"], opened):
            group.move("layers", "_layer_checkpoint_dependencies")
            layers = group["_layer_checkpoint_dependencies"]
            for name in sorted(layers, key=len, reverse=True):
                kind, _, number = name.rpartition("_")
                if number.isdigit() and len(layers[f"{name}/vars"]):
                    layers.move(name, f"{kind}_{2 * int(number)}")
    return file.getvalue()
