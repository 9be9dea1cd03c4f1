"""Train, validation and test for pictures that nobody sorted into them: by what they are, not by their order.

A picture's number in 0..1 comes from its content, or from its group: it is the same on every machine and
whatever else there is, so more pictures move none of those before. Below TEST it is a test picture, then
come those of validation, and the rest is learned from. Only where that leaves a class without a picture of a
split, the nearest one moves there, if the class has another.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence

from edgefashion.data.picture_sets.layouts import Split
from edgefashion.data.picture_sets.picture import Picture
from edgefashion.data.splits import SPLIT_SEED

TEST = VALIDATION = 0.15
"""Shares."""


def allocated(pictures: Sequence[Picture]) -> list[Picture]:
    """The pictures in the same order, each in a split; where splits are declared, only training is shared."""
    declared = {each.split for each in pictures} - {None}
    missing: list[Split] = [split for split in ("test", "validation") if split not in declared]
    shared = [each for each in pictures if each.split in (None, "train")] if missing else []
    chosen = _chosen(shared, missing)
    return [
        each.put(chosen[each.key]) if each.split in (None, "train") and missing else each for each in pictures
    ]


def number(key: str) -> float:
    """In 0..1, as good as at random, and always the same."""
    return (
        int(hashlib.sha256(f"{SPLIT_SEED} {key}".encode("utf-8", "surrogateescape")).hexdigest()[:13], 16)
        / 16**13
    )


def _chosen(pictures: Sequence[Picture], splits: Sequence[Split]) -> dict[str, Split]:
    """Key → split."""
    chosen: dict[str, Split] = {}
    keys: dict[str, dict[str, None]] = defaultdict(dict)
    numbers = {key: number(key) for key in sorted({each.key for each in pictures})}
    for each in pictures:
        keys[each.label][each.key] = None
    for key, own in numbers.items():
        limits = zip(splits, (TEST, TEST + VALIDATION), strict=False)
        chosen[key] = next((split for split, limit in limits if own < limit), "train")
    for label in sorted(keys):
        _complete(sorted(keys[label], key=numbers.__getitem__), chosen, splits)
    return chosen


def _complete(ordered: Sequence[str], chosen: dict[str, Split], splits: Sequence[Split]) -> None:
    """See that each split has one of a class's keys, given in order, as far as there are so many: first that
    of training, then the test.
    """
    for split in ("train", *splits):
        held = Counter(chosen[key] for key in ordered)
        less = {"train": ("validation", "test"), "test": ("validation",)}.get(split, ())
        spare = [key for key in ordered if held[chosen[key]] > 1] or [
            key for other in less for key in ordered if chosen[key] == other
        ]
        if not held[split] and spare:
            chosen[spare[-1] if split == "train" else spare[0]] = split
