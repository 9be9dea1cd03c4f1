"""The charts of a report. Each is beside a table that says the same in numbers."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from edgefashion.artifacts import formats
from edgefashion.escaping import visible
from edgefashion.records.debug import ModelError
from edgefashion.records.results import Recall
from edgefashion.records.run import Story
from edgefashion.report.compare.scatter import front
from edgefashion.report.page import svg
from edgefashion.report.page.answers import Paired
from edgefashion.report.page.svg import GRID, INK, MUTED, PAPER, SERIES
from edgefashion.stats import wilson_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 4.6, 3.2
"""Inches: on a phone's screen the letters are of their own size."""
ROW, AROUND = 0.2, 0.8
"""Inches of a row with a name, and of what stands around the rows."""
MOST_ROWS, LONGEST_NAME = 40, 32
MARKERS = {"int8": "o", "int8-qat": "o", "float32": "s", "float16": "^", "dynamic": "D"}
UNKNOWN = "D"
SHAPES = {
    "o": "M1 6a5 5 0 1 0 10 0a5 5 0 1 0-10 0",
    "s": "M1.5 1.5h9v9h-9z",
    "^": "M6 1 11 11H1z",
    "D": "M6 0 12 6 6 12 0 6z",
}
"""Marker → its outline in a legend, as SVG has it, 12 units wide."""
_LEAST_FACTOR = 2.0
_WIDEST = 1.1
"""The range of an accuracy axis, in widths of the widest interval, where values are close."""


@dataclass(frozen=True)
class Chart:
    """A chart as SVG, and what stands below it."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Dot:
    """A point of a scatter: accuracies in %, and `cost` with its upper bar in µs or kB."""

    label: str
    """What is said of it when it is pointed at."""
    series: int
    precision: str
    format: str
    accuracy: float
    interval: tuple[float, float]
    cost: float
    cost_bar: float | None = None


@contextlib.contextmanager
def _axes(height: float = HEIGHT) -> Iterator[tuple["Figure", "Axes"]]:
    """Axes of a chart, in which everything is drawn in the page's colors."""
    with svg.drawing(WIDTH, height) as figure:
        yield figure, figure.subplots()


def scatter(name: str, title: str, unit: str, dots: Sequence[Dot]) -> Chart:
    """Accuracy against a cost on a logarithmic scale, with the front of what nothing else beats."""
    ends = [end for dot in dots for end in dot.interval]
    with _axes() as (figure, axes):
        axes.set_xscale("log")
        for number, dot in enumerate(dots):
            color = SERIES[dot.series % len(SERIES)]
            _bars(axes, dot, color)
            axes.plot(
                [dot.cost],
                [dot.accuracy],
                MARKERS.get(dot.precision, UNKNOWN),
                gid=f"{svg.POINT}{number}",
                color=color,
                markerfacecolor=color if formats.rank(dot.format) == 0 else PAPER,
                markeredgewidth=1.6,
                markersize=7,
                clip_on=False,
            )
        corners = front([(dot.cost, dot.accuracy) for dot in dots])
        left, right = _costs(dots)
        axes.set_xlim(left, right)
        costs, heights = [*(cost for cost, _ in corners), right], [height for _, height in corners]
        axes.step(costs, [*heights, heights[-1]], ":", where="post", color=MUTED, linewidth=1.2, zorder=1)
        axes.set_ylim(*_around(min(ends), max(ends)))
        axes.set_xlabel(unit)
        axes.set_ylabel("accuracy, %")
        _round_numbers(axes, right / left)
        drawn = svg.inline(figure, name, title, [dot.label for dot in dots])
    return Chart(drawn, title)


def _bars(axes: "Axes", dot: Dot, color: str) -> None:
    low, high = dot.interval
    look: dict[str, Any] = {"color": color, "linewidth": 1.4, "alpha": 0.45, "zorder": 1.5}
    axes.plot([dot.cost, dot.cost], [low, high], **look)
    if dot.cost_bar:
        axes.plot([dot.cost, dot.cost_bar], [dot.accuracy, dot.accuracy], **look)


def _around(low: float, high: float) -> tuple[float, float]:
    """Limits of an axis of shares in %, around all intervals: so that chance never fills it."""
    air = 0.06 * max(high - low, 0.5)
    return max(0.0, low - air), min(100.0, high + air)


def _costs(dots: Sequence[Dot]) -> tuple[float, float]:
    """Limits of an axis of costs, around all bars: of a factor at least, so that what is alike looks so."""
    low, high = min(dot.cost for dot in dots), max(dot.cost_bar or dot.cost for dot in dots)
    air = max((high / low) ** 0.12, _LEAST_FACTOR**0.5 / (high / low) ** 0.5)
    return low / air, high * air


def _round_numbers(axes: "Axes", factor: float) -> None:
    """Few and round numbers beside a logarithmic axis from one end to so many times that."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    decades = LogLocator(subs=(1, 2, 5) if factor < 100 else (1,))
    axes.xaxis.set_major_locator(decades if factor > 8 else MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def curves(name: str, story: Story) -> list[Chart]:
    """Loss and accuracy of each epoch, as far as the run wrote them down; none of a run of one epoch.

    Where the number of validation images is known, their accuracy is within its interval.
    """
    history = story.history or ()
    found = []
    for measure, title, scale in (("loss", "Loss", 1.0), ("accuracy", "Accuracy, %", 100.0)):
        lines = {
            what: [scale * epoch.get(key, float("nan")) for epoch in history]
            for what, key in (("validation", f"val_{measure}"), ("training", measure))
            if not (what == "validation" and story.recipe.use_validation)
        }
        known = {what: values for what, values in lines.items() if any(map(isfinite, values))}
        if known and len(history) > 1:
            images = story.splits.validation if story.splits and measure == "accuracy" else 0
            best = story.best_epoch or None
            found.append(_curve(f"{name}-{measure}", f"{story.name}: {title}", known, images, best))
    return found


def _curve(
    name: str, title: str, lines: Mapping[str, Sequence[float]], images: int, best: int | None
) -> Chart:
    """Values by epoch, of which that of `best` was kept; `images`: how many validate, 0 if unknown."""
    looks = {"validation": (SERIES[0], "-"), "training": (SERIES[1], "--")}
    with _axes(2.8) as (figure, axes):
        for what, values in lines.items():
            color, style = looks[what]
            epochs = range(1, len(values) + 1)
            axes.plot(epochs, values, style, color=color, linewidth=1.8, label=what)
            if images and what == "validation":
                low, high = zip(*(_interval(value, images) for value in values), strict=True)
                axes.fill_between(epochs, low, high, color=color, alpha=0.15, linewidth=0)
        if best:
            axes.axvline(best, color=MUTED, linewidth=1, linestyle=":", label="kept")
        axes.set_xlabel("epoch")
        axes.locator_params("x", integer=True)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
        drawn = svg.inline(figure, name, f"{title} by epoch")
    return Chart(drawn, title + (", with the 95 % interval of validation" if images else ""))


def _interval(accuracy: float, images: int) -> tuple[float, float]:
    """The 95 % interval of an accuracy, all in %."""
    if not isfinite(accuracy):
        return accuracy, accuracy
    low, high = wilson_interval(round(min(max(accuracy, 0), 100) / 100 * images), images)
    return 100 * low, 100 * high


def recalls(name: str, found: Sequence[Recall]) -> Chart | None:
    """How often each class is recognized, the least first; None of too many classes for a chart."""
    rows = [row for row in found if row.recall is not None and row.ci95 is not None]
    if not 1 < len(rows) <= MOST_ROWS:
        return None
    rows.sort(key=lambda row: row.recall or 0, reverse=True)
    values = [100 * (row.recall or 0) for row in rows]
    ends = [(100 * row.ci95[0], 100 * row.ci95[1]) for row in rows if row.ci95]
    title = "Images of a class that are recognized, with 95 % Wilson intervals"
    return _intervals(name, title, "recall, %", [row.name for row in rows], values, ends)


def differences(name: str, found: Sequence[tuple[str, Paired]]) -> Chart | None:
    """Int8 against float: differences with their intervals, around none."""
    rows = list(found[:MOST_ROWS])[::-1]
    if not rows:
        return None
    ends = [(100 * pair.low, 100 * pair.high) for _, pair in rows]
    values = [100 * pair.difference for _, pair in rows]
    counts = {pair.images for _, pair in rows}
    images = f" on {counts.pop():,} images" if len(counts) == 1 else ""
    title = f"Accuracy less that of float32{images}, with 95 % intervals"
    return _intervals(name, title, "points", [label for label, _ in rows], values, ends, zero=True)


def _intervals(
    name: str,
    title: str,
    unit: str,
    names: Sequence[str],
    values: Sequence[float],
    ends: Sequence[tuple[float, float]],
    zero: bool = False,
) -> Chart:
    """A row for each name, from the bottom: a value within its interval."""
    places = range(len(names))
    with _axes(AROUND + ROW * len(names)) as (figure, axes):
        axes.hlines(places, *zip(*ends, strict=True), color=SERIES[0], linewidth=2, alpha=0.5)
        axes.plot(values, places, "o", color=SERIES[0], markersize=5)
        if zero:
            reach = _WIDEST * max(abs(end) for pair in ends for end in pair)
            axes.set_xlim(-reach, reach)
            axes.axvline(0, color=INK, linewidth=1)
        else:
            axes.set_xlim(*_around(min(low for low, _ in ends), max(high for _, high in ends)))
        _rows(axes, names)
        axes.set_xlabel(unit)
        drawn = svg.inline(figure, name, title)
    return Chart(drawn, title)


def layers(name: str, found: ModelError) -> Chart | None:
    """The layers that cause most of the error of the logits, the first one at the top."""
    ranked = sorted(found.layers, key=lambda layer: layer.share, reverse=True)[:20][::-1]
    if not ranked:
        return None
    title = "Part of the error of the logits"
    places = range(len(ranked))
    weights = [100 * layer.share_weights for layer in ranked]
    with _axes(AROUND + 0.3 + ROW * len(ranked)) as (figure, axes):
        axes.barh(places, weights, color=SERIES[0], label="rounded weights", height=0.65)
        outputs = [100 * layer.share_output for layer in ranked]
        axes.barh(places, outputs, left=weights, color=SERIES[1], label="8 bits of its output", height=0.65)
        _rows(axes, [layer.layer for layer in ranked])
        axes.set_xlabel("%")
        axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2, frameon=False)
        drawn = svg.inline(figure, name, f"{title}, by layer of {found.file}")
    return Chart(drawn, title)


def _rows(axes: "Axes", names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [visible(_short(name)) for name in names])
    axes.tick_params("y", length=0)
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.grid(color=GRID, axis="x")


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
