"""Accuracy against latency and against size, as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgefashion import figures
from edgefashion.escaping import plot_label
from edgefashion.report.compare.joining import Comparison
from edgefashion.report.compare.points import Artifact, Point, Points, front, points
from edgefashion.report.compare.sources import Source
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
Place = tuple[float, float]


def plot(comparison: Comparison, path: Path) -> tuple[str, ...]:
    """Draw every artifact that has an accuracy; give the names of those left out, see `points.points`.

    Raises BadInput without any, or for a suffix other than .png, .svg and .pdf, MissingExtra without
    matplotlib, and OutputError when `path` cannot be written.
    """
    kind = figures.kind_of(path)
    found = points(comparison)
    height = max(4.5, AROUND_INCHES + 1.2 * LABEL_INCHES * len(found.artifacts))
    figure = figures.new_figure(2 * PANEL_INCHES, height)
    latency, size = figure.subplots(1, 2, sharey=True)
    room = LABEL_INCHES / (height - AROUND_INCHES)
    shown = _draw(latency, found.artifacts, "latency", room) | _draw(size, found.artifacts, "size", room)
    count = f"{found.threads} thread{'s' if found.threads > 1 else ''}"
    latency.set_xlabel(f"p50 of single images in µs, {count}")
    one = "" if len(comparison.sources) == 1 else " (★ the same on all devices)"
    size.set_xlabel(f"size of the file in kB{one}")
    latency.set_ylabel(f"accuracy, % of {found.images:,} images (95 % interval: ±{_reach(found):.1f})")
    _legend(figure, [source for source in comparison.sources if source.number in shown])
    figures.save(figure, path, kind)
    return found.left_out


def apart(heights: Sequence[float], room: float) -> list[float]:
    """Heights 0..1 in rising order, moved as little as leaves `room` between neighbours inside 0..1.

    Neighbours that are too close are a block around the mean of where they belong; blocks that meet are
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


def _draw(axes: "Axes", artifacts: Sequence[Artifact], what: str, room: float) -> set[int]:
    """A panel: each artifact's points joined by a line, its label at the right, fronts behind them.

    Gives the numbers of the sources whose own markers are in it.
    """
    ends: list[tuple[Place, Artifact]] = []
    fronts: dict[int, list[Place]] = {}
    shown: set[int] = set()
    for artifact in artifacts:
        known = [(place, point) for point in artifact.points if (place := _place(point, what))]
        places = sorted(place for place, _ in known)
        if not places:
            continue
        axes.plot(*zip(*places, strict=True), color=_colour(artifact), linewidth=0.8, alpha=0.5)
        alike = len(places) > len(set(places)) == 1
        for place, point in known:
            _mark(axes, place, ALL_DEVICES if alike else _marker(point.source), artifact)
            shown |= set() if alike else {point.source.number}
            fronts.setdefault(point.source.number, []).append(place)
        ends.append((places[-1], artifact))
    for places in fronts.values():
        costs, accuracies = zip(*front(places), strict=True)
        axes.step(costs, accuracies, where="post", color=_GREY, linewidth=0.8, linestyle=":", zorder=1)
    _scale(axes, [cost for (cost, _), _ in ends])
    _labels(axes, ends, room)
    return shown


def _place(point: Point, what: str) -> Place | None:
    cost: float | None = getattr(point, what)
    return None if cost is None else (cost, point.accuracy)


def _mark(axes: "Axes", place: Place, marker: str, artifact: Artifact) -> None:
    colour = _colour(artifact)
    face = colour if artifact.format == "tflite" else "white"
    axes.plot(*place, marker, color=colour, markerfacecolor=face, markersize=6)


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


def _labels(axes: "Axes", ends: Sequence[tuple[Place, Artifact]], room: float) -> None:
    """Names at the right edge, as near the height of their points as they have room, and lines to them."""
    low, high = axes.get_ylim()
    ends = sorted(ends, key=lambda end: (end[0][1], -end[0][0]))
    heights = apart([(y - low) / (high - low) for (_, y), _ in ends], room)
    for height, (place, artifact) in zip(heights, ends, strict=True):
        line = {"arrowstyle": "-", "color": _colour(artifact), "linewidth": 0.5, "alpha": 0.6}
        axes.annotate(
            plot_label(artifact.name),
            place,
            (1.04, height),
            textcoords="axes fraction",
            fontsize=8,
            va="center",
            color=_colour(artifact),
            arrowprops={**line, "relpos": (0, 0.5), "shrinkA": 0},
        )


def _colour(artifact: Artifact) -> tuple[float, ...]:
    """Of its model and precision: dark enough to be read as text, all different up to 18."""
    from matplotlib import colormaps

    dark = [colormaps[name](number) for name, size in (("tab10", 10), ("Dark2", 8)) for number in range(size)]
    return dark[artifact.kind % len(dark)]


def _marker(source: Source) -> str:
    return MARKERS[(source.number - 1) % len(MARKERS)]


def _reach(found: Points) -> float:
    """Half of the widest 95 % interval of an accuracy, in points."""
    accuracies = [point.accuracy for artifact in found.artifacts for point in artifact.points]
    intervals = [
        wilson_interval(round(accuracy / 100 * found.images), found.images) for accuracy in accuracies
    ]
    return 50 * max(high - low for low, high in intervals)


def _legend(figure: "Figure", sources: Sequence[Source]) -> None:
    from matplotlib.lines import Line2D

    looks: list[tuple[str, dict[str, Any]]] = [
        *((plot_label(source.title), {"marker": _marker(source), "linestyle": ""}) for source in sources),
        ("filled: TFLite, hollow: ONNX", {"linestyle": ""}),
        ("Pareto front of a device", {"linestyle": ":"}),
    ]
    handles = [Line2D([], [], color="0.3", label=label, **look) for label, look in looks]
    figure.legend(handles=handles, fontsize=8, loc="outside lower center", ncols=min(5, len(handles)))
