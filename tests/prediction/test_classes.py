import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion import bundle
from edgefashion.api.measure import evaluate
from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.data import CLASS_NAMES, Dataset
from edgefashion.errors import ArtifactError
from edgefashion.errors.wording import for_the_command_line
from edgefashion.evaluation.predictions import Predictions
from edgefashion.prediction import Prediction, Shown, classify, side_by_side, task_of, text
from edgefashion.prediction.classes import probabilities
from edgefashion.records.manifest import Rejection
from edgefashion.report import card
from edgefashion.runtimes import for_file
from edgefashion.tables import to_text

MODELS = Path(__file__).parents[1] / "files/models"


def images(sample: Dataset, count: int) -> list[Shown]:
    return [Shown(str(n), sample.test.images[n], "", {}) for n in range(count)]


def exported(folder: Path, name: str, precision: str, **more: object) -> Artifact:
    """An artifact of the run `r`, with a manifest."""
    content = (MODELS / f"tiny-float32{Path(name).suffix}").read_bytes()
    known = {"run": "tiny", "run_id": "r", "small_run": False, "precision": precision}
    return artifact.save(folder / name, content, known | more)


def test_probabilities_are_the_softmax() -> None:
    logits = np.array([[1000, 1000, -1000], [0, np.log(3), 0]], np.float32)
    assert probabilities(logits) == pytest.approx(np.array([[0.5, 0.5, 0], [0.2, 0.6, 0.2]]))


@pytest.mark.parametrize("name", ["tiny-int8.tflite", "tiny-float32.tflite", "tiny-float32.onnx"])
def test_the_top_three_are_those_of_the_runtime(name: str, sample: Dataset) -> None:
    (found,) = classify([artifact.inspect(MODELS / name)], images(sample, 12), sample.task)
    runtime = for_file(MODELS / name)
    runtime.start()
    logits = runtime.load(MODELS / name, threads=1).predict(sample.test.images[:12])
    for number, own in enumerate(logits):
        powers = np.exp(own - own.max(), dtype=np.float64)
        top = found.top(number)
        assert [guess.label for guess in top] == np.argsort(-own, kind="stable")[:3].tolist()
        shares = [guess.probability for guess in top]
        assert shares == pytest.approx(np.sort(powers / powers.sum())[:-4:-1])
        assert 1 >= shares[0] >= shares[1] >= shares[2] >= 0


def test_one_that_breaks_the_contract_does_not_keep_the_others_from_answering(sample: Dataset) -> None:
    files = [artifact.inspect(MODELS / name) for name in ("float-input.tflite", "tiny-float32.tflite")]
    bad, good = classify(files, images(sample, 2), sample.task)
    assert isinstance(bad.answers.error, ArtifactError)
    assert "expected uint8 [N, height, width, channels] in" in str(bad.answers.error)
    assert good.answers.error is None
    assert len(good.top(1)) == 3


def test_float_and_int8_stand_side_by_side(tmp_path: Path) -> None:
    floats = exported(tmp_path, "a-float32.tflite", "float32")
    int8 = exported(tmp_path, "a-int8.tflite", "int8")
    other_format = exported(tmp_path, "a-int8.onnx", "int8")
    exported(tmp_path, "b-int8.tflite", "int8", run_id="other")
    kept = exported(tmp_path, "a-int8-keep-float.tflite", "int8", kept_float=["conv"])
    target = exported(tmp_path, "a-int8-x86-vnni.onnx", "int8", target="x86-vnni")
    dynamic = exported(tmp_path, "a-dynamic.tflite", "dynamic")
    assert side_by_side([int8]) == side_by_side([floats]) == [floats, int8]
    assert side_by_side([other_format]) == [other_format]
    assert side_by_side([kept]) == [floats, kept]
    assert side_by_side([dynamic]) == [dynamic]
    assert side_by_side([int8, other_format, kept, target]) == [floats, int8, other_format]
    assert side_by_side([target]) == [target]


def test_a_file_that_nothing_tells_of_stands_alone(tmp_path: Path) -> None:
    for name in ("tiny-int8.tflite", "tiny-float32.tflite"):
        shutil.copy(MODELS / name, tmp_path)
    alone = artifact.inspect(tmp_path / "tiny-int8.tflite")
    assert side_by_side([alone]) == [alone]


DIGITS = [f"digit {number}" for number in range(10)]


def test_an_artifact_answers_with_the_classes_that_it_names(tmp_path: Path, sample: Dataset) -> None:
    own = exported(tmp_path, "own.tflite", "float32", labels=DIGITS, rejection=rejecting(-100.0))
    (found,) = classify([own], images(sample, 3), sample.task)
    assert [guess.name for guess in found.top(0)] == [DIGITS[guess.label] for guess in found.top(0)]
    assert json.loads(text.to_json(images(sample, 3), [found]))["classes"] == DIGITS
    assert text.page(images(sample, 3), [found]).notes == []


def rejecting(threshold: float, classes: int = 10) -> dict[str, Any]:
    """What a manifest says of pictures that no class fits."""
    known = {"threshold": threshold, "medians": [0.0] * classes}
    return {**known, "share": 0.05, "images": 500, "split": "validation"}


def test_where_no_class_fits_it_is_said_in_words_and_to_programs(tmp_path: Path, sample: Dataset) -> None:
    own = exported(tmp_path, "own.tflite", "float32", labels=DIGITS)
    pictures = images(sample, 3)
    (found,) = classify([own], pictures, sample.task)
    assert found.logits is not None
    middle = float(np.median(np.logaddexp.reduce(found.logits, axis=1)))
    found = replace(found, artifact=artifact.tell(own, rejection=Rejection(**rejecting(middle + 1e-3))))
    told = [found.none_of_these(number) for number in range(3)]
    assert sorted(map(bool, told)) == [False, True, True]
    out = told.index(True)
    cell = text.page(pictures, [found]).tables[0].cells[out][4]
    closest = found.top(out)[0]
    assert cell == f"none of these (closest: {closest.name} {100 * closest.probability:.1f} %)"
    named = [replace(each, name=f"a-picture-of-{each.name}.png") for each in pictures]
    assert cell in to_text(text.page(named, [found]), 80), "other columns give way"
    assert text.lines(pictures, found).header[out] == f"{out}: {cell}"
    assert [
        each["predictions"][0]["none_of_these"] for each in text.to_dict(pictures, [found])["images"]
    ] == told


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (None, "no manifest beside it says when (export it again)"),
        ({}, "its manifest does not say when (export it again with --force)"),
        ({"split": "training"}, "too few validation pictures were left to tell when"),
        ({"split": "validation"}, "its manifest does not say when (export it again with --force)"),
    ],
)
def test_a_file_without_a_threshold_never_says_that_none_fits_and_that_is_said(
    told: dict[str, str] | None, why: str, tmp_path: Path, sample: Dataset
) -> None:
    own = exported(tmp_path, "own.tflite", "float32", labels=DIGITS, verification=told or {})
    if told is None:
        own = replace(own, manifest=None, metadata=own.manifest)
    (found,) = classify([own], images(sample, 1), sample.task)
    assert found.none_of_these(0) is None
    assert text.to_dict(images(sample, 1), [found])["images"][0]["predictions"][0]["none_of_these"] is None
    with for_the_command_line():
        (note,) = text.page(images(sample, 1), [found]).notes
    assert note == f"never 'none of these' from own.tflite: {why}"


def test_a_threshold_for_other_classes_is_a_damaged_manifest(tmp_path: Path) -> None:
    own = exported(tmp_path, "own.tflite", "float32", labels=DIGITS, rejection=rejecting(0.0, classes=9))
    defect = artifact.inspect(own.path).defect
    assert defect
    assert defect.endswith("rejects by other classes than the file has: export it again")


def test_a_picture_is_called_by_its_name_alone_where_that_tells_it_from_others(
    tmp_path: Path, sample: Dataset
) -> None:
    pictures = images(sample, 3)
    names = ("some/where/far/boot.png", "a/shoe.png", "b/shoe.png")
    shown = [replace(each, name=name) for each, name in zip(pictures, names, strict=True)]
    page = text.page(shown, classify([exported(tmp_path, "own.tflite", "float32")], shown, sample.task))
    assert [row[0] for row in page.tables[0].cells] == ["boot.png", "a/shoe.png", "b/shoe.png"]
    assert page.header[0].startswith(names[0])


def test_where_an_artifact_names_no_classes_it_is_said(tmp_path: Path, sample: Dataset) -> None:
    (found,) = classify([exported(tmp_path, "own.tflite", "float32")], images(sample, 3), sample.task)
    assert found.top(0)[0].name == CLASS_NAMES[found.top(0)[0].label]
    note, _ = text.page(images(sample, 3), [found]).notes
    assert note == "own.tflite does not name its classes: taken to be those of Fashion-MNIST"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"labels": DIGITS[:7]},
            "tells 7 classes apart: it has to be 10",
        ),
        (
            {"input": {"name": "image", "dtype": "uint8", "shape": ["N", 32, 32, 3], "values": "pixels"}},
            "takes images of 32x32x3, and those here are 28x28x1",
        ),
    ],
)
def test_an_artifact_for_other_images_or_classes_is_refused(
    more: dict[str, Any], said: str, tmp_path: Path, sample: Dataset
) -> None:
    (found,) = classify([exported(tmp_path, "own.tflite", "float32", **more)], images(sample, 3), sample.task)
    assert isinstance(found.answers.error, ArtifactError)
    assert said in str(found.answers.error)


def test_what_tells_other_classes_apart_is_measured_and_bundled_on_no_images_of_these(
    tmp_path: Path, sample: Dataset
) -> None:
    own = exported(tmp_path, "own.tflite", "float32", labels=DIGITS)
    said = (
        "tells 10 classes .digit 0, digit 1, digit 2, …. apart, and Fashion-MNIST has 10 classes .T-shirt/top"
    )
    with pytest.raises(ArtifactError, match=said):
        bundle.make(tmp_path / "b.zip", [own], sample, 10)
    with pytest.raises(ArtifactError, match=said):
        card.gather("own", [], [own], sample)
    found = evaluate(own, sample, threads=[1], options=BenchmarkOptions().lasting(0.01))
    with pytest.raises(ArtifactError, match=said):
        found.raise_failures()


def test_where_there_are_two_classes_there_are_two_guesses(tmp_path: Path, sample: Dataset) -> None:
    coin = replace(sample.task, classes=("heads", "tails"))
    own = artifact.inspect(MODELS / "tiny-float32.tflite")
    answers = Predictions(np.array([[0, np.log(3)], [1, 1]], np.float32))
    found = Prediction(own, answers, coin)
    assert [(guess.name, guess.probability) for guess in found.top(0)] == [
        ("tails", pytest.approx(0.75)),
        ("heads", pytest.approx(0.25)),
    ]
    (table,) = text.page(images(sample, 2), [found]).tables
    assert [row[-2:] for row in table.cells] == [
        ["tails 75.0 %", "heads 25.0 %"],
        ["heads 50.0 %", "tails 50.0 %"],
    ]
    assert json.loads(text.to_json(images(sample, 2), [found]))["classes"] == ["heads", "tails"]


def test_what_a_file_is_for_is_what_it_says(tmp_path: Path, sample: Dataset) -> None:
    coin = replace(sample.task, name="coins", classes=("heads", "tails"))
    silent = exported(tmp_path, "silent.tflite", "float32")
    own = exported(tmp_path, "own.tflite", "float32", task=coin.to_dict())
    assert task_of([silent], sample.task) == sample.task
    assert task_of([silent, own], sample.task) == coin
