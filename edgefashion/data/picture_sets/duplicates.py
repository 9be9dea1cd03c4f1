"""The same picture twice: in two classes or splits, and pictures that only look the same."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edgefashion.data.picture_sets.layouts import Split
from edgefashion.data.picture_sets.picture import Picture
from edgefashion.data.picture_sets.scanning import THUMBNAIL

ALIKE = 0.997
"""Correlation of two pictures' small gray versions from which on they are taken for one picture."""
PLAIN = 8.0
"""Standard deviation of gray values below which a picture shows too little to be compared."""
SHADE = 8
"""How much the mean red, green or blue of two versions of a picture may differ, of 255."""
_ORDER: tuple[Split | None, ...] = ("test", "validation", "train", None)
"""Of the same picture in several splits, the first of these is kept: a test stays what it is."""
_ROWS = 2048


def copies(pictures: Sequence[Picture]) -> list[list[Picture]]:
    """The pictures whose files are equal to the byte, together: each group of at least two."""
    found: dict[str, list[Picture]] = defaultdict(list)
    for picture in pictures:
        found[picture.digest].append(picture)
    return [group for group in found.values() if len(group) > 1]


def conflict(group: Sequence[Picture]) -> tuple[Picture, Picture] | None:
    """Two of the same picture that are in two classes or two splits."""
    first = group[0]
    others = (each for each in group if (each.label, each.split) != (first.label, first.split))
    return next(((first, each) for each in others), None)


def dropped(group: Sequence[Picture]) -> list[Picture]:
    """What to leave out of the same picture several times: all but one, or all of it in two classes."""
    if len({each.label for each in group}) > 1:
        return list(group)
    return sorted(group, key=lambda each: _ORDER.index(each.split))[1:]


def look_alikes(pictures: Sequence[Picture]) -> Iterator[tuple[Picture, Picture]]:
    """Each picture of validation and test that looks like one of a split before it, with that one."""
    for split, before in (("validation", ("train",)), ("test", ("train", "validation"))):
        own = [each for each in pictures if each.split == split]
        others = [each for each in pictures if each.split in before]
        if own and others:
            yield from _pairs(own, others)


def _pairs(own: list[Picture], others: list[Picture]) -> Iterator[tuple[Picture, Picture]]:
    columns, shows = _standardized(others)
    for start in range(0, len(own), _ROWS):
        part = own[start : start + _ROWS]
        rows, show = _standardized(part)
        alike = rows @ columns.T
        alike[:, ~shows] = alike[~show] = 0
        best = alike.argmax(axis=1)
        for number in np.flatnonzero(alike[np.arange(len(part)), best] >= ALIKE):
            one, other = part[number], others[best[number]]
            if one.digest != other.digest and _one_color(one, other):
                yield one, other


def _one_color(one: Picture, other: Picture) -> bool:
    colors = zip(one.scanned.color, other.scanned.color, strict=True)
    return max(abs(a - b) for a, b in colors) <= SHADE


def _standardized(pictures: Sequence[Picture]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """float32 [N, THUMBNAIL²], each of mean 0 and length 1, and whether it shows enough to compare."""
    gray = np.frombuffer(b"".join(each.scanned.thumbnail for each in pictures), np.uint8)
    values = gray.reshape(-1, THUMBNAIL**2).astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    spread = values.std(axis=1, keepdims=True)
    return values / np.maximum(spread * THUMBNAIL, 1e-6), spread[:, 0] >= PLAIN
