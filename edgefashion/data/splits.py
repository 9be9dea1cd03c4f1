"""Train, validation and test: the same images on every machine, in every run."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.data.dataset import Dataset, Subset
from edgefashion.errors import BadInput, DataError
from edgefashion.errors.arguments import OPTIONAL_NUMBER, takes
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
    counts = np.bincount(dataset.train.labels, minlength=len(dataset.task.classes))
    if counts.min() < 2:
        name = dataset.task.classes[counts.argmin()]
        raise DataError(
            f"the class {name} has {counts.min()} training images: a data set needs at least 2 of each"
        )
    held = np.maximum(counts // VALIDATION_SHARE, 1)
    keys = dataset.train.keys
    order = _class_ranks(
        dataset.train.labels, _keys(len(dataset.train), SPLIT_SEED) if keys is None else keys
    )
    aside = order < held[dataset.train.labels]
    return dataset.train.take(np.flatnonzero(~aside)), dataset.train.take(np.flatnonzero(aside))


def stratified_sample(subset: Subset, count: int, seed: int) -> Subset:
    """`count` images of `subset`, as equal per class as possible, in the order they have there.

    A smaller sample with the same seed is part of a larger one. Raises BadInput when there are not so many.
    """
    if not 1 <= count <= len(subset):
        raise BadInput(f"cannot draw {count} images out of {len(subset)}; give 1 to {len(subset)}")
    keys = _keys(len(subset), seed)
    turn = np.lexsort((keys, _class_ranks(subset.labels, keys)))
    return subset.take(np.sort(turn[:count]))


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
