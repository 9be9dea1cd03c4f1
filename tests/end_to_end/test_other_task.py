"""The whole way of a data set of another task: RGB images of 40x24, of three classes of its own.

Every verb is typed, on a folder with a task.json, and none may say a name of Fashion-MNIST's.
"""

import contextlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import UNSET
from PIL import Image

from edgefashion import bundle
from edgefashion.artifacts import artifact
from edgefashion.cli import main
from edgefashion.data import CLASS_NAMES, FASHION_MNIST, Dataset, locate
from edgefashion.training import runs

CLASSES = ("shoe", "top", "bag")
FOREIGN = re.compile("|".join(map(re.escape, (*CLASS_NAMES, FASHION_MNIST.name, "28x28", "28, 28"))))
QUICK = ("--seconds", 0.02, "--threads", 1, "--in-process")
CNN = {
    *(("tflite", precision) for precision in ("float32", "float16", "dynamic", "int8")),
    *(("onnx", precision) for precision in ("float32", "int8")),
}
QAT = {("tflite", "int8-qat"), ("onnx", "int8-qat")}
EXPORTED = {
    "cnn": CNN,
    "mobilenetv2-limit-12": {("tflite", "int8")},
    "cnn-qat": QAT,
    "cnn-pruned-0.5": {("tflite", "int8")},
}
Typed = Callable[..., str]


@pytest.fixture(scope="module")
def typed(
    tmp_path_factory: pytest.TempPathFactory,
    short_mobilenetv2: Callable[[], contextlib.AbstractContextManager[None]],
) -> Iterator[Typed]:
    """typed("bench", file): what the verb prints, or what is wrong, in a folder of these tests alone."""
    with short_mobilenetv2(), pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("home"))
        patch.delenv(locate.VARIABLE, raising=False)

        def call(*words: object, code: int = 0, mixed: bool = False) -> str:
            out, err = io.StringIO(), io.StringIO()
            streams = contextlib.redirect_stdout(out), contextlib.redirect_stderr(err)
            with streams[0], streams[1], pytest.raises(SystemExit) as ended:
                main([str(word) for word in words])
            assert (ended.value.code or 0) == code, err.getvalue()
            assert mixed or not FOREIGN.search(out.getvalue() + err.getvalue())
            return err.getvalue() if code else out.getvalue()

        yield call


@pytest.fixture(scope="module")
def trained(typed: Typed, other_folder: Path) -> Path:
    """The folder of its runs."""
    options = ("--epochs", 1, "--batch-size", 24, "--data", other_folder)
    typed("train", "--set", "flip=true", "--set", "shift=2", "--set", "erase=0.3", *options)
    typed("train", "--model", "mobilenetv2", "--weights", "none", "--width", 0.35, "--limit", 12, *options)
    typed("train", "--qat", "cnn", *options)
    typed("train", "--from", "cnn", "--prune", 0.5, *options)
    return Path("runs")


@pytest.fixture(scope="module")
def exported(typed: Typed, trained: Path, other_folder: Path) -> Path:
    """The same, exported."""
    data = ("--data", other_folder, "--calibration", "min-max")
    typed("export", "cnn", "--precision", "all", "--calibration-images", 60, *data)
    typed("export", "cnn-qat", *data[:2])
    small = ("--precision", "int8", "--calibration-images", 12)
    typed("export", "mobilenetv2-limit-12", "--format", "tflite", *small, *data)
    typed("export", "cnn-pruned-0.5", "--format", "tflite", *small, *data)
    return trained


@pytest.fixture(scope="module")
def results(typed: Typed, exported: Path, other_folder: Path) -> dict[str, Any]:
    """What `evaluate` measured of most: every file was run when it was verified."""
    large = exported / "mobilenetv2-limit-12/artifacts/mobilenetv2-limit-12-int8.tflite"
    typed("evaluate", "cnn", "cnn-qat", large, *QUICK, "--json", "results.json", "--data", other_folder)
    found: dict[str, Any] = json.loads(Path("results.json").read_text())
    return found


@pytest.fixture(scope="module")
def packed(typed: Typed, exported: Path, other_folder: Path) -> Path:
    """A bundle of a file of each format."""
    names = ("cnn-int8.tflite", "cnn-float32.onnx")
    files = [exported / "cnn/artifacts" / name for name in names]
    typed("bundle", *files, "-o", "b.zip", "--images", 30, "--data", other_folder)
    return Path("b.zip")


@pytest.fixture(scope="module")
def benched(typed: Typed, packed: Path) -> str:
    """What `bench` printed of the bundle, and wrote into bench.json."""
    return typed("bench", packed, *QUICK, "--json", "bench.json")


def test_every_run_is_of_its_task(trained: Path, other: Dataset) -> None:
    found = [runs.read(folder) for folder in runs.find(trained)]
    assert sorted(run.name for run in found) == sorted(EXPORTED)
    assert all(run.task == other.task for run in found)
    assert {run.name for run in found if run.small_run} == {"mobilenetv2-limit-12"}


def test_every_file_is_of_its_task_and_says_so_inside_too(exported: Path, other: Dataset) -> None:
    for name, kinds in EXPORTED.items():
        files = [artifact.read(path) for path in artifact.find(exported / name / "artifacts")]
        assert {(each.format, each.precision) for each in files} == kinds
        for each in files:
            assert each.task == other.task
            assert each.labels == CLASSES
            assert each.manifest and each.manifest.width == (0.35 if "mobilenetv2" in name else UNSET)
            artifact.manifest_path(each.path).rename("manifest.json")
            assert artifact.read(each.path).task == other.task
            Path("manifest.json").rename(artifact.manifest_path(each.path))


def test_it_is_evaluated_on_its_own_images(results: dict[str, Any]) -> None:
    rows = results["results"]
    measured = {(row["format"], row["precision"]) for row in rows if row["model"] != "mobilenetv2-limit-12"}
    assert measured == CNN | QAT
    assert all((row["status"], row["images"]) == ("ok", 60) for row in rows)
    assert max(row["accuracy"] for row in rows) > 0.5  # of three classes
    assert all(
        row["agreement"] > 0.9 for row in rows if row["model"] == "cnn" and row["agreement"] is not None
    )


def test_a_file_is_inspected(typed: Typed, exported: Path) -> None:
    out = typed(
        "inspect", exported / "cnn/artifacts/cnn-int8.tflite", exported / "cnn/artifacts/cnn-int8.onnx"
    )
    assert "shoe, top, bag" in out
    assert "40, 24, 3" in out


@pytest.mark.parametrize("name", ["cnn", "cnn-qat"])
def test_the_layers_are_compared(name: str, typed: Typed, exported: Path, other_folder: Path) -> None:
    out = typed("debug", name, "--images", 6, "--data", other_folder)
    assert out.count("the same class for") == 2


def test_a_bundle_has_its_images_and_answers_as_here(benched: str, packed: Path, other: Dataset) -> None:
    with bundle.open_bundle(packed) as found:
        assert found.task == other.task
        assert found.images.shape == (30, 40, 24, 3)
    assert "wardrobe, 30 of 60 test images" in benched
    assert "2 of 2 files answer as they did where the bundle was made" in benched


@pytest.fixture(scope="module")
def picture(typed: Typed, other: Dataset) -> Path:
    """A shoe, three times as large, on a wide white ground."""
    shoe = int(np.flatnonzero(other.test.labels == 0)[0])
    large = np.kron(other.test.images[shoe], np.ones((3, 3, 1), np.uint8))
    path = Path("shoe.png")
    Image.fromarray(np.pad(large, ((0, 0), (90, 90), (0, 0)), constant_values=255)).save(path)
    return path


def test_pictures_are_answered_with_its_classes(
    typed: Typed, exported: Path, picture: Path, other_folder: Path
) -> None:
    model = exported / "cnn/artifacts/cnn-int8.tflite"
    out = typed("predict", model, picture, "--index", 3, "--data", other_folder)
    assert "252x120, fitted with margins into 24x40" in out
    assert "test image 3: " in out
    found = json.loads(typed("predict", model, picture, "--json"))
    assert found["classes"] == list(CLASSES)
    for prediction in found["images"][0]["predictions"]:
        assert {guess["class"] for guess in prediction["top"]} == set(CLASSES)
        assert len(prediction["logits"]) == 3
    assert "in their own colors" in typed("predict", model, picture, "--invert", code=2)


def test_a_card_is_written_of_its_classes(typed: Typed, results: dict[str, Any], other_folder: Path) -> None:
    typed("card", "cnn", "results.json", "-o", "CARD.md", "--plot", "confusion.svg", "--data", other_folder)
    text = Path("CARD.md").read_text()
    assert "wardrobe" in text
    for name in CLASSES:
        assert re.search(rf"(?m)^\|.*\b{name}\b", text)


def test_results_are_compared(typed: Typed, results: dict[str, Any], benched: str) -> None:
    out = typed("compare", "results.json", "bench.json", "--plot", "points.svg", "--json", "comparison.json")
    assert "60 (1), 30 (2)" in out


def test_accuracies_of_two_tasks_are_not_compared(typed: Typed, results: dict[str, Any]) -> None:
    elsewhere = {**results, "dataset": {**results["dataset"], "name": FASHION_MNIST.name}}
    Path("fashion.json").write_text(json.dumps(elsewhere))
    out = typed("compare", "results.json", "fashion.json", mixed=True)
    said = " ".join(out.split())
    assert "Different tasks: wardrobe (1), Fashion-MNIST (2). No accuracy of one is compared" in said
    assert re.search(r"\bData\b", out) and re.search(r"cnn +wardrobe", out)


def test_its_model_is_not_measured_on_images_of_another_task(
    typed: Typed, exported: Path, sample_folder: Path
) -> None:
    model = exported / "cnn/artifacts/cnn-int8.tflite"
    error = typed("evaluate", model, *QUICK, "--data", sample_folder, code=2, mixed=True)
    assert "and Fashion-MNIST has 10 classes" in error


def test_no_name_of_fashion_mnist_is_in_any_file(
    typed: Typed, exported: Path, results: dict[str, Any], packed: Path, other_folder: Path
) -> None:
    typed("data", "--plot", "grid.svg", "--data", other_folder)
    zipfile.ZipFile(packed).extractall("unpacked")
    paths = [path for folder in (exported, Path("unpacked")) for path in folder.rglob("*") if path.is_file()]
    names = [name.encode() for name in (*CLASS_NAMES, FASHION_MNIST.name) if len(name) > 4]  # not by chance
    for path in [*paths, Path("results.json")]:
        content = path.read_bytes()
        assert not [name for name in names if name in content], path
