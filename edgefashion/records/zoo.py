"""zoo.json: the models that edgefashion ships, see `edgefashion.zoo`."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from edgefashion.records.run import Story
from edgefashion.records.task import Task
from edgefashion.records.values import Dataset, FileName, Name, Positive, Record


class Sample(Record, frozen=True, kw_only=True):
    """Which test images are shipped."""

    split: Name
    images: Positive
    seed: int


class Model(Record, frozen=True, kw_only=True):
    """A model: its files, and the trainings behind it, the last first."""

    files: Annotated[tuple[FileName, ...], Meta(min_length=1)]
    runs: Annotated[tuple[Story, ...], Meta(min_length=1)]


class Zoo(Record, frozen=True, kw_only=True):
    """All of it."""

    schema: int
    edgefashion: Name | UnsetType = UNSET
    dataset: Dataset
    task: Task | UnsetType = UNSET
    sample: Sample | UnsetType = UNSET
    models: Annotated[dict[Name, Model], Meta(min_length=1)]
    files: dict[FileName, Name]
