from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgefashion.zoo
from edgefashion.errors import BadInput, VerificationError
from edgefashion.importing import answers, drawn
from edgefashion.importing.network.imported import Imported, Preprocessing
from edgefashion.importing.tflite import file as tflite_file
from edgefashion.models.activations import HardSigmoid, HardSwish
from edgefashion.tensorflow import keras, tf

layers = keras.layers


def net() -> keras.Model:
    """A small classifier with a layer of each kind that files of this format have."""
    keras.utils.set_random_seed(3)
    image = keras.Input((16, 18, 3))
    x = layers.Rescaling(1 / 127.5, -1)(image)
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = layers.Conv2D(8, 3, 2, use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    y = HardSwish()(layers.DepthwiseConv2D(3, padding="same")(x))
    z = layers.GlobalAveragePooling2D(keepdims=True)(y)
    z = HardSigmoid()(layers.Conv2D(8, 1)(layers.Conv2D(4, 1, activation="relu")(z)))
    x = layers.Add()([layers.Multiply()([y, z]), x])
    x = layers.Concatenate()([layers.Conv2D(8, 3, padding="same")(x), x])
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Activation("swish")(
        layers.AveragePooling2D(3, 2, "same")(layers.MaxPooling2D(3, 1, "same")(x))
    )
    x = layers.LeakyReLU(0.2)(layers.Conv2D(8, 3, groups=2)(x))
    x = layers.Dense(7, activation="gelu")(layers.Flatten()(x))
    model = keras.Model(image, layers.Dense(5, activation="softmax")(x))
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([np.abs(weight + 0.3) for weight in layer.get_weights()])
    return model


@pytest.fixture(scope="module")
def convert(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The net as a `.tflite` file, by what is told to the converter."""
    folder, model = tmp_path_factory.mktemp("files"), net()

    def converted(name: str, **told: Any) -> Path:
        path = folder / f"{name}.tflite"
        if not path.exists():
            converter = tf.lite.TFLiteConverter.from_keras_model(model)
            if told:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
                converter.target_spec.supported_types = told["types"]
            path.write_bytes(converter.convert())
        return path

    return converted


def read(path: Path) -> Imported:
    return drawn.imported(path, tflite_file.read(path))


IMAGES = np.random.default_rng(0).integers(0, 256, (5, 16, 18, 3)).astype(np.float32) / np.float32(127.5) - 1


@pytest.mark.parametrize("types", [[], [tf.float16]])
def test_a_file_is_read_as_it_answers(convert: Callable[..., Path], types: list[Any]) -> None:
    found = read(convert("float16", types=types) if types else convert("float32"))
    assert answers.check_reading(found, IMAGES) < 1e-5
    assert found.ending == "softmax"
    assert found.size == (16, 18)
    assert found.preprocessing == Preprocessing((pytest.approx(1 / 127.5, rel=1e-4),), (pytest.approx(-1.0),))
    kinds = Counter(type(layer).__name__ for layer in found.model.layers)
    assert kinds["HardSwish"] == kinds["HardSigmoid"] == kinds["LeakyReLU"] == 1
    assert kinds["DepthwiseConv2D"] == (3 if types else 2)  # one was a batch norm, one 6 times 1/6 in half


def test_a_reading_that_answers_otherwise_is_an_error(convert: Callable[..., Path]) -> None:
    found = read(convert("float32"))
    kernel, bias = found.model.layers[-1].get_weights()
    found.model.layers[-1].set_weights([kernel * 1.01, bias])
    with pytest.raises(VerificationError, match="does not answer as the file does"):
        answers.check_reading(found, IMAGES)


def test_a_quantized_file_is_refused() -> None:
    path = Path(edgefashion.zoo.__file__).parent / "cnn-64k-int8-qat.tflite"
    with pytest.raises(BadInput, match="quantized already"):
        tflite_file.read(path)


def test_a_damaged_file_is_refused(convert: Callable[..., Path], tmp_path: Path) -> None:
    whole, path = bytearray(convert("float32").read_bytes()), tmp_path / "m.tflite"
    random = np.random.default_rng(0)
    for _ in range(60):
        hurt = bytearray(whole)
        for place in random.integers(8, len(hurt), 12):
            hurt[place] = random.integers(0, 256)
        path.write_bytes(hurt)
        try:
            tflite_file.read(path)
        except BadInput as error:
            assert str(error).isprintable()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="damaged"):
        tflite_file.read(path)
