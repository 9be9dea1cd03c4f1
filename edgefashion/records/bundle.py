"""bundle.json: what a bundle holds, see `edgefashion.bundle`."""

from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta

from edgefashion.records.task import Task
from edgefashion.records.values import Amount, Count, Dataset, Digest, Labels, Name, Positive


class Sample(TypedDict):
    """Which test images are in it."""

    images: Positive
    split: NotRequired[Name]
    seed: NotRequired[int]


class Entry(TypedDict):
    """An artifact, and how near to the host's its logits must be: `tolerance` in units of the logits."""

    file: Name
    runtime: Name
    runtime_version: Name
    tolerance: Amount | None
    why: Name


class Member(TypedDict):
    """A file in it."""

    size_bytes: Count
    sha256: Digest


class Bundle(TypedDict):
    """All of it."""

    schema: int
    edgefashion: Name
    host: dict[str, Any]
    dataset: Dataset
    sample: Sample
    classes: Labels
    task: NotRequired[Task]
    artifacts: Annotated[list[Entry], Meta(min_length=1)]
    members: dict[str, Member]
