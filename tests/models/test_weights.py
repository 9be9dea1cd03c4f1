"""Run folders and files of weights of others: numbers are taken from them, and no code is run."""

import io
import json
import os
import random
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from msgspec import structs

from edgefashion import files
from edgefashion.cli import main
from edgefashion.data import FASHION_MNIST
from edgefashion.errors import BadInput, RunError
from edgefashion.escaping import visible
from edgefashion.models import mobilenetv2
from edgefashion.models.mobilenetv2 import build
from edgefashion.models.weights import CONFIG, WEIGHTS
from edgefashion.tensorflow import keras, tf
from edgefashion.training import runs
from edgefashion.training.runs import Run
from edgefashion.training.trained import load_model

Stranger = Callable[[bytes], Run]


@pytest.fixture
def stranger(trained: Run, tmp_path: Path) -> Stranger:
    """A run that differs from `trained` in the file of its model; the checksum is that of the file."""

    def make(content: bytes) -> Run:
        folder = tmp_path / "runs/cnn"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / runs.MODEL).write_bytes(content)
        digest = files.sha256(folder / runs.MODEL)
        model = structs.replace(trained.info.model, sha256=digest)
        info = structs.replace(trained.info, id=digest[:12], model=model)
        files.write_json(folder / runs.INFO, info.to_dict())
        return runs.read(folder)

    return make


def refusal(run: Run) -> str:
    with pytest.raises(RunError) as refused:
        load_model(run)
    message = str(refused.value)
    assert message.startswith(str(run.model_path))
    assert message == visible(message)
    return message


def entries(run: Run) -> dict[str, bytes]:
    with zipfile.ZipFile(run.model_path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(content: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, value in content.items():
            archive.writestr(name, value)
    return file.getvalue()


def saved(model: keras.Model, path: Path) -> bytes:
    model.save(path)
    return path.read_bytes()


def with_config(run: Run, change: Callable[[dict[str, Any]], object]) -> bytes:
    content = entries(run)
    config = json.loads(content[CONFIG])
    change(config)
    return packed({**content, CONFIG: json.dumps(config).encode()})


def with_weights(run: Run, change: Callable[[h5py.File], object]) -> bytes:
    content = entries(run)
    file = io.BytesIO(content[WEIGHTS])
    with h5py.File(file, "r+") as weights:
        change(weights)
    return packed({**content, WEIGHTS: file.getvalue()})


def test_a_model_has_the_weights_that_were_trained(trained: Run) -> None:
    expected = keras.models.load_model(trained.model_path, compile=False).get_weights()
    for found, wanted in zip(load_model(trained).get_weights(), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


# What would run code


def lambda_layer(path: Path) -> keras.Model:
    """Running it makes the file `path`."""

    def touch(values: Any, path: str = str(path)) -> Any:
        __import__("pathlib").Path(path).touch()
        return values

    layers = [keras.layers.Input((28, 28, 1)), keras.layers.Lambda(touch), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(10)])
    path.unlink()
    return model


def copying(source: Path, target: Path) -> keras.Model:
    """A model that names a function of TensorFlow which copies `source` to `target` when it is rebuilt."""
    image = keras.Input((28, 28, 1))
    flat = keras.layers.Flatten()(tf.identity(image))
    model = keras.Model(image, keras.layers.Dense(10)(flat))
    (layer,) = [each for each in model.layers if type(each).__name__ == "TFOpLambda"]
    config = layer.get_config

    def get_config() -> dict[str, Any]:
        return {**config(), "function": "io.gfile.copy"}

    layer.get_config = get_config
    for node in layer.inbound_nodes:
        node.call_args, node.call_kwargs = (str(source),), {"dst": str(target), "overwrite": True}
    return model


def lambda_in_hdf5(folder: Path, touched: Path) -> bytes:
    return saved(lambda_layer(touched), folder / "model.h5")


def lambda_in_a_zip(folder: Path, touched: Path) -> bytes:
    return saved(lambda_layer(touched), folder / "model.keras")


def function_of_tensorflow(folder: Path, touched: Path) -> bytes:
    source = folder / "source"
    source.touch()
    return saved(copying(source, touched), folder / "model.keras")


HOSTILE = {
    lambda_in_hdf5: "it is an HDF5 file, of which Keras would run code",
    lambda_in_a_zip: "a layer of the kind Lambda, which cnn does not have",
    function_of_tensorflow: "a layer of the kind TFOpLambda, which cnn does not have",
}


@pytest.mark.parametrize("make", HOSTILE, ids=lambda make: make.__name__)
def test_a_model_that_would_run_code_is_refused_by_name(
    stranger: Stranger, tmp_path: Path, make: Callable[[Path, Path], bytes]
) -> None:
    touched = tmp_path / "touched"
    assert HOSTILE[make] in refusal(stranger(make(tmp_path, touched)))
    assert not touched.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "cnn"),
        ("export",),
        ("train", "--from", "cnn"),
        ("train", "--qat", "cnn"),
        ("train", "--from", "cnn", "--prune", "0.5"),
        ("train", "--teacher", "cnn", "--name", "pupil"),
    ],
    ids=" ".join,
)
def test_no_verb_runs_code_of_a_run_folder(
    stranger: Stranger,
    sample_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    touched = tmp_path / "touched"
    run = stranger(lambda_in_hdf5(tmp_path, touched))
    root = str(run.folder.parent)
    with pytest.raises(SystemExit) as stopped:
        main([*arguments, "--runs", root, "--data", str(sample_folder)])
    assert stopped.value.code == 2
    assert "it is an HDF5 file" in capsys.readouterr().err.splitlines()[-1]
    assert not touched.exists()
    assert [path.name for path in run.folder.parent.iterdir() if not path.name.startswith(".")] == ["cnn"]


def test_classes_of_others_are_not_looked_up(trained: Run, stranger: Stranger) -> None:
    """Where kinds and weights are right, what the file says of modules is not obeyed."""

    def rename(config: dict[str, Any]) -> None:
        for layer in config["config"]["layers"]:
            layer |= {"module": "antigravity", "registered_name": "evil>Lambda"}

    run = stranger(with_config(trained, rename))
    np.testing.assert_array_equal(load_model(run).get_weights()[0], load_model(trained).get_weights()[0])


# What a file of weights may hold

FIRST = "layers/conv2d/vars/0"


def replaced(make: Callable[[h5py.File], object]) -> Callable[[h5py.File], None]:
    def change(weights: h5py.File) -> None:
        del weights[FIRST]
        make(weights)

    return change


def virtual(weights: h5py.File) -> None:
    layout = h5py.VirtualLayout((3, 3, 1, 32), np.float32)
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3, 3, 1, 32))
    weights.create_virtual_dataset(FIRST, layout)


SHAPE = (3, 3, 1, 32)
ARRAYS: dict[str, tuple[Callable[[h5py.File], object], str]] = {
    "gone": (lambda weights: None, f"it lacks {FIRST}"),
    "a link into another file": (
        lambda weights: weights.__setitem__(FIRST, h5py.ExternalLink("/etc/passwd", "x")),
        f"it lacks {FIRST}",
    ),
    "a link": (lambda weights: weights.__setitem__(FIRST, h5py.SoftLink("/elsewhere")), f"it lacks {FIRST}"),
    "a group": (lambda weights: weights.create_group(FIRST), f"{FIRST} is a group"),
    "another shape": (
        lambda weights: weights.create_dataset(FIRST, (3, 3, 1, 31), np.float32),
        f"{FIRST} is float32 (3, 3, 1, 31) instead of float32 (3, 3, 1, 32)",
    ),
    "a huge shape": (
        lambda weights: weights.create_dataset(FIRST, (1 << 40,), np.float32, chunks=(1024,)),
        f"{FIRST} is float32 (1099511627776,)",
    ),
    "another type": (
        lambda weights: weights.create_dataset(FIRST, SHAPE, np.float64),
        f"{FIRST} is float64 (3, 3, 1, 32) instead of float32 (3, 3, 1, 32)",
    ),
    "objects": (
        lambda weights: weights.create_dataset(FIRST, SHAPE, h5py.string_dtype()),
        f"{FIRST} is object",
    ),
    "in pieces": (
        lambda weights: weights.create_dataset(FIRST, SHAPE, np.float32, compression="gzip"),
        f"{FIRST} does not lie in the file",
    ),
    "in another file": (
        lambda weights: weights.create_dataset(FIRST, SHAPE, np.float32, external=[("/etc/passwd", 0, 1152)]),
        f"{FIRST} does not lie in the file",
    ),
    "made of others": (virtual, f"{FIRST} does not lie in the file"),
    "no numbers": (
        lambda weights: weights.create_dataset(FIRST, data=np.full(SHAPE, np.nan, np.float32)),
        f"{FIRST} holds numbers that are not finite",
    ),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_weights_that_are_not_those_of_the_model(trained: Run, stranger: Stranger, case: str) -> None:
    make, reason = ARRAYS[case]
    assert reason in refusal(stranger(with_weights(trained, replaced(make))))


def test_a_circle_of_groups_ends(trained: Run, stranger: Stranger) -> None:
    def tie(weights: h5py.File) -> None:
        del weights["layers"]
        weights["layers"] = weights["/"]

    assert "it lacks layers/conv2d/vars/0" in refusal(stranger(with_weights(trained, tie)))


# What a zip may hold


def test_a_zip_with_something_more(trained: Run, stranger: Stranger) -> None:
    run = stranger(packed({**entries(trained), "assets/\x1b[2J.txt": b"more"}))
    assert "instead of config.json, metadata.json, model.weights.h5" in refusal(run)


def test_a_zip_that_holds_too_much(trained: Run, stranger: Stranger) -> None:
    """A bomb is not unpacked further than a model of this kind may be large."""
    bomb = entries(trained)[WEIGHTS] + bytes(64 << 20)
    run = stranger(packed({**entries(trained), WEIGHTS: bomb}, zipfile.ZIP_DEFLATED))
    assert "model.weights.h5 has more than" in refusal(run)


def test_a_model_file_that_is_too_large(trained: Run, stranger: Stranger) -> None:
    run = stranger(b"")
    os.truncate(run.model_path, 1 << 33)
    assert "too many for the model of a run" in refusal(run)


def test_a_zip_of_another_compression(trained: Run, stranger: Stranger) -> None:
    run = stranger(packed(entries(trained), zipfile.ZIP_LZMA))
    assert "it uses a compression that Keras never does" in refusal(run)


@pytest.mark.parametrize(
    "config", [b"", b"[" * 100_000, b'{"config": {"layers": [1]}}', b'{"config": 1e999}']
)
def test_a_configuration_that_is_none(trained: Run, stranger: Stranger, config: bytes) -> None:
    assert "is no cnn of this project" in refusal(stranger(packed({**entries(trained), CONFIG: config})))


def test_a_model_of_another_architecture(trained: Run, stranger: Stranger) -> None:
    recipe = replace(trained.recipe, model="cnn-64k")
    run = Run(trained.folder, structs.replace(trained.info, recipe=recipe))
    assert "which cnn-64k does not have" in refusal(run)


@pytest.mark.parametrize("change", [{"model": "vgg"}, {"fine_tuning": "binarized"}, {"width": 1e6}])
def test_a_recipe_of_an_architecture_that_is_not_known(trained: Run, change: dict[str, Any]) -> None:
    run = Run(trained.folder, structs.replace(trained.info, recipe=replace(trained.recipe, **change)))
    with pytest.raises(RunError, match="has a model that is not known here"):
        load_model(run)


def test_a_task_whose_images_are_not_for_its_architecture(trained: Run) -> None:
    task = replace(trained.task, image_shape=(8, 8, 1)).to_record()
    with pytest.raises(BadInput, match="cnn takes images with edges of 10 to 1024 pixels"):
        load_model(Run(trained.folder, structs.replace(trained.info, task=task)))


def test_damaged_bytes_end_in_one_line_or_in_a_model(trained: Run, stranger: Stranger) -> None:
    """Most of the changes are where they hurt: in what is not weights."""
    whole, chance = trained.model_path.read_bytes(), random.Random(0)
    for _ in range(15):
        content = bytearray(whole)
        for _ in range(chance.choice([1, 4, 64])):
            place = chance.choice([chance.randrange(12_000), -1 - chance.randrange(2_000)])
            content[place] = chance.randrange(256)
        del content[chance.choice([len(content), chance.randrange(len(content))]) :]
        try:
            load_model(stranger(bytes(content)))
        except RunError as error:
            assert str(error) == visible(str(error))


# Files of initial weights


@pytest.fixture(scope="module")
def initial(
    tmp_path_factory: pytest.TempPathFactory,
    short_mobilenetv2: Callable[[], AbstractContextManager[None]],
) -> Path:
    path = tmp_path_factory.mktemp("initial") / "weights.h5"
    with short_mobilenetv2():
        mobilenetv2._base(1.0, (48, 48), None).save_weights(path)
    return path


@pytest.mark.parametrize(
    "value",
    [h5py.ExternalLink("/etc/passwd", "x"), np.zeros((1,), np.float32), np.full((3, 3, 3, 16), np.inf, "f")],
    ids=["a link into another file", "another shape", "no numbers"],
)
def test_initial_weights_are_checked_too(initial: Path, tmp_path: Path, value: Any, short: None) -> None:
    path = tmp_path / "weights.h5"
    path.write_bytes(initial.read_bytes())
    with h5py.File(path, "r+") as weights:
        del weights["Conv1/Conv1/kernel:0"]
        weights["Conv1/Conv1/kernel:0"] = value
    with pytest.raises(BadInput, match=r"without its head \(.*Conv1/Conv1/kernel:0.*\): use imagenet"):
        build(1.0, FASHION_MNIST, str(path))
