"""Accuracy against latency and against size, as a picture."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgefashion import figures
from edgefashion.artifacts import formats
from edgefashion.escaping import plot_label
from edgefashion.report.compare.devices import DeviceResults
from edgefashion.report.compare.join import Comparison
from edgefashion.report.compare.scatter import Artifact, Point, Points, front, points
from edgefashion.stats import wilson_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = "osD^vPX<>p"
ALL_DEVICES = "*"
PANEL_INCHES = 6.5
LABEL_INCHES = 0.17
"""From one label to the next: 8 points and air."""
AROUND_INCHES = 1.1
"""Height of what stands under a panel."""
_GREY = "0.55"
LABELS = 60
"""Artifacts with a name in a panel, so that the picture is about as high as a page; others have none."""
BARS_BELOW = 1000
"""Images, below which each accuracy's interval is drawn, and not only the widest one told."""
LABELS_AT = 1.04
"""Where names begin, in widths of the panel."""
Place = tuple[float, float]
Color = tuple[float, ...]


def plot(comparison: Comparison, path: Path) -> tuple[str, ...]:
    """Draw every artifact that has an accuracy; give the names of those left out, see `points.points`.

    Raises BadInput without any, or for a suffix other than .png, .svg and .pdf, MissingExtra without
    matplotlib, and OutputError when `path` cannot be written.
    """
    kind = figures.kind_of(path)
    found = points(comparison)
    named = min(len(found.artifacts), LABELS)
    height = max(4.5, AROUND_INCHES + 1.2 * LABEL_INCHES * named)
    figure = figures.new_figure(2 * PANEL_INCHES, height)
    latency, size = figure.subplots(1, 2, sharey=True)
    room = LABEL_INCHES / (height - AROUND_INCHES)
    panels = [_draw(axes, found, what) for axes, what in ((latency, "latency"), (size, "size"))]
    low, high = latency.get_ylim()
    latency.set_ylim(max(low, 0.0), min(high, 100.0))
    for panel in panels:
        _labels(panel, room)
    if len(found.artifacts) > named:
        figure.suptitle(
            f"Of {len(found.artifacts):,} artifacts the {named} most accurate are named", fontsize=8
        )
    count = f"{found.threads} thread{'s' if found.threads > 1 else ''}"
    latency.set_xlabel(f"p50 of single images in µs, {count}")
    one = "" if len(comparison.sources) == 1 else " (★ the same on all devices)"
    size.set_xlabel(f"size of the file in kB{one}")
    latency.set_ylabel(f"accuracy, % of {found.images:,} images{_intervals_told(found)}")
    _legend(
        figure,
        [source for source in comparison.sources if any(source.number in panel.shown for panel in panels)],
    )
    figures.save(figure, path, kind)
    return found.left_out


def apart(heights: Sequence[float], room: float) -> list[float]:
    """Heights 0..1 in rising order, moved as little as leaves `room` between neighbors inside 0..1.

    Neighbors that are too close are a block around the mean of where they belong; blocks that meet are
    one: pool adjacent violators, which gives the least squares solution (R. E. Barlow et al., Statistical
    Inference under Order Restrictions, 1972).
    """
    blocks: list[tuple[float, int]] = []  # where the first belongs, less the room of those before; how many
    for number, height in enumerate(heights):
        start, count = height - number * room, 1
        while blocks and blocks[-1][0] >= start:
            before, size = blocks.pop()
            start = (before * size + start * count) / (size + count)
            count += size
        blocks.append((start, count))
    most = max(0.0, 1 - (len(heights) - 1) * room)
    starts = [min(max(start, 0.0), most) for start, count in blocks for _ in range(count)]
    return [start + number * room for number, start in enumerate(starts)]


@dataclass
class Panel:
    """Axes with points, where each artifact's name belongs, and the sources whose own markers are in it."""

    axes: "Axes"
    ends: list[tuple[Place, Artifact]] = field(default_factory=list)
    shown: set[int] = field(default_factory=set)


def _draw(axes: "Axes", found: Points, what: str) -> Panel:
    """A panel: each artifact's points joined by a line, fronts behind them."""
    panel = Panel(axes)
    lines: list[tuple[list[Place], Color]] = []
    marks: dict[tuple[str, Color, bool], list[Place]] = {}
    fronts: dict[int, list[Place]] = {}
    bars: list[tuple[list[Place], Color]] = []
    for artifact in found.artifacts:
        known = [(place, point) for point in artifact.points if (place := _place(point, what))]
        places = sorted(place for place, _ in known)
        if not places:
            continue
        color = _color(artifact)
        lines.append((places, color))
        bars += [([(cost, end) for end in _interval(accuracy, found)], color) for cost, accuracy in places]
        alike = len(places) > len(set(places)) == 1
        for place, point in known:
            marker = ALL_DEVICES if alike else _marker(point.source)
            marks.setdefault((marker, color, formats.rank(artifact.format) == 0), []).append(place)
            panel.shown |= set() if alike else {point.source.number}
            fronts.setdefault(point.source.number, []).append(place)
        panel.ends.append((places[-1], artifact))
    for (marker, color, filled), places in marks.items():
        face = color if filled else "white"
        look: dict[str, Any] = {"color": color, "markerfacecolor": face, "markersize": 6}
        axes.plot(*zip(*places, strict=True), marker, clip_on=False, **look)
    _scale(axes, [cost for (cost, _), _ in panel.ends])
    if found.images < BARS_BELOW:
        _join(axes, bars, counted=True, linewidth=1.2, alpha=0.4)
    if fronts:
        stairs = [(staircase(front(places), axes.get_xlim()[1]), _GREY) for places in fronts.values()]
        _join(axes, stairs, linewidth=1.0, linestyle=":")
    _join(axes, lines, linewidth=0.8, alpha=0.5)
    return panel


def staircase(corners: Sequence[Place], right: float) -> list[Place]:
    """The Pareto front as a line, from under its cheapest point to the right edge: all below it is beaten."""
    line, height = list[Place](), 0.0
    for cost, accuracy in corners:
        line += [(cost, height), (cost, accuracy)]
        height = accuracy
    return [*line, (right, height)]


def _join(
    axes: "Axes", lines: Sequence[tuple[Sequence[Place], Color | str]], counted: bool = False, **look: Any
) -> None:
    """Lines under the marks, all as one: a picture of thousands is drawn in a moment. `counted`: the axes
    are to show all of them.
    """
    from matplotlib.collections import LineCollection

    parts, colors = [part for part, _ in lines], [color for _, color in lines]
    collection = LineCollection(parts, colors=colors, zorder=1.5, **look)
    collection.set_in_layout(False)
    axes.add_collection(collection, autolim=counted)


def _place(point: Point, what: str) -> Place | None:
    cost: float | None = getattr(point, what)
    return None if cost is None else (cost, point.accuracy)


def _scale(axes: "Axes", costs: Sequence[float]) -> None:
    """Logarithmic, with round numbers beside the axis: 1, 2, 5 of each decade where there are few."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="0.92", linewidth=0.6)
    axes.set_axisbelow(True)
    if not costs:
        axes.set_xticks([])
        axes.text(0.5, 0.5, "none measured", transform=axes.transAxes, ha="center", color=_GREY)
        return
    axes.set_xscale("log")
    few = max(costs) < 100 * min(costs)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _labels(panel: Panel, room: float) -> None:
    """Names at the right edge, as near the height of their points as they have room, and lines to them.

    Of the `LABELS` most accurate artifacts.
    """
    axes = panel.axes
    axes.get_xlim(), axes.get_ylim()  # the limits are known once they are asked for
    to_axes = axes.transScale + axes.transLimits
    ends = sorted(panel.ends, key=lambda end: (end[0][1], -end[0][0]))[-LABELS:]
    points: list[Place] = [tuple(to_axes.transform(place)) for place, _ in ends]
    heights = apart([height for _, height in points], room)
    lines = []
    for height, point, (_, artifact) in zip(heights, points, ends, strict=True):
        color = _color(artifact)
        axes.text(
            LABELS_AT,
            height,
            plot_label(artifact.name),
            transform=axes.transAxes,
            fontsize=8,
            va="center",
            color=color,
        )
        lines.append(([point, (LABELS_AT, height)], color))
    _join(axes, lines, linewidth=0.5, alpha=0.6, transform=axes.transAxes, clip_on=False)


def _color(artifact: Artifact) -> Color:
    """Of its model and precision: dark enough to be read as text, all different up to 18."""
    colors = _dark_colors()
    return colors[artifact.kind % len(colors)]


@functools.cache
def _dark_colors() -> list[Color]:
    from matplotlib import colormaps

    return [colormaps[name](number) for name, size in (("tab10", 10), ("Dark2", 8)) for number in range(size)]


def _marker(source: DeviceResults) -> str:
    return MARKERS[(source.number - 1) % len(MARKERS)]


def _interval(accuracy: float, found: Points) -> Place:
    """The 95 % interval of an accuracy, all in %."""
    low, high = wilson_interval(round(accuracy / 100 * found.images), found.images)
    return 100 * low, 100 * high


def _intervals_told(found: Points) -> str:
    """What the label says of the intervals: the widest where they are not drawn."""
    if found.images < BARS_BELOW:
        return "\nbars: 95 % intervals"
    accuracies = [point.accuracy for artifact in found.artifacts for point in artifact.points]
    ends = [(accuracy, *_interval(accuracy, found)) for accuracy in accuracies]
    below = max(accuracy - low for accuracy, low, _ in ends)
    above = max(high - accuracy for accuracy, _, high in ends)
    return f"\n(95 % interval: at most -{below:.1f}, +{above:.1f})"


def _legend(figure: "Figure", sources: Sequence[DeviceResults]) -> None:
    from matplotlib.lines import Line2D

    first, *others = (each.title for each in formats.FORMATS.values())
    looks: list[tuple[str, dict[str, Any]]] = [
        *((plot_label(source.title), {"marker": _marker(source), "linestyle": ""}) for source in sources),
        (f"filled: {first}, hollow: {' and '.join(others)}", {"linestyle": ""}),
        ("Pareto front of a device: what lies below is beaten", {"linestyle": ":"}),
    ]
    handles = [Line2D([], [], color="0.3", label=label, **look) for label, look in looks]
    figure.legend(handles=handles, fontsize=8, loc="outside lower center", ncols=min(5, len(handles)))
