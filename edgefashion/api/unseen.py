"""Test images that no model at hand learned from: what a data set is to those that are measured on it."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from msgspec import UNSET, UnsetType

from edgefashion.artifacts.artifact import Artifact
from edgefashion.data import Dataset
from edgefashion.data.dataset import PICTURES
from edgefashion.data.folds import FOLD, part
from edgefashion.errors import DataError, RunError
from edgefashion.errors.wording import setting
from edgefashion.files import reading
from edgefashion.records.values import Changed
from edgefashion.records.values import Dataset as DatasetInfo
from edgefashion.training import learned, runs
from edgefashion.training.learned import Marks

LEFT_OUT = "unseen"
"""What the checksum of which test images are left is called."""


@dataclass(frozen=True, eq=False)
class _Origin:
    """The training behind a file, as far as it is known."""

    name: str
    checksums: dict[str, str]
    data: DatasetInfo | None = None
    marks: Marks | None = None


def unseen(dataset: Dataset, artifacts: Iterable[Artifact]) -> Dataset:
    """The data set to measure model files on: the fold that they did not learn from, where they are of one;
    without the test images that they learned from, where it is not the set that they were trained with.

    Raises DataError where no image is left, or which are to be left out is not known; RunError.
    """
    origins = {each.run_id or str(each.path): origin for each in artifacts if (origin := _origin(each))}
    known = list(origins.values())
    first = known[0].data if known else None
    alike = all(each.checksums == known[0].checksums for each in known)
    if first and first.fold and alike and not dataset.fold and learned.is_made_of(first, dataset):
        dataset = part(dataset, first.fold)
    others = [each for each in known if not learned.are_same(each.checksums, dataset.checksums)]
    return _without(dataset, others) if others else dataset


def _origin(artifact: Artifact) -> _Origin | None:
    """That of a file of a model of pictures: what the run beside it says, else its manifest."""
    folder = artifact.path.absolute().parent.parent
    if reading.is_file(folder / runs.INFO, RunError):
        info = runs.read_info(folder / runs.INFO)
        if info.id == artifact.run_id and PICTURES in info.data.checksums:
            return _Origin(info.name, info.data.checksums, info.data, learned.read(folder))
    told = artifact.manifest.data if artifact.manifest else None
    sums = told.get("checksums") if told else None
    return _Origin(artifact.model, sums) if isinstance(sums, dict) and PICTURES in sums else None


def _without(dataset: Dataset, others: Sequence[_Origin]) -> Dataset:
    """The data set without the test images that these learned from."""
    for each in others:
        if each.marks is None and FOLD in each.checksums:
            raise DataError(
                f"{each.name} is a model of folds, and which pictures it learned from is not known here: "
                "name its run, with the pictures that it was trained with"
            )
    marks = [each.marks for each in others if each.marks is not None]
    seen = np.zeros(len(dataset.test), bool)
    for own in marks:
        seen |= learned.is_among(dataset.test, own)
    count = int(seen.sum())
    if count == len(seen):
        names = ", ".join(each.name for each in others)
        way = "measure one at a time, or put" if len(others) > 1 else "put"
        raise DataError(
            f"{dataset.folder} has no test picture that {names} did not learn from, and is not the set of "
            f"that training: {way} new pictures into test/ of a folder, and name it with {setting('--data')}"
        )
    total = count if len(marks) == len(others) else UNSET
    before = dataset.changed.learned if dataset.changed else 0
    if before and total is not UNSET:
        total += before
    now = dataset.changed.now if dataset.changed else dataset.count
    changed = Changed(then=_then(others), now=now, learned=total)
    kept = np.flatnonzero(~seen)
    sums = dataset.checksums
    if count:
        sums = sums | {LEFT_OUT: hashlib.sha256(np.packbits(seen).tobytes()).hexdigest()}
    return replace(dataset, test=dataset.test.take(kept), checksums=sums, changed=changed)


def _then(others: Sequence[_Origin]) -> int | UnsetType:
    """How many pictures there were in training; UNSET where that is not known."""
    data = others[0].data if len(others) == 1 else None
    count = learned.count_of(data) if data else None
    return UNSET if count is None else count
