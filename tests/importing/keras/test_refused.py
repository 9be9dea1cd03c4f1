"""Keras files of strangers: nothing of them is run, and what cannot be read is said in one line."""

import io
import json
import random
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import h5py
import keras as keras3
import numpy as np
import pytest

from edgefashion.errors import BadInput
from edgefashion.escaping import visible
from edgefashion.importing.reading import read_model
from edgefashion.tensorflow import keras as keras2
from edgefashion.tensorflow import tf
from tests.models.test_weights import packed

PACKAGES = {"Keras 3": keras3, "Keras 2": keras2}
CONFIG, WEIGHTS = "config.json", "model.weights.h5"
Json = dict[str, Any]


def classifier(keras: Any) -> Any:
    image = keras.Input((8, 8, 3))
    tensor = keras.layers.Flatten(name="flat")(keras.layers.Conv2D(4, 3, name="first")(image))
    return keras.Model(image, keras.layers.Dense(3, name="last")(tensor))


@pytest.fixture(params=PACKAGES)
def keras(request: pytest.FixtureRequest) -> Any:
    """Each Keras in turn."""
    return PACKAGES[request.param]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Files of a small classifier, by the Keras and the ending."""
    folder = tmp_path_factory.mktemp("sound")
    found = {}
    for name, package in PACKAGES.items():
        for suffix in (".keras", ".h5"):
            classifier(package).save(folder / f"model{suffix}")
            found[name + suffix] = (folder / f"model{suffix}").read_bytes()
    return found


def refusal(path: Path, content: bytes | None = None, size: tuple[int, int] | None = None) -> str:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput) as refused:
        read_model(path, size)
    message = str(refused.value)
    assert message.startswith(str(path))
    assert message == visible(message)
    assert len(message) < 1000 + len(str(path))
    return message


def entries(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_config(content: bytes, change: Callable[[Json], object]) -> bytes:
    found = entries(content)
    config = json.loads(found[CONFIG])
    change(config)
    return packed({**found, CONFIG: json.dumps(config).encode()})


def with_weights(content: bytes, change: Callable[[h5py.File], object]) -> bytes:
    found = entries(content)
    return packed({**found, WEIGHTS: in_hdf5(found[WEIGHTS], change)})


def in_hdf5(content: bytes, change: Callable[[h5py.File], object]) -> bytes:
    file = io.BytesIO(content)
    with h5py.File(file, "r+") as opened:
        change(opened)
    return file.getvalue()


def layers_of(config: Json) -> list[Json]:
    found: list[Json] = config["config"]["layers"]
    return found


# What would run code


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_code_of_a_file_is_not_run_and_all_that_is_in_the_way_is_named(
    keras: Any, suffix: str, tmp_path: Path
) -> None:
    touched, path = tmp_path / "touched", tmp_path / f"model{suffix}"

    def touch(values: Any, path: str = str(touched)) -> Any:
        __import__("pathlib").Path(path).touch()
        return values

    class Own(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def call(self, values: Any) -> Any:
            return values

    image = keras.Input((8, 8, 3))
    tensor = keras.layers.Lambda(touch, output_shape=(8, 8, 3))(image)
    tensor = keras.layers.LayerNormalization()(
        Own()(keras.layers.Lambda(touch, output_shape=(8, 8, 3))(tensor))
    )
    keras.Model(image, keras.layers.Dense(3)(keras.layers.Flatten()(tensor))).save(path)
    touched.unlink(missing_ok=True)
    message = refusal(path)
    assert "Lambda, whose code is not run (2)" in message
    assert "Own (1)" in message
    assert "LayerNormalization (1)" in message
    assert not touched.exists()


def test_a_function_of_tensorflow_is_not_called(tmp_path: Path) -> None:
    source, target, path = tmp_path / "source", tmp_path / "target", tmp_path / "model.keras"
    source.touch()
    image = keras2.Input((8, 8, 3))
    model = keras2.Model(image, keras2.layers.Dense(3)(keras2.layers.Flatten()(tf.identity(image))))
    model.save(path)

    def copy(config: Json) -> None:
        (layer,) = [layer for layer in layers_of(config) if layer["class_name"] == "TFOpLambda"]
        layer["config"]["function"] = "io.gfile.copy"
        layer["inbound_nodes"] = [
            ["_CONSTANT_VALUE", -1, str(source), {"dst": str(target), "overwrite": True}]
        ]

    message = refusal(path, with_config(path.read_bytes(), copy))
    assert "tf.io.gfile.copy (1)" in message
    assert not target.exists()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"registered_name": "evil>Conv2D"}, "evil>Conv2D (1)"),
        ({"module": "antigravity", "registered_name": "Conv2D"}, "antigravity.Conv2D (1)"),
        ({"class_name": "\x1b[2JConv2D"}, "\\x1b[2JConv2D (1)"),
    ],
)
def test_classes_of_others_are_refused_by_their_names(
    keras: Any, sound: dict[str, bytes], tmp_path: Path, change: Json, name: str
) -> None:
    content = sound[f"{'Keras 3' if keras is keras3 else 'Keras 2'}.keras"]
    message = refusal(
        tmp_path / "model.keras", with_config(content, lambda config: layers_of(config)[1].update(change))
    )
    assert name in message


def test_what_a_file_says_of_building_and_compiling_is_not_looked_at(
    keras: Any, sound: dict[str, bytes], tmp_path: Path
) -> None:
    content = sound[f"{'Keras 3' if keras is keras3 else 'Keras 2'}.keras"]
    code = {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "eval"}
    initializer = {
        "module": "os",
        "class_name": "system",
        "config": {"command": "false"},
        "registered_name": None,
    }

    def add(config: Json) -> None:
        config["build_config"] = config["compile_config"] = {
            "optimizer": code,
            "loss": {"class_name": "__lambda__"},
        }
        layers_of(config)[1]["build_config"] = code
        layers_of(config)[1]["config"].update(kernel_initializer=initializer, kernel_regularizer=code)

    paths = tmp_path / "sound.keras", tmp_path / "model.keras"
    for path, made in zip(paths, (content, with_config(content, add)), strict=True):
        path.write_bytes(made)
    one, other = (read_model(path).model.get_weights() for path in paths)
    for found, wanted in zip(other, one, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_the_code_of_a_model_class_is_not_run(keras: Any, tmp_path: Path) -> None:
    class Own(keras.Model):  # type: ignore[misc, name-defined]
        pass

    image = keras.Input((8, 8, 3))
    Own(image, keras.layers.Flatten()(image)).save(tmp_path / "model.keras")
    assert "Own, whose code would have to be run" in refusal(tmp_path / "model.keras")


# What a configuration may say


def circle(config: Json) -> None:
    first, second = layers_of(config)[1:3]
    first["inbound_nodes"] = json.loads(json.dumps(second["inbound_nodes"]).replace("first", "flat"))


def deep(config: Json) -> None:
    inner = config["config"]
    for _ in range(40):
        inner = {"name": "in", "layers": [{"class_name": "Sequential", "name": "in", "config": inner}]}
    config.update(class_name="Sequential", config=inner)


def huge(config: Json) -> None:
    template = layers_of(config)[2]
    config["class_name"] = "Sequential"
    for number in range(12_000):
        layers_of(config).append({**template, "name": f"n{number}", "config": {"name": f"n{number}"}})


def several_inputs(config: Json) -> None:
    config["config"]["input_layers"] = [["a", 0, 0], ["b", 0, 0]]


def several_outputs(config: Json) -> None:
    config["config"]["output_layers"] = [["first", 0, 0], ["last", 0, 0]]


CHANGES: dict[str, tuple[Callable[[Json], object], str]] = {
    "a circle": (circle, "read each other in a circle"),
    "deep": (deep, "nests deeper than 64 levels"),
    "huge": (huge, "has more than 10,000 layers"),
    "two inputs": (several_inputs, "has 2 inputs, and a classifier of pictures has one"),
    "two outputs": (several_outputs, "has 2 outputs, and a classifier of pictures has one"),
    "an image as output": (
        lambda config: config["config"].update(output_layers=["first", 0, 0]),
        "gives [N, 6, 6, 4] for a picture",
    ),
    "a sequence": (
        lambda config: layers_of(config)[0]["config"].update(batch_shape=[None, None, 12]),
        "takes [?, ?, 12], not pictures",
    ),
    "open edges": (
        lambda config: layers_of(config)[0]["config"].update(batch_shape=[None, None, None, 3]),
        "leaves the height and width of its pictures open",
    ),
    "a layer that is not there": (
        lambda config: config["config"].update(output_layers=["\x1b[2J", 0, 0]),
        "is damaged or no Keras model",
    ),
    "two layers of one name": (lambda config: layers_of(config)[2].update(name="first"), "have one name"),
    "no layers": (lambda config: config["config"].update(layers=None), "is damaged or no Keras model"),
    "channels first": (
        lambda config: layers_of(config)[1]["config"].update(data_format="channels_first"),
        "Conv2D with its channels first (1)",
    ),
    "channels first in a row": (
        lambda config: layers_of(config)[2]["config"].update(data_format="channels_first"),
        "Flatten with its channels first (1)",
    ),
    "an activation of others": (
        lambda config: layers_of(config)[1]["config"].update(
            activation={
                "module": "builtins",
                "class_name": "function",
                "config": "mine",
                "registered_name": "mine",
            }
        ),
        "Conv2D with the activation mine (1)",
    ),
    "quantized": (
        lambda config: layers_of(config)[3]["config"].update(dtype={"config": {"name": "int8_from_float32"}}),
        "is quantized already",
    ),
    "a softmax inside": (
        lambda config: layers_of(config)[1]["config"].update(activation="softmax"),
        "Conv2D inside the model (1)",
    ),
    "huge kernels": (
        lambda config: layers_of(config)[1]["config"].update(filters=1 << 60),
        "is damaged or no Keras model",
    ),
}


def behind(operation: Callable[[Any], Any], keras: Any, path: Path) -> Path:
    """A classifier whose image goes through a convolution and an operation."""
    layers, image = keras.layers, keras.Input((8, 8, 3))
    pooled = layers.GlobalAveragePooling2D()(operation(layers.Conv2D(4, 3)(image)))
    keras.Model(image, layers.Dense(3)(pooled)).save(path)
    return path


ops, cropping = keras3.ops, {"crop_to_aspect_ratio": True}
INSIDE: dict[str, tuple[Any, Callable[[Any], Any], str]] = {
    "a steeper silu": (keras2, lambda x: tf.nn.silu(x, beta=1.702), "Silu with beta"),
    "a flatter elu": (keras3, lambda x: ops.elu(x, alpha=0.5), "Elu with alpha"),
    "integers": (keras3, lambda x: ops.cast(ops.cast(x, "int32"), "float32"), "Cast to int32"),
    "bytes": (keras3, lambda x: ops.cast(x, "uint8"), "Cast to uint8"),
    "truth": (keras2, lambda x: tf.cast(tf.cast(x, "bool"), "float32"), "Cast to bool"),
    "an array beside it": (
        keras3,
        lambda x: ops.concatenate([x, np.ones((1, 2, 6, 4), np.float32)], axis=1),
        "Concatenate with a constant",
    ),
    "a resizing that crops": (
        keras3,
        lambda x: keras3.layers.Resizing(12, 18, **cropping)(x),
        "Resizing inside the model, with crop_to_aspect_ratio",
    ),
}


@pytest.mark.parametrize("case", INSIDE)
def test_options_that_are_not_understood_are_refused_by_their_names(tmp_path: Path, case: str) -> None:
    keras, operation, reason = INSIDE[case]
    assert f"{reason} (1)" in refusal(behind(operation, keras, tmp_path / "model.keras"))


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "softmax", "tanh"])
def test_activations_behind_a_softmax_are_refused(activation: str, tmp_path: Path) -> None:
    layers, path = keras3.layers, tmp_path / "model.keras"
    last = [layers.Flatten(), layers.Dense(3), layers.Softmax(), layers.Activation(activation)]
    keras3.Sequential([layers.Input((8, 8, 3)), *last]).save(path)
    assert "Activation behind a softmax (1)" in refusal(path)


@pytest.mark.parametrize("case", CHANGES)
def test_configurations_that_are_refused(sound: dict[str, bytes], tmp_path: Path, case: str) -> None:
    change, reason = CHANGES[case]
    assert reason in refusal(tmp_path / "model.keras", with_config(sound["Keras 3.keras"], change))


@pytest.mark.parametrize("version", [b"{}", b'{"keras_version": ""}', None])
@pytest.mark.parametrize("name", PACKAGES)
def test_which_keras_wrote_a_file_that_does_not_say_it_is_seen_in_it(
    sound: dict[str, bytes], tmp_path: Path, name: str, version: bytes | None
) -> None:
    found = entries(sound[name + ".keras"])
    found.pop("metadata.json")
    path = tmp_path / "m.keras"
    path.write_bytes(packed(found | ({"metadata.json": version} if version else {})))
    assert read_model(path).format == name
    config = found[CONFIG].replace(b'"batch_shape"', b'"x"').replace(b'"batch_input_shape"', b'"x"')
    assert "does not say which Keras wrote it" in refusal(path, packed({**found, CONFIG: config}))


def test_names_with_control_characters_are_made_plain(sound: dict[str, bytes], tmp_path: Path) -> None:
    evil = "\\u001b]0;x\\u0007"
    found = entries(sound["Keras 2.keras"])
    path = tmp_path / "model.keras"
    path.write_bytes(packed({**found, CONFIG: found[CONFIG].replace(b'"first"', f'"{evil}"'.encode())}))
    assert [layer.name for layer in read_model(path).model.layers] == ["image", "0_x", "flat", "last"]


# What weights may be

FIRST = {".keras": "layers/conv2d/vars/0", ".h5": "model_weights/first/first/kernel:0"}
SHAPE = (3, 3, 3, 4)


def replaced(file: h5py.File, name: str, value: Any) -> None:
    del file[name]
    if value is not None:
        file[name] = value


def dataset(file: h5py.File, name: str, shape: Any = SHAPE, dtype: Any = np.float32, **options: Any) -> None:
    del file[name]
    file.create_dataset(name, shape, dtype, **options)


ARRAYS: dict[str, tuple[Callable[[h5py.File, str], object], str]] = {
    "gone": (lambda file, name: replaced(file, name, None), ""),
    "a link into another file": (
        lambda file, name: replaced(file, name, h5py.ExternalLink("/etc/passwd", "x")),
        "it lacks",
    ),
    "a link": (lambda file, name: replaced(file, name, h5py.SoftLink("/elsewhere")), "it lacks"),
    "another shape": (
        lambda file, name: dataset(file, name, (3, 3, 3, 5)),
        "a kernel has the shape [3, 3, 3, 5]",
    ),
    "more numbers than there are": (
        lambda file, name: dataset(file, name, (1 << 30,), chunks=(1 << 20,), compression="gzip"),
        "has more numbers than its file can hold",
    ),
    "chunks larger than the array": (
        lambda file, name: dataset(file, name, maxshape=(None,) * 4, chunks=(1 << 9, 1 << 9, 8, 128)),
        "has more numbers than its file can hold",
    ),
    "integers": (
        lambda file, name: dataset(file, name, dtype=np.int8),
        "of the type int8 instead of numbers",
    ),
    "texts": (lambda file, name: dataset(file, name, dtype=h5py.string_dtype()), "of the type object"),
    "in another file": (
        lambda file, name: dataset(file, name, external=[("/etc/passwd", 0, 432)]),
        "does not lie in the file",
    ),
    "no numbers": (
        lambda file, name: replaced(file, name, np.full(SHAPE, np.nan, np.float32)),
        "holds numbers that are not finite",
    ),
}


@pytest.mark.parametrize("suffix", FIRST)
@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_that_are_refused(sound: dict[str, bytes], tmp_path: Path, case: str, suffix: str) -> None:
    change, reason = ARRAYS[case]
    rewrite = with_weights if suffix == ".keras" else in_hdf5
    made = rewrite(sound[f"Keras 2{suffix}"], lambda file: change(file, FIRST[suffix]))
    assert reason in refusal(tmp_path / f"model{suffix}", made)


def test_weights_of_layers_that_are_called_otherwise_are_refused(
    sound: dict[str, bytes], tmp_path: Path
) -> None:
    """A file whose order is another must not end in a model that is wrong."""

    def exchange(file: h5py.File) -> None:
        attributes = file["model_weights/first"].attrs
        attributes["weight_names"] = attributes["weight_names"][::-1]

    message = refusal(tmp_path / "model.h5", in_hdf5(sound["Keras 3.h5"], exchange))
    assert "has the weights bias, kernel instead of kernel, bias" in message

    def rename(file: h5py.File) -> None:
        file["layers/conv2d/vars"].attrs["name"] = "other"

    made = with_weights(sound["Keras 3.keras"], rename)
    assert "has 2 arrays of other, and first takes 2" in refusal(tmp_path / "model.keras", made)


# What a file may be


def test_a_zip_that_holds_too_much_is_not_unpacked(sound: dict[str, bytes], tmp_path: Path) -> None:
    found = entries(sound["Keras 3.keras"])
    bombs = {CONFIG: b" " * (33 << 20), WEIGHTS: found[WEIGHTS] + bytes(80 << 20)}
    for name, bomb in bombs.items():
        made = packed({**found, name: bomb}, zipfile.ZIP_DEFLATED)
        assert "unpacks to more than a model of its size" in refusal(tmp_path / "model.keras", made)


def test_files_that_are_no_whole_models(keras: Any, tmp_path: Path) -> None:
    model, path = classifier(keras), tmp_path / "model.weights.h5"
    model.save_weights(path)
    assert "has weights and no model: save the whole model" in refusal(path)
    assert "lacks config.json and model.weights.h5" in refusal(tmp_path / "a.keras", packed({"x": b""}))
    assert "damaged" in refusal(tmp_path / "a.keras", b"PK\x03\x04")
    assert "damaged" in refusal(tmp_path / "a.h5", b"\x89HDF\r\n\x1a\n")


@pytest.mark.parametrize("name", ["Keras 3.keras", "Keras 2.h5"])
def test_damaged_bytes_end_in_one_line_or_in_a_model(
    sound: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    chance, path = random.Random(0), tmp_path / name
    for _ in range(20):
        content = bytearray(sound[name])
        for _ in range(chance.choice([1, 4, 64])):
            content[chance.randrange(len(content))] = chance.randrange(256)
        del content[chance.choice([len(content), chance.randrange(len(content))]) :]
        path.write_bytes(content)
        try:
            read_model(path)
        except BadInput as error:
            assert str(error) == visible(str(error))


@pytest.mark.parametrize("name", ["Keras 3.keras", "Keras 2.keras"])
def test_a_configuration_with_a_wrong_value_ends_in_one_line_or_in_a_model(
    sound: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[3] / "tools/bench")
    mutated = import_module("mutations").mutated
    found, path = entries(sound[name]), tmp_path / name
    config = json.loads(found[CONFIG])
    for seed in range(20):
        content = json.dumps(mutated(config, random.Random(seed))).encode()
        path.write_bytes(packed({**found, CONFIG: content}))
        try:
            read_model(path)
        except BadInput as error:
            assert str(error) == visible(str(error))
