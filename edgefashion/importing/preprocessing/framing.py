"""How pictures were made images for a model's training: cropped or stretched, on white or on black.

What a data set is usually made of is tried first. The other ways are looked at where they make other images
of the first pictures, with the three best ways to prepare pixels, and one of them is taken where the model is
right so much more often that chance does not explain it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edgefashion.data import Dataset, Picture
from edgefashion.importing.preprocessing.pool import Pool, framed
from edgefashion.importing.preprocessing.preprocessing import FIRST, WORSE, Tried
from edgefashion.reporting import Report
from edgefashion.stats import paired

FITS = ("crop", "stretch", "pad")
BEST = 3
"""Ways to prepare pixels that are tried again."""
Ask = Callable[..., list[Tried]]
"""`preprocessing.race` of a model, of some ways and a pool."""


def better_framed(
    left: list[Tried],
    ways: Sequence[Tried],
    ask: Ask,
    pool: Pool,
    dataset: Dataset,
    unsaid: Collection[str],
    report: Report,
) -> tuple[list[Tried], Picture]:
    """The ways that are left, and how pictures become images: another way than the data set's where that is
    better by more than chance. `unsaid` are those of "fit" and "background" that the user leaves open.
    """
    picture = dataset.task.picture
    if dataset.left_out is None:
        return left, picture  # not of pictures
    again = sorted(ways, key=lambda each: -each.right.mean())[:BEST]
    for change in _changes(picture, unsaid):
        other = replace(picture, **change)
        made = framed(pool, dataset, other)
        first = min(FIRST, len(pool))
        if np.array_equal(made.drawn(0, first)[0], pool.drawn(0, first)[0]):
            continue
        tried = ask([Tried(each.name, each.preprocessing) for each in again], pool=made)
        words = " and ".join(f"{name} {_shown(value)}" for name, value in change.items())
        report(f"{words}: {tried[0].name}, right on {tried[0].right.mean():.1%}")
        if _is_better(tried[0], left[0]):
            left, picture, pool = tried, other, made
            report(f"warning: pictures are made images with {words}, since the model answers better then")
    return left, picture


def _changes(picture: Picture, unsaid: Collection[str]) -> list[dict[str, Any]]:
    """What is tried, one after the other."""
    black = (0,) * len(picture.background)
    changes: list[dict[str, Any]] = []
    if "background" in unsaid and picture.background != black:
        changes.append({"background": black})
    if "fit" in unsaid:
        changes += [{"fit": fit} for fit in FITS if fit != picture.fit]
    return changes


def _is_better(other: Tried, best: Tried) -> bool:
    """Whether it is right more often, by more than chance, on the pictures that both were tried on."""
    n = min(len(other.labels), len(best.labels))
    mine, theirs = other.right[:n], best.right[:n]
    return bool(mine.sum() > theirs.sum() and paired(mine, theirs) < WORSE)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else "black"
