"""Model cards: what stands in them is what the files answer and what results files say."""

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from msgspec import UNSET, structs

from edgefashion import zoo
from edgefashion.api.measure import evaluate
from edgefashion.artifacts import artifact
from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.cli import main
from edgefashion.data import CLASS_NAMES, Dataset
from edgefashion.evaluation import results
from edgefashion.files import sha256
from edgefashion.records.imported import Imported, Preprocessing
from edgefashion.records.run import Splits
from edgefashion.records.values import Pooled
from edgefashion.report.card import Card, gather, origin, pictures, to_markdown
from edgefashion.report.card.page import _p
from edgefashion.runtimes import for_file
from edgefashion.stats import wilson_interval
from edgefashion.training import runs
from edgefashion.training.runs import Run


def files(run: Run) -> list[artifact.Artifact]:
    return [artifact.read(path) for path in artifact.find(run.artifacts)]


@pytest.fixture(scope="module")
def evidence(exported: Run, sample: Dataset) -> Card:
    return gather("cnn", [exported.info], files(exported), sample)


@pytest.fixture(scope="module")
def measured(exported: Run, sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results file of the run's files, on twenty images."""
    soon = replace(BenchmarkOptions().lasting(0.05), in_process=True)
    found = evaluate(files(exported), sample, threads=[1], limit=20, options=soon)
    path = tmp_path_factory.mktemp("measured") / "results.json"
    path.write_text(found.to_json())
    return path


def write(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    """What the verb says on stderr."""
    with pytest.raises(SystemExit) as stopped:
        main(["card", *map(str, arguments)])
    captured = capsys.readouterr()
    assert (stopped.value.code or 0) == code, captured.err
    return captured.err


def test_of_an_imported_model_it_says_what_the_pictures_were_used_for(evidence: Card) -> None:
    way = Preprocessing(name="unit", scale=(1.0,), offset=(0.0,), bgr=False, chosen="given", tried=())
    told = Imported(
        file="mine.keras",
        sha256="0" * 64,
        format="Keras 3",
        ending="softmax",
        preprocessing=way,
        order="sorted",
        scale=1.0,
        zero_point=0,
    )
    own = evidence.stories[0]
    story = structs.replace(
        own,
        imported=told,
        recipe=replace(own.recipe, epochs=0),
        best_epoch=UNSET,
        history=UNSET,
        splits=Splits(train=1312, validation=208, test=1520),
    )
    card = to_markdown(replace(evidence, stories=[story]))
    assert "- Trained elsewhere; data here: Fashion-MNIST; 1,312 images calibrate int8, 208 verify" in card
    assert "- Imported with edgefashion" in card
    assert "Trained with" not in card


def test_the_card_says_which_layers_are_in_float_and_why() -> None:
    drop = SimpleNamespace(drop={"limit": 0.01})
    file = SimpleNamespace(path=Path("a.tflite"), kept_float=list("abcdefg"), manifest=drop)
    assert origin.in_float(cast(artifact.Artifact, file)) == (
        "a.tflite has a, b, c, d, e and 2 more in float: with all of them in int8 it loses more than 1 "
        "points, or is not the model"
    )
    drop.drop = UNSET
    assert origin.in_float(cast(artifact.Artifact, file)).endswith("in float, as asked for")


def test_the_details_are_of_an_int8_file(evidence: Card) -> None:
    assert evidence.artifacts[evidence.deployed].precision == "int8"


def test_the_confusion_matrix_counts_what_the_runtime_says(evidence: Card, sample: Dataset) -> None:
    for number, each in enumerate(evidence.artifacts):
        runtime = for_file(each.path)
        runtime.start()
        classes = runtime.load(each.path, threads=1).predict(sample.test.images).argmax(axis=1)
        matrix = evidence.confusion(number)
        for label in range(10):
            for other in range(10):
                both = (sample.test.labels == label) & (classes == other)
                assert matrix[label, other] == np.count_nonzero(both)


def test_intervals_are_wilson_s_of_each_class(evidence: Card) -> None:
    matrix = evidence.confusion(0)
    for label, each in enumerate(evidence.results.rows[0].recalls):
        assert (each.images, each.right) == (matrix[label].sum(), matrix[label, label])
        assert each.ci95 == wilson_interval(each.right, each.images)


def test_confusions_come_in_order_and_none_is_right(evidence: Card) -> None:
    found = evidence.confused(100)
    assert all(pair.label != pair.taken_for for pair in found)
    assert [pair.images for pair in found] == sorted((pair.images for pair in found), reverse=True)
    matrix = evidence.confusion(evidence.deployed)
    assert sum(pair.images for pair in found) == matrix.sum() - np.trace(matrix)


def test_a_narrower_model_is_called_so(evidence: Card) -> None:
    first, *others = evidence.stories
    narrow = structs.replace(first, recipe=replace(first.recipe, model="mobilenetv2", width=0.35))
    text = to_markdown(replace(evidence, stories=[narrow, *others]))
    assert "- Architecture: mobilenetv2 of width 0.35, " in text and "| width | 0.35 |" in text


def test_the_card_says_what_is_known(evidence: Card, exported: Run) -> None:
    text = to_markdown(evidence, "confusion.png")
    assert text.startswith("# Model card: cnn\n")
    assert f"{exported.info.model.parameters:,} parameters" in text
    assert f"{100 * exported.info.validation_accuracy:.2f} %" in text
    assert "multiply-accumulates for an image as trained; its files have fewer" in text
    assert "| batch_size | 16 |" in text
    assert "![Confusion matrix](confusion.png)" in text
    used = "{train:,} training images, {validation:,} validation images and {test:,} test images"
    used = used.format(**exported.info.splits.to_dict())
    assert f"{used}; no choice was made on the test images" in text
    assert "Trained on a part of the data" in text
    old = structs.replace(exported.info, splits=UNSET)
    text_of_old = to_markdown(replace(evidence, stories=[old]))
    assert "images for training and validation, and 400 test images; no choice" in text_of_old
    for row in evidence.results.rows:
        macs = "–" if row.macs is None else f"{row.macs:,}"
        assert f"| {row.size_bytes:,} | {row.gzip_bytes:,} | {macs} |" in text
        low, high = (100 * end for end in row.accuracy_ci95)
        assert f"| {100 * row.accuracy:.2f} | {low:.2f}–{high:.2f} |" in text
        if row.precision == "int8":
            assert f"{row.format} int8 against float32, on 400 images" in text
            assert f"(exact McNemar p = {_p(row.mcnemar_p)})" in text
    matrix = evidence.confusion(evidence.deployed)
    for label, name in enumerate(CLASS_NAMES):
        right = 100 * matrix[label, label] / matrix[label].sum()
        assert f"| {name} | {matrix[label].sum()} | {right:.2f} |" in text
    worst = evidence.confused(1)[0]
    assert (
        f"| {CLASS_NAMES[worst.label]} | {CLASS_NAMES[worst.taken_for]} | {worst.images} of {worst.of} |"
        in text
    )


def test_latencies_are_those_of_results_files(
    exported: Run, measured: Path, sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "card.md"
    write(capsys, exported.folder, measured, "-o", path, "--data", sample_folder)
    text = path.read_text()
    for row in results.read(measured).rows:
        assert f"| {row.runtime} {row.runtime_version} | {row.precision} | 1 |" in text
    assert "Not measured" not in text


def test_the_run_that_a_model_was_fine_tuned_from_is_in_it(
    exported: Run, sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = runs.read(shutil.copytree(exported.folder, tmp_path / "runs/base"))
    shutil.copytree(exported.folder, tmp_path / "runs/tuned")
    tuned = tmp_path / "runs/tuned"
    recipe = replace(base.recipe, base_run_id=base.id, fine_tuning="float")
    with zipfile.ZipFile(tuned / "model.keras", "a") as archive:
        archive.comment = b"other bytes, the same model"
    digest = sha256(tuned / "model.keras")
    model = structs.replace(base.info.model, sha256=digest)
    info = structs.replace(base.info, name="tuned", id=digest[:12], recipe=recipe, model=model)
    (tuned / "run.json").write_text(json.dumps(info.to_dict()))
    path = tmp_path / "card.md"
    write(capsys, "tuned", "--runs", tmp_path / "runs", "-o", path, "--data", sample_folder)
    text = path.read_text()
    assert "| Setting | tuned | cnn |" in text
    assert "tuned was trained for longer than the float32 model before it" in text


def test_a_card_of_what_comes_along(
    along: Path, nowhere: Path, tmp_path: Path, measured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "card.md"
    write(capsys, "zoo:cnn", "-o", path)
    text = path.read_text()
    assert "On 400 of 400 test images" in text
    assert "What quantization costs is not known" in text
    assert "Not measured" in text
    write(capsys, "zoo:cnn", measured, "-o", path)
    assert "tflite int8 against float32, on 20 images" in path.read_text()
    assert len(zoo.open_zoo().all_artifacts()) == 2


def test_the_picture(
    exported: Run, sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "confusion.png"
    options = ("-o", tmp_path / "card.md", "--data", sample_folder)
    write(capsys, exported.folder, *options, "--plot", picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "![Confusion matrix](confusion.png)" in (tmp_path / "card.md").read_text()


def test_bad_input_is_one_line_and_writes_nothing(
    exported: Run, measured: Path, sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = json.loads(measured.read_text())
    for row in other["results"]:
        row["sha256"] = "0" * 64
    others, foreign, path = tmp_path / "others.json", tmp_path / "foreign.json", tmp_path / "card.md"
    others.write_text(json.dumps(other))
    foreign.write_text("{}")
    data = ("--data", sample_folder, "-o", path)
    for arguments, said in (
        ([tmp_path / "gone", *data], "there is no run"),
        (["zoo:gone", *data], "zoo:gone|without models"),
        ([exported.folder, others, *data], "others.json has results of other files only"),
        ([exported.folder, foreign, *data], "foreign.json is damaged, or not a results file"),
        ([exported.folder, tmp_path / "gone.json", *data], "gone.json cannot be read"),
        ([exported.folder, *data, "--plot", "a.bmp"], "end the name in .png, .svg or .pdf"),
        ([exported.folder, "--data", sample_folder], "-o"),
    ):
        err = write(capsys, *arguments, code=2)
        assert any(part in err.splitlines()[-1] for part in said.split("|")), err
        assert not path.exists()


def test_what_folds_made_of_pictures_is_told(evidence: Card, exported: Run) -> None:
    pooled = Pooled(
        right=88, pictures=100, accuracy=0.88, accuracy_ci95=(0.8019, 0.93), balanced_accuracy=0.8
    )
    info = structs.replace(exported.info, folds={"int8": pooled})
    text = to_markdown(replace(evidence, stories=[info]))
    first = text.partition("## Accuracy\n\n")[2].splitlines()[0]
    assert "int8: 88.00 % of 100 pictures right" in first
    assert "each judged by a model of the same recipe that did not see it" in first
    assert "80.19–93.00" in text and "balanced 80.00 %" in text


def test_an_uneven_test_split_has_its_balanced_accuracy_and_what_chance_makes_of_a_loss(
    evidence: Card,
) -> None:
    own = evidence.results.rows[evidence.deployed]
    uneven = [
        structs.replace(each, images=each.images * (5 if n else 1)) for n, each in enumerate(own.recalls)
    ]
    row = structs.replace(
        own, recalls=tuple(uneven), balanced_accuracy=0.7, balanced_accuracy_delta=-0.04, balanced_p=0.3
    )
    row = structs.replace(row, mcnemar_p=0.2, accuracy_delta=-0.01, agreement=0.97)
    rows = [row if each is own else each for each in evidence.results.rows]
    text = to_markdown(replace(evidence, results=replace(evidence.results, rows=rows)))
    assert "balanced accuracy -4.00 points, which may well be chance (p = 0.30)" in text
    assert "Balanced %: the mean of the recalls" in text


def test_pictures_are_told_how_they_were_shared_out_and_how_few_they_are(
    evidence: Card, sample: Dataset
) -> None:
    few = np.arange(40)
    train, test = replace(sample.train.take(few), keys=np.zeros(40)), sample.test.take(few)
    drawn = replace(sample, train=train, test=test, own_test=False)
    split, warning = pictures.cautions(drawn)
    assert split.startswith("The data set declares no test pictures: the content of each picture decided")
    assert warning.startswith("Warning: the class ")
    assert "those that the data set declares" in pictures.cautions(replace(drawn, own_test=True))[0]
    assert pictures.cautions(sample) == []
    text = to_markdown(replace(evidence, cautions=[split, warning]))
    assert split in text and "A picture becomes an image 28 high and 28 wide, in gray: garment" in text


def test_no_confusion_among_few_images_says_little(evidence: Card) -> None:
    assert pictures.no_confusion("a", 5) == (
        "a: no confusion among 5 images, which says little: of others, up to 43 % may be wrong"
    )
    assert "little" not in pictures.no_confusion("a", 1000)
