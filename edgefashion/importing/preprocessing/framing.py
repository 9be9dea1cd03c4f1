"""How pictures were made images for a model's training: cropped or stretched, on white, on black or without
their transparency.

What a data set is usually made of is tried first. The other ways are looked at where they make other images
of the first pictures, with the three best ways to prepare pixels, and one of them is taken where the model is
right so much more often that chance does not explain it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edgefashion.data import Dataset, Picture
from edgefashion.importing.preprocessing.labels import CHANCE
from edgefashion.importing.preprocessing.pool import Pool, framed
from edgefashion.importing.preprocessing.preprocessing import FIRST, MATTERS, MOST, WORSE, Tried
from edgefashion.reporting import Report
from edgefashion.stats import paired

FITS = ("crop", "stretch", "pad")
BEST = 3
"""Ways to prepare pixels that are tried again."""
SECOND = 4 * FIRST
"""Pictures that two ways are tried on where the first do not tell them apart, before all are taken."""
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
        guesses = left[0].by_chance >= CHANCE
        most = first if guesses else None
        tried = ask([Tried(each.name, each.preprocessing) for each in again], pool=made, most=most)
        if not (guesses and tried[0].by_chance >= CHANCE):
            _tell_apart(tried[0], left[0], ask, made, pool)
        words = " and ".join(f"--{name} {_shown(value)}" for name, value in change.items())
        report(f"with {words}: {_score(tried[0], left[0])}; without: {_score(left[0], tried[0])}")
        if _is_better(tried[0], left[0]):
            left, picture, pool = tried, other, made
            report(f"warning: pictures are made images with {words}, since the model answers better then")
        elif _may_matter(tried[0], left[0]):
            report(
                f"warning: that is too close to tell and changes nothing: if it was trained so, say {words}"
            )
    return left, picture


def _tell_apart(other: Tried, best: Tried, ask: Ask, made: Pool, pool: Pool) -> None:
    """Try both on as many pictures as it takes to tell which is better, or that it hardly matters."""
    for least in (SECOND, MOST):
        if paired(*other.beside(best)) >= WORSE and other.could_gain(best) > MATTERS:
            for each, images in ((other, made), (best, pool)):
                ask([each], pool=images, least=least)


def _score(one: Tried, other: Tried) -> str:
    """How often it is right, of the pictures that both were tried on."""
    right, _ = one.beside(other)
    return f"right on {int(right.sum()):,} of {len(right):,} (preprocessing: {one.name})"


def _may_matter(other: Tried, best: Tried) -> bool:
    """Whether it was right more often, if not by more than chance."""
    mine, theirs = other.beside(best)
    return float(mine.mean() - theirs.mean()) > MATTERS


def _changes(picture: Picture, unsaid: Collection[str]) -> list[dict[str, Any]]:
    """What is tried, one after the other."""
    backgrounds = ((0,) * len(picture.fill), "none") if "background" in unsaid else ()
    changes: list[dict[str, Any]] = [
        {"background": each} for each in backgrounds if each != picture.background
    ]
    if "fit" in unsaid:
        changes += [{"fit": fit} for fit in FITS if fit != picture.fit]
    return changes


def _is_better(other: Tried, best: Tried) -> bool:
    """Whether it is right more often, by more than chance, on the pictures that both were tried on."""
    mine, theirs = other.beside(best)
    return bool(mine.sum() > theirs.sum() and paired(mine, theirs) < WORSE)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else "black"
