"""A model of folds, and a set of pictures that changes: what it is measured on, and what that is called."""

import contextlib
import io
import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

import edgefashion as ef
from edgefashion.cli import main
from edgefashion.shelf.session import Session

TRAINING = ("--epochs", 2, "--batch-size", 4, "--folds", 2)
QUICK = ("--seconds", "0.01", "--threads", "1", "--in-process")
EACH = 10


def paint(folder: Path, name: str, numbers: range) -> None:
    """Pictures of noise, two thirds of the class that is darker."""
    for part, (label, low) in enumerate({"dark": 0, "light": 100}.items()):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in numbers if part else [*numbers, *(each + 1000 for each in numbers)]:
            pixels = np.random.default_rng([part, number]).integers(low, low + 155, (12, 12), np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{name}{number}.png")


def ran(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(list(map(str, arguments)))
    return int(stopped.value.code or 0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pictures `noise`, in `runs` a model of two folds of them with its exports, and in
    `said` what training said.
    """
    folder = tmp_path_factory.mktemp("folds")
    paint(folder / "noise", "", range(EACH))
    common = ("--data", folder / "noise", "--runs", folder / "runs")
    with contextlib.redirect_stderr(io.StringIO()) as said:
        assert not ran("train", *common, *TRAINING, "--name", "noise")
    (folder / "said").write_text(said.getvalue())
    assert not ran(
        "export", folder / "runs" / "noise", *common[:2], "--format", "tflite", "--precision", "float32"
    )
    return folder


@pytest.fixture
def changed(made: Path, tmp_path: Path) -> Path:
    """The same pictures, and as many more."""
    folder = tmp_path / "noise"
    shutil.copytree(made / "noise", folder)
    paint(folder, "new", range(100, 100 + EACH))
    return folder


def quick() -> ef.BenchmarkOptions:
    return replace(ef.BenchmarkOptions().lasting(0.01), in_process=True)


def test_folds_are_trained_and_measured_in_float_and_int8_and_a_last_model_on_all(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = json.loads((made / "runs" / "noise-folds.json").read_text())
    whole, said = ef.read_run(made / "runs" / "noise").info, (made / "said").read_text()
    assert whole.folds
    for precision in ("float32", "int8"):
        together = figures["pooled"][precision]
        assert together["right"] == sum(each["right"][precision] for each in figures["runs"])
        assert together["pictures"] == 3 * EACH
        assert whole.folds[precision].accuracy == together["accuracy"]
        assert f"{precision}: {together['right']} of 30 pictures right, each by the model of 2" in said
    assert [each["run"] for each in figures["runs"]] == ["noise-fold-1", "noise-fold-2"]
    command = ("train", "--data", made / "noise", "--runs", made / "runs", *TRAINING, "--name", "noise")
    assert not ran(*command, "--resume")
    assert capsys.readouterr().err.count("trained with the same recipe on the same data") == 3
    assert ef.read_run(made / "runs" / "noise").info.folds == whole.folds
    assert ran(*command, "--seeds", 2) == 2


def test_without_test_images_those_of_validation_are_called_so_below_the_pooled_figure(made: Path) -> None:
    run, dataset = ef.read_run(made / "runs" / "noise"), ef.load_dataset(made / "noise")
    assert run.info.folds and run.info.splits
    assert run.info.splits.test == 0
    found = ef.evaluate(run, dataset, threads=[1], options=quick())
    said, count = found.to_markdown(), run.info.splits.validation
    assert found.dataset and found.dataset.split == "validation"
    assert found.rows[0].images == run.info.splits.validation
    assert found.rows[0].pooled == run.info.folds["float32"]
    assert found.to_markdown().splitlines()[0].startswith("- noise float32: ")
    assert "test image" not in said and f"{count} of {count} validation images" in said
    path = made / "results.json"
    found.save(path)
    assert ef.read_results(path).rows[0].pooled == found.rows[0].pooled
    card = ef.make_card(run, dataset).to_markdown()
    accuracy = card.partition("## Accuracy\n\n")[2]
    assert "each judged by a model" in accuracy.splitlines()[0]
    assert "no image was kept apart for testing" in card and "0 test images" in card
    assert "the test images" not in card and "validation images, with 95 %" in accuracy
    ef.make_bundle(run, dataset, made / "noise.zip")
    there = ef.benchmark(made / "noise.zip", threads=[1], options=quick())
    assert there.to_markdown().splitlines()[0] == said.splitlines()[0]
    assert f"{count} of {count} validation images" in there.to_markdown()


def test_of_a_changed_set_no_picture_is_measured_that_was_learned_from(made: Path, changed: Path) -> None:
    run = ef.read_run(made / "runs" / "noise")
    dataset = ef.load_dataset(changed, task=run.task)
    old = {
        image.tobytes()
        for path in (made / "noise").rglob("*.png")
        for image in [np.asarray(Image.open(path))]
    }
    new = sum(image.tobytes() not in old for image in np.asarray(dataset.test.images))
    found = ef.evaluate(run, dataset, threads=[1], options=quick())
    assert found.rows[0].images == new
    assert found.dataset and found.dataset.changed
    assert (found.dataset.changed.then, found.dataset.changed.now) == (3 * EACH, 6 * EACH)
    assert found.dataset.changed.learned == len(dataset.test) - new > 0
    assert "(30 then, 60 now)" in found.to_markdown()


def test_groups_named_later_hide_no_picture(made: Path, changed: Path) -> None:
    """What a picture is shared out by is another number then: its pixels are known."""
    run = ef.read_run(made / "runs" / "noise")
    paths = sorted(changed.rglob("*.png"))
    lines = [f"{path.relative_to(changed)},{path.parent.name},g{number}" for number, path in enumerate(paths)]
    (changed / "labels.csv").write_text("\n".join(["file,label,group", *lines]) + "\n")
    dataset = ef.load_dataset(changed, task=run.task)
    found = ef.evaluate(run, dataset, threads=[1], options=quick())
    old = {
        image.tobytes()
        for path in (made / "noise").rglob("*.png")
        for image in [np.asarray(Image.open(path))]
    }
    assert found.rows[0].images == sum(
        image.tobytes() not in old for image in np.asarray(dataset.test.images)
    )


def test_where_nothing_unseen_is_left_it_is_refused(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fewer = tmp_path / "fewer"
    shutil.copytree(made / "noise", fewer)
    (fewer / "dark" / "0.png").unlink()
    run = made / "runs" / "noise"
    for verb in (
        ["evaluate", *QUICK],
        ["bundle", "-o", tmp_path / "b.zip"],
        ["card", "-o", tmp_path / "c.md"],
    ):
        assert ran(verb[0], run, *verb[1:], "--data", fewer) == 2
        assert "no test picture that noise did not learn from" in capsys.readouterr().err
    assert ran("evaluate", run, made / "runs" / "noise-fold-1", *QUICK, "--data", made / "noise") == 2
    assert "measure one at a time" in capsys.readouterr().err
    copy = tmp_path / "copy.tflite"
    shutil.copy(run / "artifacts" / "noise-float32.tflite", copy)
    shutil.copy(run / "artifacts" / "noise-float32.tflite.json", f"{copy}.json")
    assert ran("evaluate", copy, *QUICK, "--data", made / "noise") == 2
    assert "name its run" in capsys.readouterr().err


def test_interrupted_folds_go_on_to_the_same_figures(
    made: Path,
    tmp_path: Path,
    stopped: Callable[[], AbstractContextManager[None]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["train", *TRAINING, "--name", "noise", "--data", made / "noise", "--runs", tmp_path]
    again = "edgefashion: interrupted; the same command{} goes on from there"
    with stopped():
        assert ran(*command) == 130
        raise KeyboardInterrupt
    assert again.format(" with --resume") in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir() if path.name[0] != "."] == []
    with monkeypatch.context() as patch:
        patch.setattr("edgefashion.cli._folds.classes_of", Mock(side_effect=KeyboardInterrupt))
        assert ran(*command, "--resume") == 130
    said = capsys.readouterr().err
    assert "resuming after epoch 1" in said and again.format("") in said
    assert not ran(*command, "--resume")
    assert capsys.readouterr().err.count("reusing") == 1
    for name in ("noise-fold-1", "noise-fold-2", "noise"):
        one, other = (ef.read_run(folder / name).info for folder in (made / "runs", tmp_path))
        same = ("loss", "accuracy", "val_loss", "val_accuracy")
        assert [[epoch[key] for key in same] for epoch in one.history or ()] == [
            [epoch[key] for key in same] for epoch in other.history or ()
        ]
        assert one.folds == other.folds


@pytest.fixture
def fold(made: Path, tmp_path: Path) -> Path:
    """A copy of the run of the first fold, without its files."""
    folder = tmp_path / "noise-fold-1"
    shutil.copytree(made / "runs" / "noise-fold-1", folder, ignore=shutil.ignore_patterns("artifacts"))
    return folder


def test_a_fold_is_exported_with_what_it_learned_from(made: Path, fold: Path) -> None:
    """Not with the whole set, whose other pictures judge it."""
    lines: list[str] = []
    dataset = ef.load_dataset(made / "noise")
    (file,) = ef.export_model(fold, dataset, ["tflite"], ["int8"], report=lines.append)
    info = ef.read_run(fold).info
    assert info.splits and file.manifest and file.manifest.calibration
    assert file.manifest.calibration.count == info.splits.train < len(dataset.train)
    assert not file.manifest.exported_with
    assert not [line for line in lines if line.startswith("warning")]


def test_what_other_pictures_calibrate_and_verify_is_said_and_recorded(
    made: Path, fold: Path, changed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines: list[str] = []
    dataset = ef.load_dataset(changed, task=ef.read_run(fold).task)
    (file,) = ef.export_model(fold, dataset, ["tflite"], ["float32"], report=lines.append)
    said = f"warning: {fold} was trained with other data than these: its files are calibrated and verified"
    assert lines[0].startswith(said)
    assert file.manifest and file.manifest.exported_with and file.manifest.data
    assert file.manifest.exported_with["checksums"] == dataset.checksums
    assert file.manifest.data["checksums"] == ef.read_run(fold).info.data.checksums
    options = ("--format", "tflite", "--precision", "float32", "--data", changed)
    assert not ran("export", fold, *options)
    assert said in capsys.readouterr().err
    shutil.copytree(made / "runs" / "noise", fold.with_name("whole"))
    assert not ran("export", fold.with_name("whole"), *options)
    assert "other data than these (30 images then, 60 now): its" in " ".join(capsys.readouterr().err.split())


def test_the_pooled_figure_is_that_of_each_fold_on_what_it_did_not_see(made: Path) -> None:
    dataset, right, images = ef.load_dataset(made / "noise"), np.zeros(2), np.zeros(2)
    for number in (1, 2):
        run = ef.read_run(made / "runs" / f"noise-fold-{number}")
        rows = ef.evaluate(run, dataset, threads=[1], options=quick()).rows
        recalls = next(row.recalls for row in rows if row.precision == "int8")
        right += [each.right for each in recalls]
        images += [each.images for each in recalls]
    folds = ef.read_run(made / "runs" / "noise").info.folds
    assert folds and images.tolist() == [2 * EACH, EACH]
    assert folds["int8"].right == right.sum()
    assert folds["int8"].accuracy == pytest.approx(right.sum() / (3 * EACH))
    assert folds["int8"].balanced_accuracy == pytest.approx((right / images).mean())


def test_a_fold_is_measured_on_what_it_did_not_see(made: Path) -> None:
    run = ef.read_run(made / "runs" / "noise-fold-1")
    found = ef.evaluate(run, ef.load_dataset(made / "noise"), threads=[1], options=quick())
    assert found.rows[0].images == 3 * EACH // 2 and found.dataset and not found.dataset.split
    assert "15 of 15 test images" in found.to_markdown()


def test_folds_that_machines_train_one_at_a_time_have_the_same_figures(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here they are what was trained without: what comes home and what becomes of it is looked at."""
    command = ["train", *TRAINING, "--name", "noise", "--data", made / "noise"]
    asked: dict[str, tuple[str, ...]] = {}

    def run(one: Session, *_: object) -> None:
        asked[one.start.name] = one.start.words
        shutil.copytree(made / "runs" / one.start.name, one.staging)

    monkeypatch.setattr(Session, "run", run)
    monkeypatch.setattr("edgefashion.shelf.training.ready", lambda *_: None)
    assert not ran(*command, "--runs", tmp_path, "--workers", "a,b")
    assert {name: words[-2:] for name, words in asked.items()} == {
        f"noise{name}": ("--name=noise", f"--fold={number}")
        for number, name in enumerate(("", "-fold-1", "-fold-2"))
    }
    assert (tmp_path / "noise-folds.json").read_bytes() == (made / "runs/noise-folds.json").read_bytes()
    assert ef.read_run(tmp_path / "noise").info.folds == ef.read_run(made / "runs" / "noise").info.folds
    assert "of 30 pictures right, each by the model of 2" in capsys.readouterr().err
    (tmp_path / "noise-fold-2" / "judged.json").write_text('{"labels": [-1], "classes": {}}')
    asked.clear()
    assert ran(*command, "--runs", tmp_path, "--workers", "a,b", "--resume") == 2
    assert not asked and "judged.json" in capsys.readouterr().err


def test_one_fold_is_trained_alone(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("train", "--data", made / "noise", "--runs", made / "runs", *TRAINING, "--name", "noise")
    before = (made / "runs/noise-fold-2/judged.json").read_bytes()
    assert not ran(*command, "--fold", 2, "--resume")
    assert (made / "runs/noise-fold-2/judged.json").read_bytes() == before
    said = capsys.readouterr().err
    assert "noise-fold-2, trained with the same" in said and "noise-fold-1" not in said
    assert said.endswith(f"{made}/runs/noise-fold-2\n")
    assert ran(*command, "--fold", 3) == 2
    assert "--fold 3 is one of --folds: name it with --folds N" in capsys.readouterr().err
