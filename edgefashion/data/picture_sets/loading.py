"""From a folder or .zip file of pictures to a data set."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgefashion.data import store
from edgefashion.data.dataset import TASK, Dataset, Subset, digest_of
from edgefashion.data.picture_sets import duplicates, layouts, scanning
from edgefashion.data.picture_sets.allocation import allocated
from edgefashion.data.picture_sets.layouts import Split, listed
from edgefashion.data.picture_sets.options import PictureOptions, check, said, task_for
from edgefashion.data.picture_sets.picture import Picture
from edgefashion.data.picture_sets.trees import Folder, Tree, shown
from edgefashion.data.picture_sets.zips import Zip, is_zip
from edgefashion.errors import BadInput, DataError
from edgefashion.files.stored import take
from edgefashion.records.task import Label
from edgefashion.reporting import Progress, Report, silent
from edgefashion.task import Task

PICTURES = "pictures"
"""What the checksum of a set is called, beside that of its task."""


@dataclass(frozen=True)
class PictureSet:
    """All that is known of a set before its pictures become images."""

    path: Path
    pictures: list[Picture]
    """Those that are used, each in a split."""
    bad: list[Picture]
    """Files that cannot be used."""
    dropped: list[Picture]
    """Left out, being there twice."""

    def of(self, split: Split) -> list[Picture]:
        """The pictures of a split, by name."""
        return sorted((each for each in self.pictures if each.split == split), key=lambda each: each.order)

    @property
    def classes(self) -> list[str]:
        """Names of the classes that there is something to learn of, sorted."""
        return sorted({each.label for each in self.of("train")})

    @property
    def checksum(self) -> str:
        """SHA-256 of which pictures there are, and where: their names and order do not matter."""
        lines = sorted(f"{each.digest} {each.split} {each.label}\n" for each in self.pictures)
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def tree_of(path: Path, follow_links: bool = False) -> Tree:
    """What a user named: a folder or a .zip file."""
    return Zip(path, path.stat().st_mtime_ns) if is_zip(path) else Folder(path, follow_links)


def examine(
    path: Path,
    report: Report = silent,
    progress: Progress | None = None,
    *,
    skip_bad: bool = False,
    drop_duplicates: bool = False,
    follow_links: bool = False,
) -> PictureSet:
    """Find the pictures of a set and look into each; `report` gets what was understood and left out.

    Raises DataError for a layout that is not known, for files that are no pictures unless `skip_bad`, and
    for the same picture in two classes or splits unless `drop_duplicates`.
    """
    tree = tree_of(path, follow_links)
    layout = layouts.read(tree)
    for note in layout.notes:
        report(note)
    scanned = scanning.scan(tree, [entry.file for entry in layout.entries], progress)
    found = [Picture(tree, *each, each[0].split) for each in zip(layout.entries, scanned, strict=True)]
    bad = [each for each in found if each.scanned.defect]
    _tell_bad(path, bad, len(found), skip_bad, report)
    placed, dropped = _without_copies(
        path, [each for each in found if not each.scanned.defect], drop_duplicates
    )
    if dropped:
        report(f"left out, the same picture again: {listed(each.name for each in dropped)}")
    return PictureSet(path, placed, bad, dropped)


def load(
    path: Path,
    source: str,
    report: Report = silent,
    progress: Progress | None = None,
    task: Task | None = None,
    options: PictureOptions | None = None,
) -> Dataset:
    """The data set of the pictures in a folder or .zip file; see `data.load_dataset`."""
    options = options or {}
    check(options)
    if task and (asked := said(options)):
        raise BadInput(f"the model says what images it takes: leave out {' and '.join(asked)}")
    found = examine(
        path,
        report,
        progress,
        skip_bad=options.get("skip_bad", False),
        drop_duplicates=options.get("drop_duplicates", False),
        follow_links=options.get("follow_links", False),
    )
    if task is None:
        classes = _checked_classes(found)
        task = task_for(_name_of(path), classes, found.of("train"), options)
        size, colors = f"{task.height}x{task.width}", "gray" if task.channels == 1 else "RGB"
        report(f"images: {size}, {colors}, {task.picture.fit}")
        _tell_alike(found, report)
    else:
        _check_known(found, task)
    _tell_missing(found, task, report)
    return _dataset(found, source, task, progress, options.get("follow_links", False))


def _dataset(
    found: PictureSet, source: str, task: Task, progress: Progress | None, follow_links: bool
) -> Dataset:
    parts: dict[Split, list[Picture]] = {split: found.of(split) for split in ("train", "validation", "test")}
    ordered = [each for own in parts.values() for each in own]
    images = store.decoded(ordered, task, progress)
    numbers = {name: number for number, name in enumerate(task.classes)}
    labels = np.array([numbers[each.label] for each in ordered], task.label_dtype)
    subsets, start = {}, 0
    for split, own in parts.items():
        rows = np.arange(start, start := start + len(own))
        subsets[split] = Subset(take(images, rows), labels[rows], np.arange(len(own), dtype=np.int64))
    return Dataset(
        source,
        found.path,
        {PICTURES: found.checksum, TASK: digest_of(task)},
        subsets["train"],
        subsets["test"],
        task,
        validation=subsets["validation"],
        left_out={"bad": len(found.bad), "duplicates": len(found.dropped)},
        follow_links=follow_links,
    )


def _tell_bad(path: Path, bad: Sequence[Picture], of: int, skip: bool, report: Report) -> None:
    """Name each file that cannot be used. Raises DataError unless they are to be left out."""
    for each in bad:
        report(f"{'left out' if skip else 'bad'}: {shown(str(each.path))} {each.scanned.defect}")
    if bad and not skip:
        first = f"{shown(bad[0].name)} {bad[0].scanned.defect}"
        more = f", and {len(bad) - 1:,} more" if len(bad) > 1 else ""
        raise DataError(
            f"{path}: {len(bad):,} of {of:,} files cannot be used ({first}{more}): mend or remove them, or "
            "leave them out with --skip-bad"
        )
    if len(bad) == of:
        raise DataError(f"{path} holds no picture that can be used")


def _without_copies(path: Path, found: list[Picture], drop: bool) -> tuple[list[Picture], list[Picture]]:
    """All pictures in their splits, and those that were left out. Raises DataError for the same picture in
    two classes or splits, unless they are to be dropped.
    """
    placed = allocated(found)
    groups = duplicates.copies(placed)
    if drop:
        dropped = [each for group in groups for each in duplicates.dropped(group)]
        names = {each.name for each in dropped}
        return allocated([each for each in found if each.name not in names]), dropped
    conflicts = [pair for group in groups if (pair := duplicates.conflict(group))]
    if conflicts:
        one, other = (f"{shown(each.name)} ({each.label}, {each.split})" for each in conflicts[0])
        more = f", and {len(conflicts) - 1:,} more such pairs" if len(conflicts) > 1 else ""
        raise DataError(
            f"{path}: {one} and {other} are the same picture{more}: remove one, or leave such out with "
            "--drop-duplicates"
        )
    return placed, []


def _checked_classes(found: PictureSet) -> list[str]:
    """The classes of the training split. Raises DataError for fewer than two, and others elsewhere."""
    classes = found.classes
    if others := sorted({each.label for each in found.pictures} - set(classes)):
        raise DataError(
            f"{found.path}: there is nothing to learn {listed(others)} from: add such pictures to train"
            ", or remove these"
        )
    if len(classes) < 2:
        raise DataError(
            f"{found.path} has one class, {listed(classes)}, and nothing to tell it from: add a folder of "
            "another"
        )
    return classes


def _check_known(found: PictureSet, task: Task) -> None:
    """Raise DataError for pictures of classes that a task does not have."""
    if others := sorted({each.label for each in found.pictures} - set(task.classes)):
        raise DataError(
            f"{found.path} has pictures of {listed(others)}, and the model knows {listed(task.classes)}: "
            "name a data set of its own classes"
        )


def _tell_alike(found: PictureSet, report: Report) -> None:
    """Warn of pictures that look like ones that are learned from."""
    alike = list(duplicates.look_alikes(found.pictures))
    for one, other in alike[:1]:
        more = f", and {len(alike) - 1:,} more such pairs" if len(alike) > 1 else ""
        report(
            f"warning: {shown(one.name)} ({one.split}) looks like {shown(other.name)} ({other.split}){more}: "
            "accuracy on what was learned from says little"
        )


def _tell_missing(found: PictureSet, task: Task, report: Report) -> None:
    for split in ("validation", "test"):
        there = {each.label for each in found.pictures if each.split == split}
        if missing := [name for name in task.classes if name not in there]:
            report(f"warning: there is no {split} picture of {listed(missing)}")


def _name_of(path: Path) -> str:
    """What to call a task: as the folder or file is called."""
    import msgspec

    name = path.resolve().stem if is_zip(path) else path.resolve().name
    try:
        return str(msgspec.convert(name, Label))
    except msgspec.ValidationError:
        return "pictures"
