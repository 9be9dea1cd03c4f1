"""run.json: the record of a training, see `edgefashion.training.runs`."""

from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from edgefashion.recipes import Recipe
from edgefashion.records.task import Task
from edgefashion.records.values import Amount, Count, Dataset, Digest, Id, Name, Positive, Share

if TYPE_CHECKING:
    Recorded = dict[str, Any]
else:
    Recorded = Recipe
"""A recipe: checked as one, and kept as the JSON that it is."""


class Model(TypedDict):
    """The trained model, as it was before anything of it was folded."""

    sha256: Digest
    file: NotRequired[str]
    parameters: NotRequired[Count]
    macs: NotRequired[Count]


class CompressedLayer(TypedDict):
    """What was found in the kernel of a pruned or clustered layer."""

    weights: Positive
    zeros: Count
    values: Positive


class Splits(TypedDict):
    """How many images were learned from, chose the best epoch, and were not looked at."""

    train: Positive
    validation: Positive
    test: Count


class Run(TypedDict):
    """What every run.json has, and what it may have."""

    schema: NotRequired[int]
    name: Name
    id: Id
    small_run: bool
    validation_accuracy: Share
    recipe: Recorded
    model: Model
    data: Dataset
    splits: NotRequired[Splits]
    task: NotRequired[Task]
    best_epoch: NotRequired[Positive]
    seconds: NotRequired[Amount]
    history: NotRequired[list[dict[str, float]]]
    initial_weights_sha256: NotRequired[Digest | None]
    compressed_layers: NotRequired[dict[str, CompressedLayer] | None]
    trained_on: NotRequired[Name]
    device: NotRequired[dict[str, Any]]
    versions: NotRequired[dict[str, Name]]
    seed_run: NotRequired[Name]


def check_epochs(run: Run) -> None:
    """Raise ValueError for a training of more epochs than its recipe has."""
    epochs = run["recipe"]["epochs"]
    if max(run.get("best_epoch", 0), len(run.get("history", ()))) > epochs:
        raise ValueError(f"it records more than the {epochs} epochs of its recipe")


class Described(Model):
    """The same with what a card says of it."""

    parameters: Count  # type: ignore[misc] # narrower than what every run.json has
    macs: Count  # type: ignore[misc]


class Story(Run):
    """What a card tells: every finished training has it."""

    model: Described  # type: ignore[misc]
    best_epoch: Positive  # type: ignore[misc]
    seconds: Amount  # type: ignore[misc]
    trained_on: Name  # type: ignore[misc]
    versions: dict[str, Name]  # type: ignore[misc]
