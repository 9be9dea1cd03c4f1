"""The state of a training that is not finished, kept so that an interruption costs one epoch at most.

After every epoch the whole model with its optimizer is written to `epoch-N.keras`; then `progress.json`,
which names the last and the best of them, is replaced in one step. What it does not name is removed.
"""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgefashion import files
from edgefashion.errors import RunError
from edgefashion.keras import keras
from edgefashion.recipes import Recipe

PROGRESS = "progress.json"


@dataclass
class TrainingState:
    """Where a training stands. `history` has one entry a finished epoch."""

    folder: Path
    recipe: dict[str, Any]
    data: dict[str, str]
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0

    @property
    def epoch(self) -> int:
        """How many epochs are finished."""
        return len(self.history)

    def checkpoint(self, epoch: int) -> Path:
        """The model as it was after `epoch` (from 1)."""
        return self.folder / f"epoch-{epoch}.keras"

    def check(self, recipe: Recipe, data: dict[str, str]) -> None:
        """Raise RunError when this is not the training of `recipe` on `data` (its checksums)."""
        wanted = recipe.as_dict()
        changed = [key for key in wanted if self.recipe.get(key) != wanted[key]]
        if changed:
            differences = ", ".join(f"{key} {self.recipe.get(key)} → {wanted[key]}" for key in changed)
            raise RunError(
                f"the interrupted training has another recipe ({differences}): "
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
            },
        )

    def add_epoch(self, model: keras.Model, metrics: dict[str, float]) -> None:
        """Keep the model after one more epoch. Raises OutputError; the last good state then stays."""
        with files.replacing(self.checkpoint(self.epoch + 1)) as temporary:
            model.save(temporary)
        self.history.append(metrics)
        best = max(self.history, key=lambda entry: entry["val_accuracy"])
        self.best_epoch = self.history.index(best) + 1
        self.save()
        keep = {self.checkpoint(self.epoch), self.checkpoint(self.best_epoch)}
        for path in self.folder.glob("epoch-*.keras"):
            if path not in keep:
                path.unlink()


def epochs_done(folder: Path) -> int:
    """How many epochs an interrupted training in `folder` had finished; 0 when there is none to read."""
    try:
        return len(json.loads((folder / PROGRESS).read_text())["history"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def load(path: Path) -> keras.Model:
    """A checkpoint with its optimizer. Raises RunError when it cannot be read."""
    try:
        return keras.models.load_model(path)
    except Exception as error:  # as many kinds as there are kinds of damage
        raise RunError(f"{path} is damaged: start again with --force") from error


def discard(folder: Path) -> None:
    """Remove what only a resumption needs."""
    for path in folder.glob("epoch-*.keras"):
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
        state = TrainingState(folder, saved["recipe"], saved["data"], saved["history"], saved["best_epoch"])
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged: start again with --force") from error
    state.check(recipe, data)
    for half_written in folder.glob(".*"):
        half_written.unlink()
    return state
