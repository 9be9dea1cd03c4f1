"""Manifests beside exported files, metadata within: see `artifacts.artifact` and `artifacts.metadata`."""

from typing import Any, NotRequired, TypedDict

from edgefashion.records.task import Task
from edgefashion.records.values import Count, Digest, Labels, Name, Positive


class Input(TypedDict):
    """What a file takes: `shape` is that of a batch, the first of it a letter."""

    name: Name
    dtype: Name
    shape: list[int | Name]
    values: Name
    layout: NotRequired[Name]


class Output(TypedDict):
    """What a file gives."""

    name: Name
    shape: list[int | Name]
    values: NotRequired[Name]


class Calibration(TypedDict):
    """Which images the ranges of an int8 file are from."""

    count: Positive
    method: NotRequired[Name | None]
    split: NotRequired[Name]
    seed: NotRequired[int]
    indices_sha256: NotRequired[Name]
    chosen: NotRequired[Name | None]


class Metadata(TypedDict):
    """What a file says inside."""

    schema: NotRequired[int]
    run: Name
    run_id: Name
    precision: Name
    small_run: bool
    base_run_id: NotRequired[Name | None]
    architecture: NotRequired[Name]
    target: NotRequired[Name | None]
    kept_float: NotRequired[list[Name]]
    task: NotRequired[Task]
    labels: NotRequired[Labels]
    input: NotRequired[Input]
    output: NotRequired[Output]
    preprocessing: NotRequired[dict[str, Any]]
    calibration: NotRequired[Calibration | None]
    license: NotRequired[Name]
    edgefashion: NotRequired[Name]


class Manifest(Metadata):
    """What stands beside it."""

    sha256: Digest
    file: NotRequired[Name]
    size_bytes: NotRequired[Count]
    format: NotRequired[Name]
    method: NotRequired[Name]
    data: NotRequired[dict[str, Any]]
    versions: NotRequired[dict[str, Name]]
    created: NotRequired[Name]
    verification: NotRequired[dict[str, Any]]
    cost: NotRequired[dict[str, Any]]
