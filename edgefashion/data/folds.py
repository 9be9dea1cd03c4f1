"""A data set cut into folds: each is tested on once, by a model that learned from the others.

Test images that the user declared stay out of it.
"""

import hashlib
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgefashion.data.dataset import Dataset, Subset
from edgefashion.data.splits import SPLIT_SEED, joined, set_aside
from edgefashion.errors import BadInput
from edgefashion.records.values import Fold

FOLD = "fold"
"""What the checksum of which images are in a fold is called."""


def folds(dataset: Dataset, count: int) -> list[Dataset]:
    """`count` data sets: `test` of each is its fold, and `train` the rest, out of which validation comes.

    Each class is in each fold as often as in any other, or once more. Images that belong together are in one,
    and as more are added, few change theirs. Raises BadInput for a count below 2, and for a class of fewer
    images, or groups of them, than folds; DataError where a fold would have nothing to set aside.
    """
    everything = _everything(dataset)
    numbers = fold_numbers(everything, len(dataset.task.classes), count)
    counts = everything.group_counts(len(dataset.task.classes))
    if counts.min() < count:
        name = dataset.task.classes[counts.argmin()]
        raise BadInput(
            f"the class {name} has {counts.min()} {everything.unit}, too few for {count} folds: make it "
            f"{max(counts.min(), 2)}, or add some"
        )
    found = [_fold(dataset, everything, numbers, number, count) for number in range(1, count + 1)]
    for each in found:
        set_aside(each)  # an error comes before hours of training
    return found


def whole(dataset: Dataset, count: int) -> Dataset:
    """The data set of the last model, which learns from every fold, but for what chooses its best epoch. That
    is `test` too, since nothing else is unseen, unless the user declared one.
    """
    together = replace(dataset, train=_everything(dataset), validation=None)
    train, validation = set_aside(together)
    return replace(
        together,
        train=train,
        validation=validation,
        test=dataset.test if dataset.own_test else validation,
        checksums=dataset.checksums | {FOLD: _digest(0, count)},
        fold=Fold(number=0, of=count),
    )


def part(dataset: Dataset, fold: Fold) -> Dataset:
    """What was recorded as a fold of it, or as `whole`."""
    return folds(dataset, fold.of)[fold.number - 1] if fold.number else whole(dataset, fold.of)


def fold_numbers(everything: Subset, classes: int, count: int) -> npt.NDArray[np.int64]:
    """The fold, 1 to `count`, of each image: int64 [N]."""
    if count < 2:
        raise BadInput(f"there are no {count} folds: make it 2 or more")
    keys = everything.keys
    if keys is None:
        keys = np.random.default_rng(SPLIT_SEED).random(len(everything))
    found: dict[float, int] = {}
    for label in range(classes):
        own = [key for key in np.unique(keys[everything.labels == label]).tolist() if key not in found]
        found |= {key: 1 + place % count for place, key in enumerate(own)}
    return np.array([found[key] for key in keys.tolist()], np.int64)


def _fold(
    dataset: Dataset, everything: Subset, numbers: npt.NDArray[np.int64], number: int, count: int
) -> Dataset:
    return replace(
        dataset,
        train=everything.take(np.flatnonzero(numbers != number)),
        test=everything.take(np.flatnonzero(numbers == number)),
        validation=None,
        checksums=dataset.checksums | {FOLD: _digest(number, count)},
        fold=Fold(number=number, of=count),
    )


def _digest(number: int, count: int) -> str:
    return hashlib.sha256(f"{number} of {count}".encode()).hexdigest()


def _everything(dataset: Dataset) -> Subset:
    """All images that may be shared out."""
    parts = [dataset.train, dataset.validation, None if dataset.own_test else dataset.test]
    return joined([each for each in parts if each is not None])
