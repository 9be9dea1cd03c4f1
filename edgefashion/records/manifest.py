"""Manifests beside exported files, metadata within: see `artifacts.artifact` and `artifacts.metadata`."""

from typing import Any

from msgspec import UNSET, UnsetType

from edgefashion.records.task import Task
from edgefashion.records.values import Count, Digest, Labels, Name, Pooled, Positive, Record, Share


class Input(Record, frozen=True, kw_only=True):
    """What a file takes: `shape` is that of a batch, the first of it a letter."""

    name: Name
    dtype: Name
    shape: tuple[int | Name, ...]
    layout: Name | UnsetType = UNSET
    values: Name


class Output(Record, frozen=True, kw_only=True):
    """What a file gives."""

    name: Name
    shape: tuple[int | Name, ...]
    values: Name | UnsetType = UNSET


class Calibration(Record, frozen=True, kw_only=True):
    """Which images the ranges of an int8 file are from. Inside a file it ends with the method, and has none
    of the figures before that.
    """

    split: Name | UnsetType = UNSET
    count: Positive
    seed: int | UnsetType = UNSET
    indices_sha256: Name | UnsetType = UNSET
    class_counts: tuple[Count, ...] | UnsetType = UNSET
    pixels: dict[str, float] | UnsetType = UNSET
    """Least, greatest, mean and standard deviation; of normalized ones, too."""
    normalised: dict[str, float] | UnsetType = UNSET
    method: Name | UnsetType | None = UNSET
    chosen: Name | UnsetType | None = UNSET
    """Why this method: "measured", "the only one" or "asked for"."""
    measured: dict[str, dict[str, float]] | UnsetType = UNSET
    """What came of each method, where several were tried."""


class Rejection(Record, frozen=True, kw_only=True):
    """Which pictures no class fits: see `evaluation.rejection`."""

    threshold: float
    """Below it a picture is rejected: of its energy, less the median of the class that it is given."""
    medians: tuple[float, ...]
    """Of each class: the energy of the pictures that are given it."""
    share: Share
    """Of the pictures below, that are rejected."""
    images: Positive
    """How many the figures are from."""
    split: Name
    """Which these are of."""


class Metadata(Record, frozen=True, kw_only=True):
    """What a file says inside."""

    schema: int | UnsetType = UNSET
    run: Name
    run_id: Name
    base_run_id: Name | UnsetType | None = UNSET
    small_run: bool
    architecture: Name | UnsetType = UNSET
    width: float | UnsetType = UNSET
    """What its channels are multiplied by, where that is not 1."""
    precision: Name
    target: Name | UnsetType | None = UNSET
    kept_float: tuple[Name, ...] | UnsetType = UNSET
    task: Task | UnsetType = UNSET
    labels: Labels | UnsetType = UNSET
    input: Input | UnsetType = UNSET
    output: Output | UnsetType = UNSET
    preprocessing: dict[str, Any] | UnsetType = UNSET
    """Told to people: nothing reads it."""
    calibration: Calibration | UnsetType | None = UNSET
    license: Name | UnsetType = UNSET
    edgefashion: Name | UnsetType = UNSET


class Manifest(Record, frozen=True, kw_only=True):
    """What stands beside it: in its order, what is inside, and more."""

    schema: int | UnsetType = UNSET
    file: Name | UnsetType = UNSET
    size_bytes: Count | UnsetType = UNSET
    sha256: Digest
    run: Name
    run_id: Name
    base_run_id: Name | UnsetType | None = UNSET
    small_run: bool
    architecture: Name | UnsetType = UNSET
    width: float | UnsetType = UNSET
    """What its channels are multiplied by, where that is not 1."""
    format: Name | UnsetType = UNSET
    precision: Name
    method: Name | UnsetType = UNSET
    target: Name | UnsetType | None = UNSET
    kept_float: tuple[Name, ...] | UnsetType = UNSET
    input: Input | UnsetType = UNSET
    output: Output | UnsetType = UNSET
    preprocessing: dict[str, Any] | UnsetType = UNSET
    task: Task | UnsetType = UNSET
    labels: Labels | UnsetType = UNSET
    calibration: Calibration | UnsetType | None = UNSET
    data: dict[str, Any] | UnsetType = UNSET
    """Of what `Dataset.describe` says: name, complete, checksums."""
    exported_with: dict[str, Any] | UnsetType = UNSET
    """The same of what calibrated and verified the file, where that is not what the run was trained with."""
    folds: dict[Name, Pooled] | UnsetType = UNSET
    """As in the run's record."""
    versions: dict[str, Name] | UnsetType = UNSET
    created: Name | UnsetType = UNSET
    cost: dict[str, Any] | UnsetType = UNSET
    """Of layers in float: told to people, as are the figures of `export.verify`."""
    drop: dict[str, Any] | UnsetType = UNSET
    """What int8 loses, measured by `quantize` against its limit: see `export.drop`. Told to people, too."""
    verification: dict[str, Any] | UnsetType = UNSET
    rejection: Rejection | UnsetType = UNSET
    license: Name | UnsetType = UNSET
    edgefashion: Name | UnsetType = UNSET
