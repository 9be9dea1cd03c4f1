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
_ROWS = 256
Vectors = NDArray[np.float32]


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
    gray = _gray(pictures)
    shows = gray.std(axis=1) >= PLAIN
    splits = np.array([each.split for each in pictures])
    for split, before in (("validation", ("train",)), ("test", ("train", "validation"))):
        own, others = (np.flatnonzero(shows & np.isin(splits, which)) for which in ([split], before))
        for one, other in _pairs(_standardized(gray[own]), _standardized(gray[others])):
            pair = pictures[own[one]], pictures[others[other]]
            if pair[0].digest != pair[1].digest and _one_color(*pair):
                yield pair


def _pairs(own: Vectors, others: Vectors) -> Iterator[tuple[int, int]]:
    """Each row of the first that is close to one of the second, with the closest.

    The means of 2x2 pixels are at most as far apart as the pixels are: only where they are close, the pixels
    are compared.
    """
    coarse, lengths = _coarse(others)
    compared = np.hstack([2 * coarse, -np.ones_like(lengths), -lengths]).T
    for start in range(0, len(own), _ROWS):
        part = own[start : start + _ROWS]
        means, length = _coarse(part)
        near = np.hstack([means, length, np.ones_like(length)]) @ compared  # less the squared distance
        rows, columns = np.nonzero(near >= -2 * (1 - ALIKE))
        alike = np.einsum("ij,ij->i", part[rows], others[columns])
        best = {int(rows[place]): place for place in np.argsort(alike) if alike[place] >= ALIKE}
        yield from ((start + row, int(columns[place])) for row, place in sorted(best.items()))


def _gray(pictures: Sequence[Picture]) -> Vectors:
    """float32 [N, THUMBNAIL²]"""
    content = b"".join(each.scanned.thumbnail for each in pictures)
    return np.frombuffer(content, np.uint8).reshape(-1, THUMBNAIL**2).astype(np.float32)


def _standardized(gray: Vectors) -> Vectors:
    """The same, each of mean 0 and length 1: their products are correlations."""
    values: Vectors = gray - gray.mean(axis=1, keepdims=True)
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)
    return values


def _coarse(fine: Vectors) -> tuple[Vectors, Vectors]:
    """Means of 2x2 pixels, in the scale of the pixels, and the squares of their lengths, [N, 1]."""
    half = THUMBNAIL // 2
    means = fine.reshape(-1, half, 2, half, 2).mean(axis=(2, 4)).reshape(-1, half**2) * np.float32(2)
    return means, (means**2).sum(axis=1, keepdims=True)


def _one_color(one: Picture, other: Picture) -> bool:
    colors = zip(one.scanned.color, other.scanned.color, strict=True)
    return max(abs(a - b) for a, b in colors) <= SHADE
