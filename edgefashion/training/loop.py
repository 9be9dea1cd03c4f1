"""The training loop: learning from batch after batch, validating, and saving what was learned."""

import math
import time
from collections.abc import Sequence
from typing import Any

from edgefashion.errors import Diverged
from edgefashion.errors.wording import setting
from edgefashion.files.arrays import check_finite
from edgefashion.recipes import Recipe
from edgefashion.tensorflow import keras
from edgefashion.training.checkpoints import Arrays, TrainingState, score
from edgefashion.training.input_pipeline import Part
from edgefashion.training.trainer import Learner

CHECKPOINT_SECONDS = 240.0
"""How long an epoch may go on without a checkpoint; with a step and the writing, five minutes are enough."""


MOST_LOSS = 1e6
"""Nats: logits as far apart as that say nothing any more."""


def check_learning(epoch: int, metrics: dict[str, float], arrays: Arrays, recipe: Recipe) -> None:
    """Raise Diverged for a loss or weights that are not finite, or beyond all use. `epoch` counts from 0."""
    reason = next((f"{name} {value:.3g}" for name, value in metrics.items() if not value < MOST_LOSS), None)
    try:
        for name, array in arrays.items():
            check_finite(name, array)
    except ValueError:
        reason = reason or "weights that are not finite"
    if reason:
        raise Diverged(
            f"the training of {recipe.model} {Diverged.WORDS} {epoch + 1} ({reason}), and no run was kept: "
            f"start again with {setting('--force')} and a learning_rate below {recipe.learning_rate:g}"
        )


def parts_of(recipe: Recipe, steps: int, epoch: int, batch: int) -> list[Part]:
    """What is left of a training of `steps` batches an epoch, after `epoch` epochs and so many batches."""
    return [Part(number, batch if number == epoch else 0, steps) for number in range(epoch, recipe.epochs)]


class TrainingLoop:
    """Runs one part of a training after the other, `steps` batches an epoch."""

    def __init__(
        self,
        learner: Learner,
        state: TrainingState,
        validation: Any,
        steps: int,
        callbacks: Sequence[keras.callbacks.Callback],
    ) -> None:
        self.learner, self.state = learner, state
        self.validation, self.steps = validation, steps
        self.callbacks = keras.callbacks.CallbackList(callbacks, model=learner.model)
        self.callbacks.on_train_begin()
        self.begin_epoch(state.epoch)

    def begin_epoch(self, epoch: int) -> None:
        """Start counting, unless the epoch was begun before an interruption."""
        if not self.state.batch:
            self.learner.begin_epoch()
        self.began = self.kept = time.monotonic()
        self.before = self.state.seconds
        self.callbacks.on_epoch_begin(epoch)

    def run(self, part: Part, batches: Sequence[Any]) -> None:
        """Learn from the batches of a part, and end the epoch after its last. `batches` are iterators, one
        for each replica here.
        """
        for number in range(part.first, part.last):
            self.callbacks.on_train_batch_begin(number)
            self.learner.step(*batches)
            self.callbacks.on_train_batch_end(number)
            if number + 1 < self.steps and time.monotonic() - self.kept > CHECKPOINT_SECONDS:
                arrays = self.learner.arrays()
                check_learning(part.epoch, self.learner.metrics(), arrays, self.learner.recipe)
                self.state.add_batches(arrays, number + 1, self._seconds())
                self.kept = time.monotonic()
        if part.last == self.steps:
            self._end_epoch(part.epoch)

    def _end_epoch(self, epoch: int) -> None:
        metrics = self.learner.metrics() | self.learner.validate(self.validation)
        self.callbacks.on_epoch_end(epoch, dict(metrics))
        self.learner.follow_chief()
        arrays = self.learner.arrays()
        check_learning(epoch, metrics, arrays, self.learner.recipe)
        self.state.add_epoch(arrays, metrics | {"seconds": round(self._seconds(), 1)}, self._chance(metrics))
        if epoch + 1 < self.learner.recipe.epochs:
            self.begin_epoch(epoch + 1)
        else:
            self.callbacks.on_train_end()

    def _chance(self, metrics: dict[str, float]) -> float:
        """How much worse than the best epoch a later one may be and still be kept."""
        if self.learner.recipe.use_validation:
            return 1.0
        share = score(metrics)
        error = math.sqrt(share * (1 - share) / max(self.learner.validated, 1))
        return self.learner.recipe.tolerance * error

    def _seconds(self) -> float:
        return self.before + time.monotonic() - self.began
