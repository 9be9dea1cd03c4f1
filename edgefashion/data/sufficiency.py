"""Whether there are enough pictures of each class, and what a small number means for what is measured."""

import math
from collections.abc import Mapping

import numpy as np

from edgefashion.data.dataset import Dataset
from edgefashion.errors import DataError
from edgefashion.errors.wording import setting
from edgefashion.escaping import visible
from edgefashion.stats import wilson_interval

FEWEST = 10
"""Pictures of a class that are trained on without a question."""
FEW = 50
"""Pictures of a class from which on nothing is said."""
SUPPOSED = 0.8
"""The recall that the interval is told of, before anything is measured."""
Counts = Mapping[str, tuple[int, int]]
"""Class → its pictures in all, and those of them that are of the test."""


def counts_of(dataset: Dataset) -> Counts:
    """How many images of each class there are."""
    size = len(dataset.task.classes)
    whole = sum(np.bincount(part.labels, minlength=size) for part in dataset.parts.values())
    test = np.bincount(dataset.test.labels, minlength=size)
    return {
        name: (int(all_), int(own))
        for name, all_, own in zip(dataset.task.classes, np.asarray(whole), test, strict=True)
    }


def refuse(name: str, counts: Counts) -> None:
    """Raise DataError where a class has too few pictures to train on."""
    if small := [label for label, (whole, _) in counts.items() if whole < FEWEST]:
        label, more = small[0], f" ({_others(len(small))} too few as well)" if len(small) > 1 else ""
        raise DataError(
            f"{name}: the class {visible(label)} has {_pictures(counts[label][0])}{more}: add some, {FEWEST} "
            f"at least, or train all the same with {setting('--force')}"
        )


def warning(counts: Counts) -> str | None:
    """What to say of the class that has fewest, where those are few: how far its recall can be trusted."""
    few = sorted((whole, label) for label, (whole, _) in counts.items() if whole < FEW)
    if not few:
        return None
    whole, label = few[0]
    test, more = counts[label][1], f" ({_others(len(few))} few as well)" if len(few) > 1 else ""
    start = f"warning: the class {visible(label)} has {_pictures(whole)}{more}, {test} of them to test with"
    if not test:
        return f"{start}: nothing will be known of its recall"
    low, high = (100 * end for end in wilson_interval(SUPPOSED * test, test))
    needed = math.ceil(whole * _halving(test) / test)
    return (
        f"{start}: a recall of {100 * SUPPOSED:.0f} % on those would mean one between {low:.0f} and "
        f"{high:.0f} %; half that range takes about {needed:,} pictures of it in all, {needed - whole:,} "
        "more, or edgefashion train --folds 4, which tests on each once"
    )


def _others(count: int) -> str:
    return "1 other class has" if count == 2 else f"{count - 1} other classes have"


def _pictures(count: int) -> str:
    return f"{count} picture{'s' if count != 1 else ''}"


def _width(count: int) -> float:
    """Of the Wilson interval around SUPPOSED on so many pictures, which need not be a whole number of right
    ones: so it narrows steadily with every picture.
    """
    low, high = wilson_interval(SUPPOSED * count, count)
    return high - low


def _halving(count: int) -> int:
    """Of how many test pictures the interval is half as wide as of `count`, or narrower."""
    return next(more for more in range(count, 100 * count) if _width(more) <= _width(count) / 2)
