"""How far a training is: a line an epoch, and how much of the epoch is done."""

import time
from typing import Any

from edgefashion.recipes import Recipe
from edgefashion.reporting import Progress, Report
from edgefashion.tensorflow import keras

INTERVAL_S = 0.1


class TrainingProgress(keras.callbacks.Callback):
    """Reports the metrics of each epoch, and batches, speed and the time left of the whole training."""

    def __init__(
        self, recipe: Recipe, steps: int, done: int, report: Report, progress: Progress | None
    ) -> None:
        super().__init__()
        self._supports_tf_logs = True
        self.recipe, self.steps = recipe, steps
        self.done_steps, self.steps_seen = done, 0
        self.report, self.progress = report, progress
        self.began = self.told = time.monotonic()

    def on_train_begin(self, logs: Any = None) -> None:
        """Start the clock."""
        self.began = self.told = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note which epoch it is, counted from 0."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell how far it is, now and then."""
        self.steps_seen += 1
        last = batch + 1 == self.steps
        if self.progress and (last or time.monotonic() - self.told > INTERVAL_S):
            self.told = time.monotonic()
            self.progress(
                f"epoch {self.epoch + 1}/{self.recipe.epochs}{self._speed()}", batch + 1, self.steps
            )
        if self.steps_seen == 1:
            self.began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """One line an epoch."""
        values = {key: float(value) for key, value in (logs or {}).items()}
        balanced = values.get("val_balanced_accuracy")
        also = "" if balanced is None else f" (balanced {balanced:.4f})"
        self.report(
            f"epoch {epoch + 1}/{self.recipe.epochs}: loss {values['loss']:.4f}, "
            f"accuracy {values['accuracy']:.4f}, {self._kept} {values['val_accuracy']:.4f}{also}"
            + self._speed()
        )

    @property
    def _kept(self) -> str:
        """What is measured of the weights that are kept."""
        return "with the weights kept" if self.recipe.use_validation else "validation accuracy"

    def _speed(self) -> str:
        """That of all steps but the first, which compiles, and the time left; nothing before the second."""
        timed, seconds = self.steps_seen - 1, max(time.monotonic() - self.began, 1e-9)
        if timed < 1:
            return ""
        left = self.recipe.epochs * self.steps - self.done_steps - self.steps_seen
        ahead = f", {duration(left * seconds / timed)} left" if left else ""
        return f", {timed * self.recipe.batch_size / seconds:.0f} images/s{ahead}"


def duration(seconds: float) -> str:
    """Seconds as a person says them: `42 s`, `3 min 05 s`, `1 h 07 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
