"""Showing the progress of a training: a bar in a terminal, a line now and then in a log."""

import sys
import time
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from edgefashion.tensorflow import keras

LOG_INTERVAL_SECONDS = 30


class TrainingProgress(keras.callbacks.Callback):
    """Reports batches, metrics and the time left of the whole training, on stderr.

    The training goes inside `with`, so that the terminal is as it was before however the training ends.
    """

    def __init__(self, epochs: int, steps: int, batch_size: int, done_steps: int = 0) -> None:
        super().__init__()
        self._supports_tf_logs = True
        self.epochs, self.steps, self.batch_size = epochs, steps, batch_size
        self.done_steps = done_steps
        self.steps_seen = 0
        self.began = self.logged = time.monotonic()
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            console=self.console,
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self.task = self.bar.add_task("training", total=steps, note="")

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def on_train_begin(self, logs: Any = None) -> None:
        """Start the clock."""
        self.began = self.logged = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the bar of this epoch."""
        self.epoch = epoch
        self.bar.reset(self.task, total=self.steps, description=f"epoch {epoch + 1}/{self.epochs}", note="")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Advance, and tell speed and time left."""
        self.steps_seen += 1
        note = f"{self._rate():.0f} images/s, {duration(self._seconds_left())} left"
        self.bar.update(self.task, completed=batch + 1, note=note)
        if self.bar.disable and time.monotonic() - self.logged > LOG_INTERVAL_SECONDS:
            self.logged = time.monotonic()
            where = f"epoch {self.epoch + 1}/{self.epochs}: batch {batch + 1} of {self.steps}"
            self.console.print(f"{where}, {note}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """One line an epoch."""
        values = {key: float(value) for key, value in (logs or {}).items()}
        left = f", {duration(self._seconds_left())} left" if epoch + 1 < self.epochs else ""
        self.console.print(
            f"epoch {epoch + 1}/{self.epochs}: loss {values['loss']:.4f}, accuracy {values['accuracy']:.4f}, "
            f"validation accuracy {values['val_accuracy']:.4f}, {self._rate():.0f} images/s{left}"
        )

    def _rate(self) -> float:
        return self.steps_seen * self.batch_size / (time.monotonic() - self.began)

    def _seconds_left(self) -> float:
        steps_left = self.epochs * self.steps - self.done_steps - self.steps_seen
        return steps_left * (time.monotonic() - self.began) / max(self.steps_seen, 1)


def duration(seconds: float) -> str:
    """Seconds as a person says them: `42 s`, `3 min 05 s`, `1 h 07 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
