"""Interruptions of a training with everything that a recipe can ask for, within an epoch too."""

import contextlib
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.cli import main
from edgefashion.data import Dataset
from edgefashion.errors import OutputError
from edgefashion.models import residual
from edgefashion.recipes import NAMED_RECIPES, Recipe
from edgefashion.tensorflow import keras
from edgefashion.training import checkpoints, loop, runs
from edgefashion.training.checkpoints import TrainingState
from edgefashion.training.input_pipeline import Part
from edgefashion.training.loop import parts_of
from edgefashion.training.runs import Run
from edgefashion.training.train import is_interrupted, train

RECIPE = replace(NAMED_RECIPES["cnn-64k"], epochs=2, limit=100, batch_size=20, mixup=0.2, ema=0.9)
WORDS = [
    *("train", "--recipe=cnn-64k", "--set=mixup=0.2", "--set=ema=0.9"),
    *("--epochs=2", "--limit=100", "--batch-size=20"),
]
COMMAND = [
    sys.executable,
    "-c",
    "from edgefashion.training import loop; loop.CHECKPOINT_SECONDS = 0\n"
    "from edgefashion.models import residual; residual._block = lambda tensor, *_: tensor\n"
    "from edgefashion.cli import main; main()",
]
Weights = list[np.ndarray[Any, Any]]


@pytest.fixture(scope="module", autouse=True)
def shallow() -> Iterator[None]:
    """The model is three convolutions, each with its normalization."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(residual, "_block", lambda tensor, *_: tensor)
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs/cnn-64k-limit-100"


def silent(line: str) -> None:
    pass


def weights(run: Run) -> Weights:
    return list(keras.models.load_model(run.model_path, compile=False).get_weights())


@pytest.fixture(scope="module")
def uninterrupted(sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Its epochs are short: no checkpoint is written inside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(TrainingState, "add_batches")
        return train(RECIPE, sample, tmp_path_factory.mktemp("runs") / "whole", report=silent)


def assert_same_training(one: Run, other: Run) -> None:
    for mine, expected in zip(weights(one), weights(other), strict=True):
        np.testing.assert_allclose(mine, expected, atol=1e-5)
    for entry, wanted in zip(one.info.history, other.info.history, strict=True):
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            assert entry[name] == pytest.approx(wanted[name], rel=1e-4), name


@contextlib.contextmanager
def stopped_after(batches: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A block in which every batch leaves a checkpoint, and a training ends after so many of them."""
    add_batches, left = TrainingState.add_batches, iter(range(batches - 1, -1, -1))

    def then_stop(state: TrainingState, *arguments: Any) -> None:
        add_batches(state, *arguments)
        if not next(left):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "CHECKPOINT_SECONDS", 0)
        patch.setattr(TrainingState, "add_batches", then_stop)
        with pytest.raises(KeyboardInterrupt):
            yield


def test_a_training_goes_on_within_an_epoch(
    folder: Path, sample: Dataset, uninterrupted: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second; within the first one it does so below, where the disk is full."""
    with stopped_after(6, monkeypatch):
        train(RECIPE, sample, folder, report=silent)
    assert is_interrupted(folder)
    lines: list[str] = []
    run = train(RECIPE, sample, folder, resume=True, report=lines.append)
    assert "resuming after batch 2 of epoch 2 of 2" in lines
    assert_same_training(run, uninterrupted)


def test_only_the_checkpoint_to_go_on_from_and_the_best_are_kept(
    folder: Path, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stopped_after(7, monkeypatch):
        train(RECIPE, sample, folder, report=silent)
    names = sorted(path.name for path in runs.staging(folder).glob("*.npz"))
    assert names == ["epoch-1-batch-3.npz", "epoch-1.npz"]


def test_a_short_epoch_has_no_checkpoint_inside(uninterrupted: Run) -> None:
    assert len(uninterrupted.info.history) == RECIPE.epochs
    assert loop.CHECKPOINT_SECONDS < 5 * 60


@pytest.mark.parametrize(
    ("good", "seconds", "kept"), [(0, 0, None), (1, 1000, "epoch 1"), (4, 0, "batch 4 of epoch 1")]
)
def test_a_full_disk_keeps_the_last_good_checkpoint_and_says_so(
    folder: Path,
    sample: Dataset,
    uninterrupted: Run,
    good: int,
    seconds: float,
    kept: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The disk has room for so many checkpoints; one is written after every batch, or every epoch."""
    save, room = np.savez, iter(range(good))

    def savez(file: Any, **arrays: Any) -> None:
        if next(room, None) is None:
            file.write(b"half of one")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(file, **arrays)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "CHECKPOINT_SECONDS", seconds)
        patch.setattr(np, "savez", savez)
        with pytest.raises(OutputError, match="No space left on device") as refused:
            train(RECIPE, sample, folder, report=silent)
    said = f"after {kept} is kept: go on from there with resume=True" if kept else "nothing was trained"
    assert said in str(refused.value)
    assert not list(runs.staging(folder).glob(".*"))
    assert is_interrupted(folder) == bool(kept)
    if kept:
        lines: list[str] = []
        run = train(RECIPE, sample, folder, resume=True, report=lines.append)
        assert f"resuming after {kept} of 2" in lines
        assert_same_training(run, uninterrupted)


def progress(staging: Path) -> tuple[int, int]:
    """How many epochs, and how many batches of the next one, are kept."""
    try:
        saved = json.loads((staging / checkpoints.PROGRESS).read_text())
        return len(saved["history"]), saved["batch"]
    except (OSError, ValueError):
        return 0, 0


def test_kill_9_keeps_the_older_run_and_all_that_was_finished(
    tmp_path: Path, sample_folder: Path, uninterrupted: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """A real kill, within the second epoch."""
    words = [*WORDS, f"--data={sample_folder}", f"--runs={tmp_path}"]
    folder = tmp_path / "cnn-64k-limit-100"
    shutil.copytree(uninterrupted.folder, folder)
    with subprocess.Popen([*COMMAND, *words, "--force"], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while progress(runs.staging(folder)) < (1, 1):
            assert process.poll() is None, "ended before it could be killed"
            assert time.monotonic() < deadline, "it does not go on"
            time.sleep(0.002)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert runs.read(folder) == replace(uninterrupted, folder=folder)
    with pytest.raises(SystemExit) as ended:
        main([*words, "--resume"])
    said = capsys.readouterr().err
    assert not ended.value.code, said
    assert re.search("resuming after batch . of epoch 2 of 2", said)
    found = runs.read(folder)
    assert found.info.seconds != uninterrupted.info.seconds
    assert_same_training(found, uninterrupted)
    assert {path.name for path in tmp_path.iterdir()} == {folder.name, f".{folder.name}.lock"}


def parts(recipe: Recipe, epoch: int = 0, batch: int = 0) -> list[Part]:
    return parts_of(recipe, 10, epoch, batch)


def test_what_is_left_of_a_training() -> None:
    assert parts(RECIPE) == [Part(0, 0, 10), Part(1, 0, 10)]
    assert parts(RECIPE, 1) == [Part(1, 0, 10)]
    assert parts(RECIPE, 0, 4) == [Part(0, 4, 10), Part(1, 0, 10)]
    assert parts(RECIPE, 2) == []
