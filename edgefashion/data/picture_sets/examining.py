"""From a folder or .zip file to the pictures in it that can be used, each in a split."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from edgefashion.data.picture_sets import duplicates, layouts, scanning
from edgefashion.data.picture_sets.allocation import allocated, lent
from edgefashion.data.picture_sets.layouts import Split, listed
from edgefashion.data.picture_sets.picture import Picture
from edgefashion.data.picture_sets.trees import Folder, Tree, shown, stamp_of
from edgefashion.data.picture_sets.zips import Zip, is_zip
from edgefashion.errors import DataError
from edgefashion.errors.wording import setting
from edgefashion.reporting import Progress, Report, silent


@dataclass(frozen=True)
class PictureSet:
    """Pictures of a set before they become images."""

    path: Path
    pictures: list[Picture]
    """Those that are used, each in a split."""
    bad: list[Picture] = field(default_factory=list)
    """Files that cannot be used."""
    dropped: list[Picture] = field(default_factory=list)
    """Left out, being there twice."""

    def of(self, split: Split) -> list[Picture]:
        """The pictures of a split, by name."""
        return sorted((each for each in self.pictures if each.split == split), key=lambda each: each.order)

    @property
    def classes(self) -> list[str]:
        """Names of the classes that there is something to learn of, sorted."""
        return sorted({each.label for each in self.pictures if each.split == "train"})

    def warnings(self, classes: Sequence[str]) -> list[str]:
        """What splits lack, in lines for people: of these classes, and altogether."""
        folds = ", or judge by edgefashion train --folds 4" if self.classes else ""
        remedy = f"add more pictures{folds}"
        lines = [
            f"warning: there is no {each.split} picture but {shown(each.name)}, moved there until there is "
            f"another: {remedy}"
            for each in lent(self.pictures)
        ]
        for split in ("validation", "test") if self.classes else ("test",):
            there = {each.label for each in self.pictures if each.split == split}
            if missing := [name for name in classes if name not in there]:
                lines.append(f"warning: there is no {split} picture of {listed(missing)}: {remedy}")
        return lines

    @property
    def checksum(self) -> str:
        """SHA-256 of which pictures there are, and where: their names and order do not matter."""
        lines = sorted(f"{each.digest} {each.split} {each.label}\n" for each in self.pictures)
        return hashlib.sha256("".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class Examined:
    """All files of a set as they were found."""

    path: Path
    good: list[Picture]
    """Pictures, in the splits that the user declared."""
    bad: list[Picture]
    """Files that cannot be used."""

    @property
    def conflicts(self) -> list[tuple[Picture, Picture]]:
        """The same picture in two classes or splits, once."""
        groups = duplicates.copies(allocated(self.good))
        return [pair for group in groups if (pair := duplicates.conflict(group))]

    def refuse_bad(self) -> None:
        """Raise DataError for files that cannot be used."""
        if not self.bad:
            return
        bad, of = self.bad, len(self.bad) + len(self.good)
        more = f", and {len(bad) - 1:,} more" if len(bad) > 1 else ""
        raise DataError(
            f"{self.path}: {len(bad):,} of {of:,} files cannot be used ({shown(bad[0].name)} "
            f"{bad[0].scanned.defect}{more}): mend or remove them, or leave them out with "
            f"{setting('--skip-bad')}"
        )

    def refuse_copies(self) -> None:
        """Raise DataError for the same picture in two classes or splits."""
        if conflicts := self.conflicts:
            raise DataError(
                f"{self.path}: {_same(conflicts)}: remove one, or leave such out with "
                f"{setting('--drop-duplicates')}"
            )

    def whole(self) -> PictureSet:
        """All that can be used."""
        if not self.good:
            raise DataError(f"{self.path} holds no picture that can be used")
        return PictureSet(self.path, allocated(self.good), self.bad)

    def without_copies(self) -> PictureSet:
        """The same, each picture once; none that is in two classes. Raises DataError where none is left."""
        groups = duplicates.copies(allocated(self.good))
        dropped = [each for group in groups for each in duplicates.dropped(group)]
        names = {each.name for each in dropped}
        good = [each for each in self.good if each.name not in names]
        if dropped and not good:
            raise DataError(
                f"{self.path}: each picture is in two classes, as {_same(self.conflicts)}: keep it in one"
            )
        kept = Examined(self.path, good, self.bad).whole()
        return PictureSet(self.path, kept.pictures, self.bad, dropped)


def _same(conflicts: Sequence[tuple[Picture, Picture]]) -> str:
    """The first of some pairs of the same picture, and how many more there are."""
    one, other = (f"{shown(each.name)} ({each.label}, {each.split})" for each in conflicts[0])
    more = f", and {len(conflicts) - 1:,} more such pairs" if len(conflicts) > 1 else ""
    return f"{one} and {other} are the same picture{more}"


def tree_of(path: Path, follow_links: bool = False) -> Tree:
    """What a user named: a folder or a .zip file."""
    return Zip(path, stamp_of(path.stat())) if is_zip(path) else Folder(path, follow_links)


def examine(
    path: Path,
    report: Report = silent,
    progress: Progress | None = None,
    follow_links: bool = False,
    *,
    name_bad: bool = True,
) -> Examined:
    """Find the pictures of a set and look into each; `report` gets how they were taken, and each bad file
    where it is to be named.

    Raises DataError for a layout that is not known.
    """
    tree = tree_of(path, follow_links)
    layout = layouts.read(tree)
    for note in layout.notes:
        report(note)
    scanned = scanning.scan(tree, [entry.file for entry in layout.entries], progress)
    found = [Picture(tree, *each, each[0].split) for each in zip(layout.entries, scanned, strict=True)]
    bad = [each for each in found if each.scanned.defect]
    for each in bad if name_bad else ():
        report(f"bad: {shown(str(each.path))} {each.scanned.defect}")
    return Examined(path, [each for each in found if not each.scanned.defect], bad)


def usable(examined: Examined, skip_bad: bool, drop_duplicates: bool, report: Report = silent) -> PictureSet:
    """What is used of a set. Raises DataError for bad files unless `skip_bad`, and for the same picture in
    two classes or splits unless `drop_duplicates`.
    """
    if examined.bad and skip_bad:
        count = f"{len(examined.bad):,} file{'s' if len(examined.bad) > 1 else ''}"
        report(
            f"left out: {count} that cannot be used, named by edgefashion data {quote(str(examined.path))}"
        )
    if not skip_bad:
        examined.refuse_bad()
    if not drop_duplicates:
        examined.refuse_copies()
        return examined.whole()
    found = examined.without_copies()
    if found.dropped:
        report(f"left out, the same picture again: {listed(each.name for each in found.dropped)}")
    return found
