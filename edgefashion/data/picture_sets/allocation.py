"""Train, validation and test for pictures that nobody sorted into them: by what they are, not by their order.

A picture's number in 0..1 comes from its content, or from its group: it is the same on every machine and
whatever else there is, so more pictures move none of those before. Below TEST it is a test picture, then
come those of validation, and the rest is learned from. A class may be left without one of a split so; only
where a whole split would be empty, the nearest picture that can be spared is lent to it, until there is one.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence

from edgefashion.data.picture_sets.layouts import Split
from edgefashion.data.picture_sets.picture import Picture
from edgefashion.data.splits import SPLIT_SEED

TEST = VALIDATION = 0.15
"""Shares."""


def allocated(pictures: Sequence[Picture]) -> list[Picture]:
    """The pictures in the same order, each in a split; where splits are declared, only training is shared."""
    missing = _missing(pictures)
    chosen = {each.key: _split_of(each, missing) for each in pictures if _is_shared(each, missing)}
    for split in missing:
        if chosen and split not in chosen.values():
            _lend(split, chosen, [each for each in pictures if each.key in chosen])
    return [each.put(chosen[each.key]) if _is_shared(each, missing) else each for each in pictures]


def lent(pictures: Sequence[Picture]) -> list[Picture]:
    """Those of allocated pictures that are where their content does not put them, as a split had none."""
    missing = _missing(pictures)
    return [each for each in pictures if _is_shared(each, missing) and each.split != _split_of(each, missing)]


def number(key: str) -> float:
    """In 0..1, as good as at random, and always the same."""
    return (
        int(hashlib.sha256(f"{SPLIT_SEED} {key}".encode("utf-8", "surrogateescape")).hexdigest()[:13], 16)
        / 16**13
    )


def _missing(pictures: Sequence[Picture]) -> list[Split]:
    """The splits that the user did not declare."""
    declared = {each.entry.split for each in pictures}
    missing: tuple[Split, ...] = ("test", "validation")
    return [split for split in missing if split not in declared]


def _is_shared(picture: Picture, missing: Sequence[Split]) -> bool:
    return bool(missing) and picture.entry.split in (None, "train")


def _split_of(picture: Picture, missing: Sequence[Split]) -> Split:
    """Where its content puts a picture."""
    own = number(picture.key)
    limits = zip(missing, (TEST, TEST + VALIDATION), strict=False)
    return next((split for split, limit in limits if own < limit), "train")


def _lend(split: Split, chosen: dict[str, Split], pictures: Sequence[Picture]) -> None:
    """Give an empty split the nearest key of validation that is not the last there, or of training that
    leaves each of its classes another.
    """
    found = {(each.label, each.key) for each in pictures}
    learned = Counter(label for label, key in found if chosen[key] == "train")
    last = {key for label, key in found if chosen[key] == "train" and learned[label] == 1}
    if list(chosen.values()).count("validation") == 1:
        last |= {key for key, own in chosen.items() if own == "validation"}
    spare = [key for key, own in chosen.items() if own != "test" and key not in last]
    if spare:
        chosen[min(spare, key=number)] = split
