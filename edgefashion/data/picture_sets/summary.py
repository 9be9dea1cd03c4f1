"""What a set of pictures holds, for people and for programs."""

from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from edgefashion.data import store, sufficiency
from edgefashion.data.picture_sets.alike import look_alikes
from edgefashion.data.picture_sets.examining import Examined, PictureSet
from edgefashion.data.picture_sets.layouts import Split
from edgefashion.data.picture_sets.options import SetOptions
from edgefashion.data.picture_sets.picture import Picture
from edgefashion.errors.wording import setting
from edgefashion.tables import Column, Page, Row, Table
from edgefashion.task import Task
from edgefashion.version import __version__

SCHEMA = 1
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
_MODES = {"1": "black and white", "L": "gray", "LA": "gray and alpha", "P": "palette"}
"""What Pillow's modes mean, where few know it."""
LISTED = 10
"""Files that are named to people; JSON has all."""


@dataclass(frozen=True)
class Summary:
    """All that is told of a set."""

    examined: Examined
    used: PictureSet
    task: Task
    """What would be made of it."""
    options: SetOptions = field(default_factory=SetOptions)
    """What is to be left out."""

    @property
    def counts(self) -> sufficiency.Counts:
        """As `sufficiency` takes them."""
        return {name: (sum(row.values()), row["test"]) for name, row in self._rows().items()}

    @property
    def imbalance(self) -> float:
        """How many times as many training pictures as the smallest class the largest has."""
        counts = Counter(each.label for each in self.used.pictures if each.split == "train").values()
        return max(counts) / min(counts)

    def page(self) -> Page:
        """For people."""
        rows: list[Row] = [{"class": name, **row} for name, row in self._rows().items()]
        whole = {split: sum(row[split] for row in rows) for split in SPLITS}
        return Page(
            self._header(), [Table("Pictures", _COLUMNS, [*rows, {"class": "all", **whole}])], self._notes()
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        pictures = self.examined.good
        return {
            "schema": SCHEMA,
            "edgefashion": __version__,
            "folder": str(self.examined.path),
            "checksum": self.used.checksum,
            "pictures": len(self.used.pictures),
            "classes": self._rows(),
            "imbalance": round(self.imbalance, 2),
            "sizes": self._sizes(),
            "formats": dict(Counter(each.scanned.format for each in pictures)),
            "modes": dict(Counter(each.scanned.mode for each in pictures)),
            "gray": sum(each.scanned.gray for each in pictures),
            "bad": [{"file": each.name, "why": each.scanned.defect} for each in self.examined.bad],
            "duplicates": [[_told(each) for each in pair] for pair in self.examined.conflicts],
            "look_alikes": [[_told(each) for each in pair] for pair in self._alike()],
            "left_out": {"bad": len(self.used.bad), "duplicates": len(self.used.dropped)},
            "task": self.task.to_dict(),
        }

    def _rows(self) -> dict[str, dict[str, int]]:
        """Class → split → pictures."""
        found = Counter((each.label, each.split) for each in self.used.pictures)
        return {
            name: {split: found[name, split] for split in SPLITS}
            for name in sorted({name for name, _ in found})
        }

    def _sizes(self) -> dict[str, list[int]]:
        sizes = sorted((each.scanned.size for each in self.examined.good), key=lambda size: size[0] * size[1])
        middle = [round(median(size[edge] for size in sizes)) for edge in (0, 1)]
        return {"smallest": list(sizes[0]), "median": middle, "largest": list(sizes[-1])}

    def _alike(self) -> list[tuple[Picture, Picture]]:
        return look_alikes(self.used.pictures, self.used.checksum)

    def _header(self) -> list[str]:
        pictures, (height, width, channels) = self.examined.good, self.task.image_shape
        sizes = {name: f"{size[0]}x{size[1]}" for name, size in self._sizes().items()}
        same = sizes["smallest"] == sizes["largest"]
        ranging = f"{sizes['smallest']} to {sizes['largest']}, median {sizes['median']}"
        kinds = Counter((each.scanned.format, each.scanned.mode) for each in pictures).most_common()
        told = ", ".join(f"{count:,} {kind} {_MODES.get(mode, mode)}" for (kind, mode), count in kinds)
        return [
            f"{self.task.name}: {len(self.used.pictures):,} pictures of {len(self.counts)} classes",
            f"width x height: {sizes['median'] if same else ranging}; {told}",
            f"images to be made: {height} high, {width} wide, {'gray' if channels == 1 else 'RGB'}, "
            f"{self.task.picture.fit}",
        ]

    def _notes(self) -> list[str]:
        conflicts, alike = self.examined.conflicts, self._alike()
        notes = [f"Imbalance: {self.imbalance:.1f} to 1, of the pictures that are learned from."]
        if self.examined.bad:
            out = ", left out" if self.options.get("skip_bad") else ""
            notes.append(f"Files that cannot be used{out}: {len(self.examined.bad):,}, named above.")
        if conflicts:
            out = ", left out" if self.options.get("drop_duplicates") else ""
            notes += [
                f"The same picture in two classes or splits{out}: {len(conflicts):,}.",
                *_pairs(conflicts),
            ]
        if alike:
            notes += [f"Look the same in two splits: {len(alike):,}.", *_pairs(alike)]
        notes += self.used.warnings(self.task.classes)
        if few := sufficiency.warning(self.counts):
            notes.append(few)
        kept, most = store.size() / 1e6, store.most_bytes() / 1e9
        notes.append(
            f"Decoded pictures of all sets: {kept:,.0f} MB of {most:g} GB at most, in {store.folder()}."
        )
        return notes


def _pairs(pairs: list[tuple[Picture, Picture]]) -> list[str]:
    lines = [f"  {_text(one)} and {_text(other)}" for one, other in pairs[:LISTED]]
    return lines + (
        [f"  and {len(pairs) - LISTED:,} more: {setting('--json')} names them"] if len(pairs) > LISTED else []
    )


def _text(picture: Picture) -> str:
    return f"{picture.name} ({picture.split})"


def _told(picture: Picture) -> dict[str, str | None]:
    return {"file": picture.name, "class": picture.label, "split": picture.split}


def _count(split: Split) -> Column[Row]:
    return Column(split.capitalize(), lambda row: f"{row[split]:,}")


_COLUMNS: tuple[Column[Row], ...] = (
    Column("Class", lambda row: row["class"], number=False),
    *map(_count, SPLITS),
    Column("All", lambda row: f"{sum(row[split] for split in SPLITS):,}"),
)
