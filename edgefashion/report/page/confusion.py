"""The confusion matrix as a table, and the images behind its cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgefashion.data import Subset
from edgefashion.report.card import Card
from edgefashion.report.page.answers import Mistake, mistakes
from edgefashion.report.page.thumbnails import data_uris

MOST_CLASSES = 40
"""Of more there is no table: nobody finds anything in it."""
SHADES = 9
PER_CELL, SUREST = 12, 24
"""Images that a cell opens, and of the surest mistakes, at most."""


@dataclass(frozen=True)
class Picture:
    """An image, and what is said of it."""

    source: str
    caption: str


@dataclass(frozen=True)
class Cell:
    """How many images of a class are given another, or their own."""

    count: int
    shade: int
    """0 to SHADES, of the share of the class."""
    right: bool
    key: str
    """Which images it opens, where there are any."""
    told: str
    """What it says to who does not see where it stands."""


@dataclass(frozen=True)
class Matrix:
    """Rows of cells, of the images of each class; columns by the class that they are given."""

    names: Sequence[str]
    rows: list[list[Cell]]


@dataclass(frozen=True)
class Album:
    """The images of a model's mistakes."""

    surest: list[Picture]
    cells: dict[str, list[Picture]]
    """By `Cell.key`."""
    cut: bool
    """Whether there was no room for all that would be shown."""


def album(card: Card, images: Subset, room: int) -> Album:
    """The surest mistakes of the deployed file, and of each cell its surest, first one of each: as far as
    there is room, in bytes.
    """
    found = mistakes(card)
    ranks: dict[tuple[int, int], int] = {}
    turns: list[tuple[int, Mistake]] = []
    for mistake in found:
        place = mistake.label, mistake.taken_for
        turns.append((ranks.setdefault(place, 0), mistake))
        ranks[place] += 1
    shown = [mistake for rank, mistake in sorted(turns, key=lambda turn: turn[0]) if rank < PER_CELL]
    first = found[:SUREST]
    sources = data_uris(images.images, [mistake.position for mistake in (*first, *shown)], room)
    names, cells = card.task.classes, dict[str, list[Picture]]()
    surest = [
        Picture(source, f"{names[each.label]} taken for {names[each.taken_for]}, {_sure(each, images)}")
        for each, source in zip(first, sources, strict=False)
    ]
    for each, source in zip(shown, sources[len(first) :], strict=False):
        key = _key(each.label, each.taken_for)
        cells.setdefault(key, []).append(Picture(source, _sure(each, images)))
    return Album(surest, cells, len(sources) < len(first) + len(shown))


def matrix(card: Card) -> Matrix | None:
    """That of the deployed file; None of too many classes."""
    names = card.task.classes
    if len(names) > MOST_CLASSES:
        return None
    counts = card.confusion(card.deployed)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    rows = [
        [
            _cell(names, label, given, int(counts[label, given]), float(shares[label, given]))
            for given in range(len(names))
        ]
        for label in range(len(names))
    ]
    return Matrix(names, rows)


def _cell(names: Sequence[str], label: int, given: int, count: int, share: float) -> Cell:
    told = f"{names[label]} taken for {names[given]}: {count:,}"
    return Cell(count, _shade(share), label == given, _key(label, given), told)


def _shade(share: float) -> int:
    """0 for none; the least that there is is seen."""
    return min(SHADES, 1 + int(SHADES * share**0.5)) if share else 0


def _key(label: int, given: int) -> str:
    return f"{label}-{given}"


def _sure(mistake: Mistake, images: Subset) -> str:
    number = f"test image {int(images.indices[mistake.position]):,}"
    image = number if images.files is None else images.files[mistake.position]
    return f"{100 * mistake.probability:.1f} % sure, {image}"
