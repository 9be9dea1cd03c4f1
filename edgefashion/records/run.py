"""run.json: the record of a training, see `edgefashion.training.runs`."""

from msgspec import UNSET, UnsetType

from edgefashion.recipes import Recipe
from edgefashion.records.device import Device
from edgefashion.records.imported import Imported
from edgefashion.records.task import Task
from edgefashion.records.values import (
    Amount,
    Count,
    Dataset,
    Digest,
    Id,
    Name,
    Pooled,
    Positive,
    Record,
    Share,
)


class Model(Record, frozen=True, kw_only=True):
    """The trained model, as it was before anything of it was folded."""

    file: str | UnsetType = UNSET
    sha256: Digest
    parameters: Count | UnsetType = UNSET
    macs: Count | UnsetType = UNSET


class CompressedLayer(Record, frozen=True, kw_only=True):
    """What was found in the kernel of a pruned or clustered layer."""

    weights: Positive
    zeros: Count
    values: Positive


class Splits(Record, frozen=True, kw_only=True):
    """How many images were learned from, chose the best epoch, and were not looked at. None chose where the
    recipe has `use_validation`.
    """

    train: Positive
    validation: Count
    test: Count


class Run(Record, frozen=True, kw_only=True):
    """What every run.json has, and what it may have."""

    schema: int | UnsetType = UNSET
    name: Name
    id: Id
    small_run: bool
    validation_accuracy: Share
    """On images that were learned from too where the recipe has `use_validation`."""
    best_epoch: Positive | UnsetType = UNSET
    task: Task | UnsetType = UNSET
    """Fashion-MNIST's without it."""
    recipe: Recipe
    """What an older version did not write has its default."""
    imported: Imported | UnsetType = UNSET
    """Of a model that was trained elsewhere, and of a run that was fine-tuned from one."""
    initial_weights_sha256: Digest | UnsetType | None = UNSET
    history: tuple[dict[str, float], ...] | UnsetType = UNSET
    """Of each epoch the measures of training, by their names, and its seconds; not in the zoo."""
    seconds: Amount | UnsetType = UNSET
    model: Model
    compressed_layers: dict[str, CompressedLayer] | UnsetType | None = UNSET
    data: Dataset
    splits: Splits | UnsetType = UNSET
    trained_on: Name | UnsetType = UNSET
    device: Device | UnsetType = UNSET
    versions: dict[str, Name] | UnsetType = UNSET
    seed_run: Name | UnsetType = UNSET
    """That of which this is a copy: the best of several seeds."""
    folds: dict[Name, Pooled] | UnsetType = UNSET
    """Precision → what the models of folds made of all pictures, where there were any."""

    def __post_init__(self) -> None:
        """Raise ValueError for a training of more epochs than its recipe has."""
        epochs = self.recipe.epochs
        if max(self.best_epoch or 0, len(self.history or ())) > epochs:
            raise ValueError(f"it records more than the {epochs} epochs of its recipe")


class Described(Model, frozen=True, kw_only=True):
    """The same with what a card says of it."""

    parameters: Count
    macs: Count


class Story(Run, frozen=True, kw_only=True):
    """What a card tells: every finished run has it."""

    model: Described
    versions: dict[str, Name]

    def __post_init__(self) -> None:
        """Raise ValueError also for a training that does not say how long it was, on what and to which
        epoch.
        """
        super().__post_init__()
        trained = self.best_epoch and self.trained_on and self.seconds is not UNSET
        if not trained and (self.recipe.epochs or not self.imported):
            raise ValueError("it lacks best_epoch, seconds or trained_on")
