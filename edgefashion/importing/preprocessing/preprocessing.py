"""How a model wants its pixels: the usual ways, and which of them it answers best with.

All are tried on a few labelled pictures. Those that are worse by more than chance (exact McNemar) drop out,
and the others are tried on more, until one is left (a race: Maron and Moore 1993) or no picture is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.data import Subset, stratified_order
from edgefashion.importing.network.imported import Preprocessing
from edgefashion.importing.preprocessing.labels import CHANCE, Classes, found_order
from edgefashion.importing.preprocessing.pool import Pool
from edgefashion.reporting import Progress
from edgefashion.stats import binomial_tail, paired, paired_interval, wilson_interval
from edgefashion.tables import Column, Page, Table

Answer = Callable[[npt.NDArray[np.uint8], Preprocessing], npt.NDArray[np.float32]]
"""Raw images uint8 [N, height, width, channels] → logits float32 [N, outputs]."""
WORSE = 0.01
"""The p value below which a way is worse than the best."""
MATTERS = 0.01
"""What a model may be better by, as a share of the pictures, under a way that is not told from the best."""
FIRST, MOST = 100, 1600
"""Pictures that all are tried on, at least, and that any is tried on, at most."""
BATCH = 50
_TORCH_MEAN, _TORCH_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CAFFE_MEAN = (103.939, 116.779, 123.68)
NAMES = {
    "none": "0 to 255",
    "unit": "0 to 1",
    "tf": "-1 to 1",
    "torch": "0 to 1, less ImageNet's mean, by its deviation",
    "caffe": "0 to 255 less ImageNet's mean, BGR",
    "standardized": "less the mean of the training pictures, by its deviation",
}
"""What a pixel becomes, by the name of the way."""


@dataclass(eq=False)
class Tried:
    """A way, and what the model made of pictures under it."""

    name: str
    preprocessing: Preprocessing
    outputs: Classes = field(default_factory=lambda: np.empty(0, np.intp))
    """The largest output for each picture, [N]."""
    labels: Classes = field(default_factory=lambda: np.empty(0, np.intp))
    order: Classes | None = None
    """The class of each output, where it is not the sorted one."""

    @property
    def classes(self) -> Classes:
        """What each picture is taken for, [N]."""
        return self.outputs if self.order is None else self.order[self.outputs]

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Which pictures are right, [N]."""
        return np.asarray(self.classes == self.labels)

    @property
    def by_chance(self) -> float:
        """The probability of being right so often by predicting classes as often, but blindly."""
        n, count = len(self.labels), int(max(self.classes.max(), self.labels.max())) + 1
        found, wanted = (np.bincount(each, minlength=count) / n for each in (self.classes, self.labels))
        return binomial_tail(int(self.right.sum()), n, float(found @ wanted))

    def beside(self, other: "Tried") -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Which are right under each, of the pictures that both were tried on, [N]."""
        n = min(len(self.labels), len(other.labels))
        return self.right[:n], other.right[:n]

    def could_gain(self, best: "Tried") -> float:
        """What it may be right more often than the best, as a share of the pictures: the upper end of a 95 %
        interval.
        """
        own, others = self.beside(best)
        return paired_interval(int((own & ~others).sum()), int((others & ~own).sum()), len(own))[1]


def of_name(name: str, channels: int, train: Subset) -> Preprocessing:
    """The way of that name, of `NAMES`, for images of so many channels; of gray ones the mean of ImageNet's
    three is taken.
    """
    if name == "standardized":
        return _standardized(train)
    mean, deviation, caffe = _TORCH_MEAN, _TORCH_STD, _CAFFE_MEAN
    if channels == 1:
        mean, deviation, caffe = ((float(np.mean(each)),) for each in (mean, deviation, caffe))  # type: ignore[assignment]
    ways = {
        "none": Preprocessing((1.0,), (0.0,)),
        "unit": Preprocessing((1 / 255,), (0.0,)),
        "tf": Preprocessing((1 / 127.5,), (-1.0,)),
        "torch": _less(mean, deviation),
        "caffe": Preprocessing((1.0,), tuple(-each for each in caffe), bgr=channels == 3),
    }
    return ways[name]


def _less(mean: Sequence[float], deviation: Sequence[float]) -> Preprocessing:
    """Of pixels from 0 to 1."""
    scale = tuple(1 / (255 * each) for each in deviation)
    return Preprocessing(scale, tuple(-m / d for m, d in zip(mean, deviation, strict=True)))


def _standardized(train: Subset) -> Preprocessing:
    order = stratified_order(train, 0)[:MOST]
    pixels = np.asarray(train.images[np.sort(order)], np.float32) / 255
    mean, deviation = pixels.mean((0, 1, 2), np.float64), pixels.std((0, 1, 2), np.float64)
    return _less(mean.tolist(), np.maximum(deviation, 1e-3).tolist())


def usual(channels: int, train: Subset) -> list[Tried]:
    """All that are tried where the user says nothing, the most usual ones first."""
    ways = [(name, of_name(name, channels, train)) for name in NAMES]
    if channels == 3:
        swapped = [(f"{name}, BGR", Preprocessing(way.scale, way.offset, not way.bgr)) for name, way in ways]
        ways += [each for each in swapped if not each[0].startswith("caffe")]
    return [Tried(*each) for each in ways]


def composed(outer: Preprocessing, inner: Preprocessing | None) -> Preprocessing:
    """What a pixel becomes by `outer`, and then by what layers of the file do."""
    if inner is None:
        return outer
    count = max(map(len, (outer.scale, outer.offset, inner.scale, inner.offset)))
    (s1, o1), (s2, o2) = (
        [np.broadcast_to(np.asarray(each, np.float64), (count,)) for each in (way.scale, way.offset)]
        for way in (outer, inner)
    )
    turn = slice(None, None, -1 if inner.bgr else 1)
    scale, offset = s1[turn] * s2, o1[turn] * s2 + o2
    return Preprocessing(tuple(scale.tolist()), tuple(offset.tolist()), outer.bgr != inner.bgr)


def race(
    ways: Sequence[Tried],
    answer: Answer,
    pool: Pool,
    classes: int,
    find_order: bool,
    progress: Progress | None = None,
    least: int = 0,
    most: int | None = None,
) -> list[Tried]:
    """Try the `ways` on more and more pictures of the pool, which are of so many classes, beginning behind
    those that they were tried on; gives those that are left, the best first. With `find_order`, the outputs
    may be of the classes in another order than the task's. It goes on up to `least` pictures, told or not,
    and never beyond `most`.
    """
    left, seen = list(ways), len(ways[0].labels)
    sizes = _sizes(max(FIRST, 10 * classes) if find_order else FIRST, min(most or len(pool), len(pool)))
    for wanted in (size for size in sizes if size > seen):
        images, labels = pool.drawn(seen, wanted)
        for number, each in enumerate(left):
            if progress:
                progress(f"trying preprocessing on {wanted:,} pictures", number, len(left))
            _extend(each, answer, images, labels)
            each.order = found_order(each.outputs, each.labels, classes) if find_order else None
        seen = wanted
        left.sort(key=lambda each: -each.right.sum())
        best = left[0]
        left = [each for each in left if each is best or paired(best.right, each.right) >= WORSE]
        chance = best.by_chance >= CHANCE
        if wanted >= least and ((len(left) == 1 and not chance) or (chance and wanted > FIRST)):
            break
    return left


def _sizes(first: int, most: int) -> list[int]:
    """On how many pictures, one after the other."""
    return sorted({min(size, most) for size in (first, 4 * first, max(MOST, first))})


def _extend(tried: Tried, answer: Answer, images: npt.NDArray[np.uint8], labels: Classes) -> None:
    parts = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
    found = [answer(part, tried.preprocessing).argmax(axis=1) for part in parts]
    tried.outputs = np.concatenate([tried.outputs, *found])
    tried.labels = np.concatenate([tried.labels, labels])


def page(ways: Sequence[Tried]) -> Page:
    """How often the model is right under each, the best first; of those tried on as many pictures as it, how
    likely chance explains that.
    """
    rows = sorted(ways, key=lambda each: (-len(each.labels), -each.right.sum()))
    best = rows[0]

    def p(row: Tried) -> str:
        return "" if row is best else f"{paired(*best.beside(row)):.2g}"

    def interval(row: Tried) -> str:
        low, high = wilson_interval(int(row.right.sum()), len(row.labels))
        return f"{100 * low:.1f}–{100 * high:.1f}"

    columns: tuple[Column[Any], ...] = (
        Column("Preprocessing", lambda row: row.name, number=False),
        Column("a pixel becomes", _words, number=False, importance=5),
        Column("right", lambda row: f"{int(row.right.sum()):,}"),
        Column("of", lambda row: f"{len(row.labels):,}"),
        Column("%", lambda row: f"{100 * row.right.mean():.1f}"),
        Column("95 %", interval, importance=7),
        Column("p against the best", p, importance=8, brief="p"),
    )
    return Page([], [Table("", columns, rows)], [])


def _words(row: Tried) -> str:
    return NAMES.get(row.name.removesuffix(", BGR"), "as the options say")
