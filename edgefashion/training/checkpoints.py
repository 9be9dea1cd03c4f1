"""The state of a training that is not finished, kept so that an interruption costs one epoch at most, and
five minutes of a longer one.

After every epoch everything that training changes is written to `epoch-N.npz`, and within a long one to
`epoch-N-batch-M.npz`; then `progress.json`, which names the last and the best of them, is replaced in one
step. What it does not name is removed.
"""

import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgefashion import files
from edgefashion.errors import OutputError, RunError, first_line
from edgefashion.errors.wording import setting
from edgefashion.files import arrays
from edgefashion.files.reading import converted, is_file, read_bytes, read_json
from edgefashion.recipes import Recipe
from edgefashion.records.task import Task as TaskRecord
from edgefashion.records.values import Dataset as DatasetInfo

PROGRESS = "progress.json"
MOST_COPIES = 16
"""How many times what is asked for a checkpoint may be large: it has an average and moments beside."""
OVERHEAD = 4 << 20


def start_again() -> str:
    """What mends a training that cannot go on."""
    return f"start again with {setting('--force')}"


Arrays = dict[str, np.ndarray[Any, Any]]


@dataclass
class TrainingState:
    """Where a training stands.

    `history` has one entry a finished epoch; `batch` is how many batches of the next one are done, and
    `seconds` how long these took.
    """

    folder: Path
    recipe: Recipe
    data: dict[str, str]
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    batch: int = 0
    seconds: float = 0.0
    dataset: DatasetInfo | None = None
    """What it began with; None in what an older version left."""
    task: TaskRecord | None = None

    @property
    def epoch(self) -> int:
        """How many epochs are finished."""
        return len(self.history)

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return bool(self.epoch or self.batch)

    @property
    def best(self) -> Path:
        """The checkpoint after the best epoch."""
        return self.checkpoint(self.best_epoch)

    @property
    def last(self) -> Path:
        """The checkpoint to go on from."""
        return self.checkpoint(self.epoch, self.batch)

    @property
    def where(self) -> str:
        """In words: `epoch 3`, or `batch 200 of epoch 4`."""
        return f"batch {self.batch} of epoch {self.epoch + 1}" if self.batch else f"epoch {self.epoch}"

    def checkpoint(self, epoch: int, batch: int = 0) -> Path:
        """Everything as it was after `epoch` (from 1) and so many batches of the next."""
        within = f"-batch-{batch}" if batch else ""
        return self.folder / f"epoch-{epoch}{within}.npz"

    def check(self, recipe: Recipe, data: dict[str, str]) -> None:
        """Raise RunError when this is not the training of `recipe` on `data` (its checksums)."""
        if changed := self.recipe.differences(recipe):
            raise RunError(
                f"the interrupted training has another recipe ({', '.join(changed)}): "
                f"resume with the recipe it began with, or {start_again()}"
            )
        if self.data != data:
            raise RunError(f"the interrupted training began with other data: {start_again()}")

    def check_within(self, epochs: int, steps: int) -> None:
        """Raise RunError for more than a training of so many epochs of so many batches can have done."""
        if self.epoch > epochs or self.batch >= (steps if self.epoch < epochs else 1):
            raise RunError(
                f"{self.folder / PROGRESS} records more epochs or batches than its recipe: {start_again()}"
            )

    def save(self) -> None:
        """Record the state in one step. Raises OutputError."""
        files.write_json(
            self.folder / PROGRESS,
            {
                "recipe": self.recipe.as_dict(),
                "data": self.data,
                "history": self.history,
                "best_epoch": self.best_epoch,
                "batch": self.batch,
                "seconds": self.seconds,
                "dataset": self.dataset.to_dict() if self.dataset else None,
                "task": self.task.to_dict() if self.task else None,
            },
        )

    def go_on_from(self, epoch: int, batch: int) -> None:
        """What other processes are told; this one knows."""

    def add_epoch(self, arrays: Arrays, metrics: dict[str, float], chance: float = 0.0) -> None:
        """Keep everything after one more epoch. It is the best one where it is better than those before, or
        by no more than `chance` worse. Raises OutputError; the last good state then stays.
        """
        most = max((score(entry) for entry in self.history), default=-1.0)
        better = score(metrics) > most or bool(chance and score(metrics) + chance >= most)
        history = [*self.history, metrics]
        best = len(history) if better else self.best_epoch
        self._advance(arrays, history=history, best_epoch=best, batch=0, seconds=0.0)

    def add_batches(self, arrays: Arrays, batch: int, seconds: float) -> None:
        """Keep everything after so many batches of an epoch. Raises OutputError as `add_epoch` does."""
        self._advance(arrays, batch=batch, seconds=seconds)

    def _advance(self, arrays: Arrays, **changes: Any) -> None:
        before = {name: getattr(self, name) for name in changes}
        try:
            self.__dict__ |= changes
            with files.replacing(self.last) as temporary, temporary.open("wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type] # its other argument is no array
            self.save()
        except BaseException as error:
            self.__dict__ |= before
            if isinstance(error, OutputError):
                raise OutputError(f"{error}; {self.kept()}") from error
            raise
        self._tidy()

    def kept(self) -> str:
        """What is not lost, and how the training goes on."""
        if not self.has_checkpoint:
            return "nothing was trained yet that could be kept"
        return f"the checkpoint after {self.where} is kept: go on from there with {setting('--resume')}"

    def _tidy(self) -> None:
        for path in _files(self.folder, "epoch-*.npz"):
            if path not in (self.last, self.best):
                path.unlink()


def score(metrics: Mapping[str, float]) -> float:
    """What chooses between epochs, and runs: accuracy on validation, balanced where classes are uneven."""
    return metrics.get("val_balanced_accuracy", metrics["val_accuracy"])


def has_checkpoint(folder: Path) -> bool:
    """Whether an interrupted training in `folder` has a checkpoint to go on from."""
    state = begun(folder)
    return state is not None and state.has_checkpoint


def begun(folder: Path) -> TrainingState | None:
    """The state of an interrupted training in `folder`; None where there is none that can be read."""
    with contextlib.suppress(RunError):
        return _read(folder)
    return None


def load(path: Path, like: Mapping[str, np.ndarray[Any, Any]]) -> Arrays:
    """Those arrays of a checkpoint that `like` names, of the types and shapes that they have there.

    Raises RunError where it cannot be read, has others, or numbers that are not finite.
    """
    most = OVERHEAD + MOST_COPIES * sum(array.nbytes for array in like.values())
    content = read_bytes(path, f"a checkpoint, or {start_again()}", RunError, most)
    try:
        return arrays.from_zip(content, like)
    except Exception as error:  # as many kinds as there are kinds of damage
        raise RunError(f"{path} is damaged ({first_line(error)}): {start_again()}") from error


def discard(folder: Path) -> None:
    """Remove what only a resumption needs."""
    for path in _files(folder, "epoch-*.npz"):
        path.unlink()
    (folder / PROGRESS).unlink(missing_ok=True)


def _files(folder: Path, pattern: str) -> list[Path]:
    """What is no folder: none of ours is called so."""
    return [path for path in folder.glob(pattern) if path.is_symlink() or not path.is_dir()]


def begin(
    folder: Path,
    recipe: Recipe,
    data: dict[str, str],
    dataset: DatasetInfo | None = None,
    task: TaskRecord | None = None,
) -> TrainingState:
    """Start from nothing in `folder`; what an older training left there is removed."""
    with files.naming_output(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    state = TrainingState(folder, recipe, data, dataset=dataset, task=task)
    state.save()
    return state


def resume(folder: Path, recipe: Recipe, data: dict[str, str]) -> TrainingState:
    """Continue what an interruption left in `folder`.

    Raises RunError when there is nothing, or when it was made with another recipe or other data.
    """
    if not is_file(folder / PROGRESS, RunError):
        raise RunError(f"there is nothing to resume: train without {setting('--resume')}")
    state = _read(folder)
    state.check(recipe, data)
    for half_written in _files(folder, ".*"):
        half_written.unlink()
    return state


def _read(folder: Path) -> TrainingState:
    """What an interruption left. Raises RunError where that cannot be read."""
    from edgefashion.records.training import Progress

    path = folder / PROGRESS
    what = "the state of a training"
    saved = read_json(path, what, RunError, mend=start_again())
    found: Progress = converted(saved, Progress, str(path), what, RunError, mend=start_again())
    history = saved["history"]  # all that was measured, of which only a part is known
    done = (found.best_epoch, found.batch, found.seconds, found.dataset, found.task)
    state = TrainingState(folder, found.recipe, found.data, history, *done)
    if not _is_possible(state):
        raise RunError(f"{path} is damaged: {start_again()}")
    return state


def _is_possible(state: TrainingState) -> bool:
    known = all({"val_accuracy", "seconds"} <= entry.keys() for entry in state.history)
    best = 1 <= state.best_epoch <= state.epoch if state.epoch else state.best_epoch == 0
    return known and best and state.batch >= 0 and state.seconds >= 0
