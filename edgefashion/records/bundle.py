"""bundle.json: what a bundle holds, see `edgefashion.bundle`."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from edgefashion.records.task import Task
from edgefashion.records.values import Amount, Count, Dataset, Digest, Labels, Name, Positive, Record


class Sample(Record, frozen=True, kw_only=True):
    """Which test images are in it."""

    split: Name | UnsetType = UNSET
    images: Positive
    seed: int | UnsetType = UNSET


class Entry(Record, frozen=True, kw_only=True):
    """An artifact, and how near to the host's its logits must be: `tolerance` in units of the logits."""

    file: Name
    runtime: Name
    runtime_version: Name
    tolerance: Amount | None
    why: Name


class Member(Record, frozen=True, kw_only=True):
    """A file in it."""

    size_bytes: Count
    sha256: Digest


class Bundle(Record, frozen=True, kw_only=True):
    """All of it."""

    schema: int
    edgefashion: Name
    host: dict[str, Any]
    """What of a `Device` is the same tomorrow: told to people."""
    dataset: Dataset
    sample: Sample
    task: Task | UnsetType = UNSET
    classes: Labels
    artifacts: Annotated[tuple[Entry, ...], Meta(min_length=1)]
    members: dict[str, Member]
