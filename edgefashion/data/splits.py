"""Train, validation and test: the same images on every machine, in every run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.data.dataset import Dataset, Subset
from edgefashion.errors import BadInput, DataError
from edgefashion.errors.arguments import OPTIONAL_NUMBER, takes
from edgefashion.files import stored
from edgefashion.task import Labels, Task

SPLIT_SEED = 20170825  # a constant: another value would be another split, and other results
VALIDATION_SHARE = 12  # one in so many: 5,000 of 60,000


@dataclass(frozen=True, eq=False)
class Splits:
    """What a model learns from, what chooses between models, and what nothing is chosen with."""

    train: Subset
    validation: Subset
    test: Subset
    task: Task


@takes(dataset=Dataset, limit=OPTIONAL_NUMBER)
def split(dataset: Dataset, limit: int | None = None) -> Splits:
    """Set one in twelve training images of each class aside for validation: 55,000 + 5,000 + 10,000 of
    Fashion-MNIST. A data set that has a validation split of its own keeps it.

    With `limit`, each of the three holds at most so many images, as equal per class as possible.
    Raises BadInput for a limit below one image a class, DataError for a class too small to share out.
    """
    classes = len(dataset.task.classes)
    if limit is not None and limit < classes:
        raise BadInput(f"a limit of {limit} images leaves classes empty; give {classes} or more")
    train, validation = set_aside(dataset)
    test = dataset.test
    for name, part in (("train", train), ("validation", validation), ("test", test)):
        if not len(part):
            raise DataError(f"{dataset.source} has no picture in the {name} split: add some there")
    if limit is not None:
        train, validation, test = (
            stratified_sample(part, min(limit, len(part)), SPLIT_SEED) for part in (train, validation, test)
        )
    return Splits(train, validation, test, dataset.task)


def set_aside(dataset: Dataset) -> tuple[Subset, Subset]:
    """What to learn from, and what chooses."""
    if dataset.validation is not None:
        return dataset.train, dataset.validation
    train, classes = dataset.train, len(dataset.task.classes)
    held = np.maximum(np.bincount(train.labels, minlength=classes) // VALIDATION_SHARE, 1)
    counts = train.group_counts(classes)
    if counts.min() < 2:
        name = dataset.task.classes[counts.argmin()]
        raise DataError(
            f"the class {name} has {counts.min()} training {train.unit}: a data set needs at least 2 of each"
        )
    if train.keys is None:
        aside = _class_ranks(train.labels, _keys(len(train), SPLIT_SEED)) < held[train.labels]
    else:
        aside = _groups_aside(train.labels, train.keys, held)
    if missing := sorted({*range(classes)} - {*train.labels[aside].tolist()}):
        raise DataError(
            f"no group with pictures of {dataset.task.classes[missing[0]]} can be set aside for validation: "
            "the others would leave a class with nothing to learn from; add groups"
        )
    return train.take(np.flatnonzero(~aside)), train.take(np.flatnonzero(aside))


def _groups_aside(
    labels: Labels, keys: npt.NDArray[np.float64], held: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Which pictures are set aside, bool [N]: whole groups by their keys, of each class as many pictures as
    are `held`, or somewhat fewer; of one that has larger groups only, the smallest. Each class keeps some.
    """
    found, place = np.unique(keys, return_inverse=True)
    sizes = np.zeros((len(found), len(held)), np.int64)
    np.add.at(sizes, (place, labels), 1)
    left = sizes.sum(axis=0)
    aside = np.zeros(len(found), bool)
    for label, wanted in enumerate(held.tolist()):
        own = np.flatnonzero(sizes[:, label] * ~aside)
        for largest in (False, True):
            need = wanted - int(sizes[aside, label].sum())
            if largest and need < wanted:
                break
            for group in sorted(own.tolist(), key=lambda one: sizes[one, label]) if largest else own:
                fits = sizes[group, label] <= need or largest
                if need > 0 and fits and (left > sizes[group]).all():
                    aside[group] = True
                    left -= sizes[group]
                    need -= int(sizes[group, label])
    return aside[place]


def with_validation(splits: Splits) -> Splits:
    """The same where the validation images are training images too."""
    return replace(splits, train=joined([splits.train, splits.validation]))


def joined(parts: Sequence[Subset]) -> Subset:
    """All images of several subsets, one after the other; those in files are not copied."""
    labels, indices = (
        np.concatenate([getattr(each, name) for each in parts]) for name in ("labels", "indices")
    )
    shared = [each.keys for each in parts if each.keys is not None]
    named = [each.files for each in parts if each.files is not None]
    keys = np.concatenate(shared) if shared else None
    files = np.concatenate(named) if named else None
    return Subset(stored.joined([each.images for each in parts]), labels, indices, keys, files)


def stratified_order(subset: Subset, seed: int) -> npt.NDArray[np.intp]:
    """The positions of all images, [N], such that the first of them, however many, are as equal per class as
    possible.
    """
    keys = _keys(len(subset), seed)
    return np.lexsort((keys, _class_ranks(subset.labels, keys)))


def stratified_sample(subset: Subset, count: int, seed: int) -> Subset:
    """`count` images of `subset`, as equal per class as possible, in the order they have there.

    A smaller sample with the same seed is part of a larger one. Raises BadInput when there are not so many.
    """
    if not 1 <= count <= len(subset):
        raise BadInput(f"cannot draw {count} images out of {len(subset)}; give 1 to {len(subset)}")
    return subset.take(np.sort(stratified_order(subset, seed)[:count]))


def _keys(count: int, seed: int) -> npt.NDArray[np.uint64]:
    # Raw bits, because NumPy promises only these to stay the same in every version.
    return np.random.PCG64(seed).random_raw(count)


def _class_ranks(labels: Labels, keys: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Position of each image among those of its own class when they are ordered by key: int64 [N]."""
    order = np.lexsort((keys, labels))
    starts = np.searchsorted(labels[order], labels)
    ranks = np.empty(len(labels), np.int64)
    ranks[order] = np.arange(len(labels))
    return ranks - starts
