"""Values that have a range, and records that several kinds of file share."""

from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, json, to_builtins

from edgefashion.files import json_text

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
Labels = Annotated[tuple[Name, ...], Meta(min_length=2, max_length=10_000)]
"""Names of classes, in the order of the logits."""


class Record(Struct, frozen=True, kw_only=True):
    """A JSON object. A field that it need not have is UNSET, which is false, where it has not."""

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON; what is no UTF-8 in a file's name readably, as `json_text` writes it."""
        try:
            content = json.encode(self)
        except UnicodeEncodeError:
            content = json_text(to_builtins(self)).encode()
        return json.decode(content, type=dict[str, Any])


class Counts(Record, frozen=True, kw_only=True):
    """How many images the splits have."""

    train: Count
    test: Count
    validation: Count | UnsetType = UNSET


class LeftOut(Record, frozen=True, kw_only=True):
    """How many files of a set of pictures are not in it."""

    bad: Count
    duplicates: Count


class Fold(Record, frozen=True, kw_only=True):
    """Which of how many folds of a data set; number 0 for all but validation, see `data.folds`."""

    number: Count
    of: Positive


class Pooled(Record, frozen=True, kw_only=True):
    """How many of all pictures were right, each judged by the model of the fold that it is in.

    `accuracy_ci95` is Wilson's interval: of the models' differences among each other it knows nothing.
    """

    right: Count
    pictures: Positive
    accuracy: Share
    accuracy_ci95: tuple[Share, Share]
    balanced_accuracy: Share

    def __str__(self) -> str:
        low, high = (100 * end for end in self.accuracy_ci95)
        return (
            f"{100 * self.accuracy:.2f} % of {self.pictures:,} pictures right (95 % interval "
            f"{low:.2f}–{high:.2f}; balanced {100 * self.balanced_accuracy:.2f} %), "
            "each judged by a model of the same recipe that did not see it"
        )


class Changed(Record, frozen=True, kw_only=True):
    """How a set of pictures differs from the one that what was measured on it was trained with."""

    then: Count | UnsetType = UNSET
    """How many pictures that had; absent where it is not known, or there were several."""
    now: Count
    learned: Count | UnsetType = UNSET
    """How many test pictures are left out since they, or others of their group, were learned from or chose;
    absent where it is not known which those are.
    """

    def __str__(self) -> str:
        counts = f" ({self.then:,} then, {self.now:,} now)" if self.then is not UNSET else ""
        start = f"not the set of pictures that was trained with{counts}"
        if self.learned is UNSET:
            return f"{start}; which test pictures were learned from is not known here: name the run"
        many = f"{self.learned:,} test pictures that were learned from or chose the epoch are left out"
        return f"{start}; {many if self.learned else 'no test picture was learned from'}"


class Dataset(Record, frozen=True, kw_only=True):
    """What `Dataset.describe` says."""

    name: Name
    source: str | UnsetType | None = UNSET
    complete: bool
    checksums: dict[Name, Name]
    counts: Counts
    folder: str | UnsetType = UNSET
    """The absolute path of a data set of the user's own, on the machine that read it."""
    left_out: LeftOut | UnsetType = UNSET
    follow_links: bool | UnsetType = UNSET
    fold: Fold | UnsetType = UNSET
    split: Literal["validation"] | UnsetType = UNSET
    """What `test` counts, and is measured on, where that is no test: the pictures that chose the epoch."""
    changed: Changed | UnsetType = UNSET
    """Where it is another set than what is measured was trained with."""

    @property
    def place(self) -> str:
        """Its folder or file, where that has another name than what models know; else empty."""
        path = Path(self.folder or "")
        return "" if self.name in (path.name, path.stem) or not path.name else f" in {path.name}"

    @property
    def measured(self) -> str:
        """The images that models are measured on, in words."""
        return f"{self.split or 'test'} images"

    def told(self) -> list[str]:
        """What one must know of those images to believe a figure: a line each."""
        lines = []
        if self.split:
            lines.append("These validation images chose the epoch that is kept: figures on them are too high")
        return [*lines, *([f"Data: {self.changed}"] if self.changed else [])]
