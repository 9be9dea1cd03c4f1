"""The state of a training that is not finished, kept so that an interruption costs one epoch at most, and
five minutes of a longer one.

After every epoch everything that training changes is written to `epoch-N.npz`, and within a long one to
`epoch-N-batch-M.npz`; then `progress.json`, which names the last and the best of them, is replaced in one
step. What it does not name is removed.
"""

import json
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgefashion import files
from edgefashion.errors import OutputError, RunError
from edgefashion.recipes import Recipe

PROGRESS = "progress.json"
Arrays = dict[str, np.ndarray[Any, Any]]


@dataclass
class TrainingState:
    """Where a training stands.

    `history` has one entry a finished epoch; `batch` is how many batches of the next one are done, and
    `seconds` how long these took.
    """

    folder: Path
    recipe: dict[str, Any]
    data: dict[str, str]
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    batch: int = 0
    seconds: float = 0.0

    @property
    def epoch(self) -> int:
        """How many epochs are finished."""
        return len(self.history)

    @property
    def begun(self) -> bool:
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
        if changed := Recipe.from_dict(self.recipe).differences(recipe):
            raise RunError(
                f"the interrupted training has another recipe ({', '.join(changed)}): "
                "resume with the recipe it began with, or start again with --force"
            )
        if self.data != data:
            raise RunError("the interrupted training began with other data: start again with --force")

    def save(self) -> None:
        """Record the state in one step. Raises OutputError."""
        files.write_json(
            self.folder / PROGRESS,
            {
                "recipe": self.recipe,
                "data": self.data,
                "history": self.history,
                "best_epoch": self.best_epoch,
                "batch": self.batch,
                "seconds": self.seconds,
            },
        )

    def add_epoch(self, arrays: Arrays, metrics: dict[str, float]) -> None:
        """Keep everything after one more epoch. Raises OutputError; the last good state then stays."""
        history = [*self.history, metrics]
        best = max(history, key=lambda entry: entry["val_accuracy"])
        self._advance(arrays, history=history, best_epoch=history.index(best) + 1, batch=0, seconds=0.0)

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
                raise OutputError(f"{error}; {self._kept()}") from error
            raise
        self._tidy()

    def _kept(self) -> str:
        if not self.begun:
            return "nothing was trained yet that could be kept"
        return f"the checkpoint after {self.where} is kept: go on from there with --resume"

    def _tidy(self) -> None:
        for path in self.folder.glob("epoch-*.npz"):
            if path not in (self.last, self.best):
                path.unlink()


def begun(folder: Path) -> bool:
    """Whether an interrupted training in `folder` has a checkpoint to go on from."""
    try:
        saved = json.loads((folder / PROGRESS).read_text())
        return bool(saved["history"] or saved.get("batch"))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def load(path: Path) -> Arrays:
    """A checkpoint. Raises RunError when it cannot be read."""
    try:
        with np.load(path) as saved:
            return {name: saved[name] for name in saved.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise RunError(f"{path} is damaged: start again with --force") from error


def discard(folder: Path) -> None:
    """Remove what only a resumption needs."""
    for path in folder.glob("epoch-*.npz"):
        path.unlink()
    (folder / PROGRESS).unlink(missing_ok=True)


def begin(folder: Path, recipe: Recipe, data: dict[str, str]) -> TrainingState:
    """Start from nothing in `folder`; what an older training left there is removed."""
    with files.naming_output(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    state = TrainingState(folder, recipe.as_dict(), data)
    state.save()
    return state


def resume(folder: Path, recipe: Recipe, data: dict[str, str]) -> TrainingState:
    """Continue what an interruption left in `folder`.

    Raises RunError when there is nothing, or when it was made with another recipe or other data.
    """
    path = folder / PROGRESS
    if not path.is_file():
        raise RunError("there is nothing to resume: train without --resume")
    try:
        saved = json.loads(path.read_text())
        state = TrainingState(
            folder,
            saved["recipe"],
            saved["data"],
            saved["history"],
            saved["best_epoch"],
            saved.get("batch", 0),
            saved.get("seconds", 0.0),
        )
        state.check(recipe, data)
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged: start again with --force") from error
    for half_written in folder.glob(".*"):
        half_written.unlink()
    return state
