"""What is told while a training runs."""

from dataclasses import replace

import pytest

from edgefashion.recipes import RECIPES, Recipe
from edgefashion.training import progress
from edgefashion.training.progress import TrainingProgress

METRICS = {"loss": 1.0, "accuracy": 0.5, "val_accuracy": 0.5}


def recipe(epochs: int) -> Recipe:
    return replace(RECIPES["cnn"], epochs=epochs, batch_size=32)


def test_speed_and_time_left_are_told_from_the_second_step_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one compiles: it says nothing of the others."""
    clock, told, lines = [0.0], list[str](), list[str]()
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    found = TrainingProgress(recipe(2), 3, 0, lines.append, lambda text, done, total: told.append(text))
    found.on_train_begin()
    for epoch in range(2):
        found.on_epoch_begin(epoch)
        for step, seconds in enumerate((100 if epoch == 0 else 2, 2, 2)):
            clock[0] += seconds
            found.on_train_batch_end(step)
        found.on_epoch_end(epoch, METRICS)
    assert told[:3] == ["epoch 1/2", "epoch 1/2, 16 images/s, 8 s left", "epoch 1/2, 16 images/s, 6 s left"]
    assert lines[0].endswith("validation accuracy 0.5000, 16 images/s, 6 s left")
    assert lines[1].endswith("validation accuracy 0.5000, 16 images/s")


def test_of_a_single_step_no_speed_is_known() -> None:
    lines = list[str]()
    found = TrainingProgress(recipe(1), 1, 0, lines.append, None)
    found.on_train_begin()
    found.on_epoch_begin(0)
    found.on_train_batch_end(0)
    found.on_epoch_end(0, METRICS)
    assert lines == ["epoch 1/1: loss 1.0000, accuracy 0.5000, validation accuracy 0.5000"]
