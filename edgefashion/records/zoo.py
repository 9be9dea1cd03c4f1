"""zoo.json: the models that edgefashion ships, see `edgefashion.zoo`."""

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from edgefashion.records.run import Story
from edgefashion.records.task import Task
from edgefashion.records.values import Dataset, FileName, Name, Positive


class Sample(TypedDict):
    """Which test images are shipped."""

    split: Name
    images: Positive
    seed: int


class Model(TypedDict):
    """A model: its files, and the trainings behind it, the last first."""

    files: Annotated[list[FileName], Meta(min_length=1)]
    runs: Annotated[list[Story], Meta(min_length=1)]


class Zoo(TypedDict):
    """All of it."""

    schema: int
    dataset: Dataset
    models: Annotated[dict[Name, Model], Meta(min_length=1)]
    files: dict[FileName, Name]
    task: NotRequired[Task]
    sample: NotRequired[Sample]
    edgefashion: NotRequired[Name]
