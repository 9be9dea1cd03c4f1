"""Values that have a range, and records that several kinds of file share."""

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

Name = Annotated[str, Meta(max_length=4096)]
Share = Annotated[float, Meta(ge=0, le=1)]
Difference = Annotated[float, Meta(ge=-1, le=1)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Amount = Annotated[float, Meta(ge=0)]
Time = Annotated[float, Meta(ge=1e-6, le=2**63)]
"""In microseconds, milliseconds or seconds, of something that was done."""
Id = Annotated[str, Meta(pattern=r"^[0-9a-zA-Z]{1,64}\Z")]
"""Of a run, the first digits of a SHA-256; never a path, since files are called by it."""
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
FileName = Annotated[str, Meta(pattern=r"^[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*\Z", max_length=255)]
"""Of a file in the same folder: neither a path nor hidden, and of one line."""
Labels = Annotated[list[Name], Meta(min_length=2, max_length=10_000)]
"""Names of classes, in the order of the logits."""


class Counts(TypedDict):
    """How many images the splits have."""

    train: Count
    test: Count
    validation: NotRequired[Count]


class LeftOut(TypedDict):
    """How many files of a set of pictures are not in it."""

    bad: Count
    duplicates: Count


class Dataset(TypedDict):
    """What `Dataset.describe` says."""

    name: Name
    complete: bool
    checksums: dict[Name, Name]
    counts: Counts
    source: NotRequired[str | None]
    folder: NotRequired[str]
    follow_links: NotRequired[bool]
    left_out: NotRequired[LeftOut]
