"""From a folder or .zip file of pictures to a data set."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote

import numpy as np

from edgefashion.data import store
from edgefashion.data.dataset import PICTURES, TASK, Dataset, Subset, digest_of
from edgefashion.data.picture_sets.alike import look_alikes
from edgefashion.data.picture_sets.allocation import number
from edgefashion.data.picture_sets.examining import PictureSet, examine, usable
from edgefashion.data.picture_sets.layouts import Split, listed
from edgefashion.data.picture_sets.options import PictureOptions, check, said, task_for
from edgefashion.data.picture_sets.picture import Picture
from edgefashion.data.picture_sets.trees import shown
from edgefashion.data.picture_sets.zips import is_zip
from edgefashion.errors import BadInput, DataError
from edgefashion.files.stored import take
from edgefashion.pictures import image_of
from edgefashion.records.task import Label
from edgefashion.reporting import Progress, Report, silent
from edgefashion.task import Task


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
    if task and (asked := said(options)):
        raise BadInput(f"the model says what images it takes: leave out {' and '.join(asked)}")
    follow_links = options.get("follow_links", False)
    skip_bad, drop = options.get("skip_bad", False), options.get("drop_duplicates", False)
    found = usable(
        examine(path, report, progress, follow_links, name_bad=not skip_bad), skip_bad, drop, report
    )
    notes: list[str] = []
    if task is None:
        task = made_task(found, options)
        report(f"images: {task.made}")
        _tell_alike(found, notes.append)
    else:
        _check_known(found, task)
    _tell_splits(found, notes.append)
    notes += found.warnings(task.classes)
    return replace(_dataset(found, source, task, progress, follow_links), notes=tuple(notes))


def _dataset(
    found: PictureSet, source: str, task: Task, progress: Progress | None, follow_links: bool
) -> Dataset:
    parts: dict[Split, list[Picture]] = {split: found.of(split) for split in ("train", "validation", "test")}
    ordered = [each for own in parts.values() for each in own]
    images = store.decoded(ordered, task, progress)
    numbers = {name: number for number, name in enumerate(task.classes)}
    labels = np.array([numbers[each.label] for each in ordered], task.label_dtype)
    keys = np.array([number(each.key) for each in ordered])
    files = np.array([each.name for each in ordered], object)
    subsets, start = {}, 0
    for split, own in parts.items():
        rows = np.arange(start, start := start + len(own))
        positions = np.arange(len(own), dtype=np.int64)
        subsets[split] = Subset(take(images, rows), labels[rows], positions, keys[rows], files[rows])
    from edgefashion.records.values import LeftOut

    return Dataset(
        source,
        found.path,
        {PICTURES: found.checksum, TASK: digest_of(task)},
        subsets["train"],
        subsets["test"],
        task,
        validation=subsets["validation"],
        left_out=LeftOut(bad=len(found.bad), duplicates=len(found.dropped)),
        follow_links=follow_links,
        own_test=any(each.entry.split == "test" for each in found.pictures),
    )


def _checked_classes(found: PictureSet) -> list[str]:
    """The classes of the training split. Raises DataError for fewer than two, and others elsewhere."""
    classes = found.classes
    if not classes:
        raise DataError(
            f"{found.path} has no picture to learn from, none being in the training split: measure a "
            f"trained model on it with edgefashion evaluate --data {quote(str(found.path))}"
        )
    if others := sorted({each.label for each in found.pictures} - set(classes)):
        raise DataError(
            f"{found.path}: there is nothing to learn {listed(others)} from, none of its pictures being in "
            "the training split: add more, or remove these"
        )
    if len(classes) < 2:
        dropped = sorted({each.label for each in found.dropped} - set(classes))
        once = f", all pictures of {listed(dropped)} being in two classes" if dropped else ""
        raise DataError(
            f"{found.path} has one class, {listed(classes)}, and nothing to tell it from{once}: add a folder "
            "of another"
        )
    return classes


def _check_known(found: PictureSet, task: Task) -> None:
    """Raise DataError for pictures of classes that a task does not have."""
    if others := sorted({each.label for each in found.pictures} - set(task.classes)):
        raise DataError(
            f"{found.path} has pictures of {listed(others)}, and the model knows {listed(task.classes)}: "
            "name a data set of its own classes"
        )


def sources_of(dataset: Dataset) -> dict[str, list[Picture]]:
    """The pictures of a set that was loaded, by split, in the order of its subsets."""
    left_out = dataset.left_out
    drop = bool(left_out and left_out.duplicates)
    found = usable(examine(dataset.folder, follow_links=dataset.follow_links), True, drop)
    return {split: found.of(split) for split in ("train", "validation", "test")}


def subset_of(pictures: Sequence[Picture], task: Task) -> Subset:
    """A few pictures as images in memory."""
    images = np.stack([image_of(each.read(), each.path, task) for each in pictures])
    labels = np.array([task.classes.index(each.label) for each in pictures], task.label_dtype)
    return Subset(images, labels, np.arange(len(pictures), dtype=np.int64))


def _tell_alike(found: PictureSet, report: Report) -> None:
    """Warn of pictures that look like ones that are learned from."""
    alike = look_alikes(found.pictures, found.checksum)
    for one, other in alike[:1]:
        more = f", and so do {len(alike) - 1:,} more pairs" if len(alike) > 1 else ""
        report(
            f"warning: {shown(one.name)} ({one.split}) and {shown(other.name)} ({other.split}) look the same"
            f"{more}: a model that learned from one knows the other, and its accuracy comes out too high; "
            "keep such pictures in one split"
        )


def _tell_splits(found: PictureSet, report: Report) -> None:
    """Which splits were made here."""
    declared = {each.entry.split for each in found.pictures}
    made = [split for split in ("train", "validation", "test") if split not in declared]
    counts = {split: sum(each.split == split for each in found.pictures) for split in made}
    if made and found.classes:
        whence = "" if None in declared else ", out of train"
        told = ", ".join(f"{count:,} {split}" for split, count in counts.items())
        report(f"splits by content: {told}{whence}")


def made_task(found: PictureSet, options: PictureOptions) -> Task:
    """The task of a set as the user wants it. Raises DataError for one class, BadInput for bad options."""
    check(options)
    return task_for(_name_of(found.path), _checked_classes(found), found.of("train"), options)


def _name_of(path: Path) -> str:
    """What to call a task: as the folder or file is called."""
    import msgspec

    name = path.resolve().stem if is_zip(path) else path.resolve().name
    try:
        return str(msgspec.convert(name, Label))
    except msgspec.ValidationError:
        return "pictures"
