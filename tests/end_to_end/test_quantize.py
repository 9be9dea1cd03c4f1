"""A model of one's own: an ONNX file in, a run out that every verb takes."""

import contextlib
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf2onnx
from msgspec import structs

from edgefashion.api.quantization import Quantization
from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.cli import main
from edgefashion.data import CLASS_NAMES, Dataset, locate, split
from edgefashion.errors import RunError
from edgefashion.evaluation import results
from edgefashion.models.imported import Drawing
from edgefashion.tensorflow import keras
from edgefashion.training import runs
from edgefashion.training.trained import load_model

Typed = Callable[..., str]
ALL = [f"mine-{name}" for name in ("float32.onnx", "int8.onnx")]
ALL += [f"mine-{precision}.tflite" for precision in ("dynamic", "float16", "float32", "int8")]


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typed]:
    """typed("bench", file): what the verb says and prints, in a folder of these tests alone."""
    quick = replace(BenchmarkOptions().lasting(0.01), samples=1, rounds=1, in_process=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("home"))
        patch.delenv(locate.VARIABLE, raising=False)
        patch.setattr("edgefashion.api.quantization.BenchmarkOptions", lambda: quick)
        patch.setattr("edgefashion.benchmarking.rounds.BenchmarkOptions", lambda: quick)

        def call(*words: object, code: int = 0) -> str:
            out = io.StringIO()
            streams = contextlib.redirect_stdout(out), contextlib.redirect_stderr(out)
            with streams[0], streams[1], pytest.raises(SystemExit) as ended:
                main([str(word) for word in words])
            assert (ended.value.code or 0) == code, out.getvalue()
            return out.getvalue()

        yield call


@pytest.fixture(scope="module")
def model(sample: Dataset) -> keras.Model:
    """Trained for seconds, on pixels from -1 to 1."""
    keras.utils.set_random_seed(0)
    drawing = Drawing((28, 28, 1))
    tensor = drawing.draw("Conv2D", drawing.image, {"filters": 8, "kernel_size": [4, 4], "strides": [4, 4]})
    tensor = drawing.draw("BatchNormalization", tensor)
    tensor = drawing.draw("ReLU", tensor, {"max_value": 6.0})
    tensor = drawing.draw("Conv2D", tensor, {"filters": 16, "kernel_size": [3, 3], "activation": "relu"})
    found = drawing.model(drawing.draw("Dense", drawing.draw("Flatten", tensor), {"units": 10}))
    found.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    train = split(sample).train
    found.fit(np.float32(train.images) / 127.5 - 1, train.labels, batch_size=16, epochs=4, verbose=0)
    return found


@pytest.fixture(scope="module")
def file(typed: Typed, model: keras.Model) -> Path:
    ending = keras.Model(model.input, keras.layers.Softmax()(model.output))
    tf2onnx.convert.from_keras(ending, output_path="mine.onnx", opset=17)
    return Path("mine.onnx")


@pytest.fixture(scope="module")
def said(typed: Typed, file: Path, sample_folder: Path) -> str:
    everything = ("--format", "all", "--precision", "all", "--json", "mine.json")
    return typed("quantize", file, "--data", sample_folder, *everything)


def test_the_preprocessing_is_found_and_said(said: str) -> None:
    assert "preprocessing: tf" in said
    told = runs.read(Path("runs/mine")).info.imported
    assert told
    assert (told.file, told.format, told.ending) == ("mine.onnx", "ONNX", "softmax")
    assert (told.preprocessing.name, told.preprocessing.chosen, told.order) == ("tf", "measured", "sorted")
    assert (told.scale, told.zero_point) == (pytest.approx(1 / 127.5), 127)
    tried = {each.name: each for each in told.preprocessing.tried}
    assert tried["tf"].right > 0.6 * tried["tf"].pictures
    assert tried["tf"].pictures == max(each.pictures for each in tried.values())


def test_all_files_are_made_and_measured(said: str) -> None:
    run = runs.read(Path("runs/mine"))
    assert sorted(path.name for path in run.artifacts.iterdir() if path.suffix != ".json") == sorted(ALL)
    rows = json.loads(Path("mine.json").read_text())["results"]
    assert sorted(Path(row["path"]).name for row in rows) == sorted(ALL)
    assert all(row["accuracy"] > 0.6 and row["images"] == 400 for row in rows)
    assert all(row["agreement"] > 0.9 for row in rows if row["precision"] != "float32")
    assert "Given: mine.onnx (ONNX), in float right on" in said
    assert "next: edgefashion predict runs/mine/artifacts/mine-int8." in said
    assert run.recipe.epochs == 0
    assert run.info.best_epoch is run.info.history  # both are not there


def test_validation_pictures_that_it_seems_to_know_are_warned_of(said: str) -> None:
    run, found = runs.read(Path("runs/mine")), results.read(Path("mine.json"))
    assert "learned from them" not in said
    knows = replace(run, info=structs.replace(run.info, validation_accuracy=1.0))
    _, warning = Quantization(knows, [], found, ()).told()
    assert "validation images it is right on 100.00 %: it seems to have learned from them" in warning


def test_an_interruption_says_what_goes_on(
    said: str, typed: Typed, file: Path, sample_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    order = ("quantize", file, "--data", sample_folder, "-o", "runs/half", "--preprocess", "tf")
    monkeypatch.setattr("edgefashion.export.limited.export_run", interrupt)
    first, *_, last = typed(*order, code=130).splitlines()
    assert first == "to be made: ONNX float32, int8 (--format, --precision: fewer or others)"
    going_on = f"edgefashion export --data {sample_folder} runs/half --format onnx --precision float32,int8"
    assert last == f"edgefashion: interrupted; runs/half is kept, and {going_on} goes on"
    monkeypatch.setattr("edgefashion.importing.importing.import_run", interrupt)
    assert "goes on" not in typed(*order, "--force", code=130)


def test_its_answers_are_those_of_the_file(said: str, model: keras.Model, sample: Dataset) -> None:
    from edgefashion.export.graph import graph

    pixels = sample.test.images[:50]
    wanted = model.predict(np.float32(pixels) / 127.5 - 1, verbose=0)
    # Half a gray level at padded borders, of which it has none, is all that may be lost.
    np.testing.assert_allclose(graph.build(runs.read(Path("runs/mine"))).predict(pixels), wanted, atol=1e-3)


def test_every_verb_takes_the_run(said: str, typed: Typed, sample_folder: Path) -> None:
    data = ("--data", sample_folder)
    assert "mine-int8.tflite" in typed("inspect", "runs/mine/artifacts/mine-int8.tflite")
    typed("card", "mine", *data, "-o", "CARD.md")
    card = Path("CARD.md").read_text()
    assert "mine: read from mine.onnx (ONNX, SHA-256 " in card
    assert "**Recipe**" not in card
    typed("bundle", "mine", *data, "-o", "mine.zip", "--images", 50)
    again = typed("bench", "mine.zip", "--seconds", 0.02, "--threads", 1, "--in-process")
    assert "6 of 6 files answer as they did where the bundle was made" in again
    assert "layer" in typed("debug", "mine", *data, "--images", 10)
    kept = typed(
        "export", "mine", *data, "--format", "tflite", "--precision", "int8", "--keep-float", ".*Dense.*"
    )
    assert "mine-int8-keep-float.tflite has" in kept


def test_it_is_trained_further(said: str, typed: Typed, sample_folder: Path) -> None:
    data = ("--data", sample_folder)
    assert "training the model of runs/mine on " in typed("train", "--qat", "mine", "--epochs", 1, *data)
    Path("runs/mine").rename("runs/elsewhere")  # what was made of it needs it no more
    try:
        made = typed("export", "mine-qat", "--format", "tflite", *data)
    finally:
        Path("runs/elsewhere").rename("runs/mine")
    assert "mine-int8-qat.tflite" in made
    told = runs.read(Path("runs/mine-qat")).info.imported
    assert told == runs.read(Path("runs/mine")).info.imported


def test_layers_that_were_changed_afterwards_are_refused(said: str) -> None:
    run = runs.read(Path("runs/mine"))
    layers = run.folder / runs.ARCHITECTURE
    kept = layers.read_bytes()
    layers.write_bytes(kept.replace(b'"max_value": 6.0', b'"max_value": 0.1'))
    with pytest.raises(RunError, match=r"architecture\.json is not what was imported"):
        load_model(run)
    layers.write_bytes(kept)
    load_model(run)


def test_another_run_is_not_replaced_unless_that_is_said(
    said: str, typed: Typed, file: Path, sample_folder: Path
) -> None:
    before = runs.read(Path("runs/mine")).id
    order = ("quantize", file, "--data", sample_folder, "--format", "onnx", "--precision", "float32")
    assert "runs/mine exists: choose another folder, or replace it with --force" in typed(*order, code=2)
    assert runs.read(Path("runs/mine")).id == before
    shutil.copytree("runs/mine", "runs/other")
    typed(*order, "-o", "runs/other", "--force", "--preprocess", "tf")
    told = runs.read(Path("runs/other")).info.imported
    assert told
    assert told.preprocessing.chosen == "given"


WRONG: dict[str, tuple[list[Any], str]] = {
    "another preprocessing": (
        ["--scale", "-9", "--offset", "1e6"],
        "say --preprocess tf (-1 to 1), or nothing, and it is found",
    ),
    "two ways": (["--preprocess", "tf", "--scale", "1/255"], "--preprocess names a scale and an offset"),
    "no number": (["--scale", "1/0"], "'1/0' is no number"),
    "too many channels": (["--scale", "1,1,1"], "the model has 1 channels: give one --scale"),
    "no such way": (["--preprocess", "toch"], "did you mean torch?"),
    "too few labels": (["--labels", "few.txt"], "few.txt has 2 names, and the model has 10 outputs"),
    "other labels": (["--labels", "other.txt"], "the labels do not have Ankle boot, Bag"),
    "another order": (
        ["--labels", "turned.txt"],
        "the labels of Fashion-MNIST are numbers in the order",
    ),
    "another size": (["--size", "32"], "not 32x32"),
    "a drop below 0": (["--max-drop", "-1"], "--max-drop"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_said_wrong_is_named(typed: Typed, file: Path, sample_folder: Path, wrong: str) -> None:
    options, reason = WRONG[wrong]
    Path("few.txt").write_text("a\nb\n")
    Path("other.txt").write_text("".join(f"{number}\n" for number in range(10)))
    Path("turned.txt").write_text("\n".join(reversed(CLASS_NAMES)))
    said = typed("quantize", file, "--data", sample_folder, "-o", "runs/wrong", *options, code=2)
    assert reason in " ".join(said.split())
    assert not Path("runs/wrong").exists()
    assert not list(Path("runs").glob(".wrong*"))


def test_pictures_of_other_classes_and_shapes_are_refused(
    typed: Typed, file: Path, other_folder: Path
) -> None:
    said = typed("quantize", file, "--data", other_folder, "-o", "runs/wrong", code=2)
    assert "the images of wardrobe are 40x24x3, and the model takes 28x28x1" in said


def test_nothing_is_fetched_for_a_model_of_other_images_or_classes(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[object] = []
    monkeypatch.setattr("edgefashion.api.quantization.load_dataset", lambda *_, **__: fetched.append(1))
    for name, edge, outputs, reason in (
        ("wide", 32, 10, "the images of Fashion-MNIST are 28x28x1, and the model takes 32x32x1"),
        ("few", 28, 3, "the model has 3 outputs, and the pictures are of 10 classes"),
    ):
        drawing = Drawing((edge, edge, 1))
        flat = drawing.draw("Flatten", drawing.image)
        drawing.model(drawing.draw("Dense", flat, {"units": outputs})).save(f"{name}.keras")
        assert reason in " ".join(typed("quantize", f"{name}.keras", code=2).split())
    assert not fetched


@pytest.mark.parametrize("call", ["'none.onnx'", "'mine.onnx', options=OPTIONS", "'mine.onnx', data='none'"])
def test_what_is_missing_is_said_before_anything_heavy_is_opened(call: str, tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(b"anything")
    lines = (
        "import sys, pathlib, edgefashion as ef",
        "OPTIONS = ef.ImportOptions(labels=pathlib.Path('none.txt'))",
        f"try: ef.quantize({call})",
        "except ef.EdgefashionError as error: print(error, 'tensorflow' in sys.modules)",
    )
    found = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=tmp_path, capture_output=True, text=True
    )
    assert found.stdout.startswith("none"), found
    assert found.stdout.endswith(" False\n")
