"""progress.json, the state of a training that is not finished: see `edgefashion.training.checkpoints`."""

from typing import NotRequired, TypedDict

from edgefashion.recipes import Recipe
from edgefashion.records.task import Task
from edgefashion.records.values import Amount, Count, Dataset, Name, Record, Share


class Epoch(TypedDict):
    """What came of an epoch: loss and accuracy of the training split too, where that was measured."""

    val_accuracy: Share
    seconds: Amount
    val_loss: NotRequired[float | None]
    val_balanced_accuracy: NotRequired[Share]
    loss: NotRequired[float | None]
    accuracy: NotRequired[Share | None]


class Progress(Record, frozen=True, kw_only=True):
    """What is trained so far: `history` has an entry for each finished epoch."""

    recipe: Recipe
    data: dict[Name, Name]
    history: tuple[Epoch, ...]
    best_epoch: Count
    batch: Count = 0
    seconds: Amount = 0.0
    dataset: Dataset | None = None
    """What it is trained with."""
    task: Task | None = None
