"""Accuracy against latency and against size, as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgefashion import figures
from edgefashion.artifacts import formats
from edgefashion.errors.wording import few
from edgefashion.figures import Entry, numbering
from edgefashion.report.compare.devices import DeviceResults
from edgefashion.report.compare.join import Comparison
from edgefashion.report.compare.scatter import Artifact, Point, Points, front, points
from edgefashion.stats import wilson_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = "osD^vPX<>p"
ALL_DEVICES = "*"
PANEL_INCHES = 4.1
NAMED = 60
"""Artifacts with a number and a name, so that the picture is about as high as a page; others have none."""
AIR = 2.0
"""A panel begins and ends at so many times the least and the most, so that no speck of time fills it."""
_STAIRS: dict[str, Any] = {"color": "0.6", "linewidth": 1.0, "linestyle": (0, (1, 1.5))}
Place = tuple[float, float]


def plot(comparison: Comparison, path: Path) -> tuple[str, ...]:
    """Draw every artifact that has an accuracy; give the names of those left out, see `points.points`.

    Raises BadInput without any, or for a suffix other than .png, .svg and .pdf, MissingExtra without
    matplotlib, and OutputError when `path` cannot be written.
    """
    figures.kind_of(path)
    found = points(comparison)
    panels = [Panel(what, found) for what in ("latency", "size")]
    best = sorted(found.artifacts, key=lambda artifact: -artifact.points[0].accuracy)[:NAMED]
    named = {id(artifact): place for place, artifact in enumerate(in_order(found.artifacts, best), 1)}
    legends = [_marks(comparison.sources, panels), _names(found, named)]
    with figures.drawing(path, PANEL_INCHES, _caption(comparison, found, len(named)), legends) as figure:
        axes = figure.subplots(1, 2, sharey=True)
        for panel, each in zip(panels, axes, strict=True):
            panel.draw(each)
        low, high = axes[0].get_ylim()
        axes[0].set_ylim(max(low, 0.0), min(high, 100.0))
        axes[0].set_ylabel("accuracy, %")
        axes[0].set_xlabel(f"latency (p50) of an image in µs, threads {found.threads}")
        axes[1].set_xlabel("size of the file in kB")
        figures.settle(figure)
        for panel, each in zip(panels, axes, strict=True):
            numbering.write(
                each, [(end, named[key]) for key, end in panel.ends if key in named], panel.places
            )
    return found.left_out


def in_order(artifacts: Sequence[Artifact], chosen: Sequence[Artifact]) -> list[Artifact]:
    """Those chosen, as the tables have them."""
    wanted = set(map(id, chosen))
    return [artifact for artifact in artifacts if id(artifact) in wanted]


@dataclass
class Panel:
    """What is drawn against latency or size: each mark's look and places, and the end of each artifact."""

    what: str
    found: Points
    marks: dict[tuple[str, str, bool], list[Place]] = field(default_factory=dict)
    fronts: dict[int, list[Place]] = field(default_factory=dict)
    lines: list[tuple[list[Place], str]] = field(default_factory=list)
    ends: list[tuple[int, Place]] = field(default_factory=list)
    shown: set[int] = field(default_factory=set)
    """The sources whose own markers are in it."""

    def __post_init__(self) -> None:
        for artifact in self.found.artifacts:
            self._add(artifact)

    @property
    def places(self) -> list[Place]:
        """Of all marks."""
        return [place for places in self.marks.values() for place in places]

    def _add(self, artifact: Artifact) -> None:
        known = [(place, point) for point in artifact.points if (place := _place(point, self.what))]
        places = sorted(place for place, _ in known)
        if not places:
            return
        color = _color(artifact)
        alike = len(places) > len(set(places)) == 1
        for place, point in known:
            marker = ALL_DEVICES if alike else _marker(point.source)
            self.marks.setdefault((marker, color, _is_filled(artifact.format)), []).append(place)
            self.shown |= set() if alike else {point.source.number}
            self.fronts.setdefault(point.source.number, []).append(place)
        self.lines.append((places, color))
        self.ends.append((id(artifact), places[-1]))

    def draw(self, axes: "Axes") -> None:
        """Each artifact's points joined by a line, with their intervals; fronts behind them."""
        if not self.ends:
            axes.set_xticks([])
            axes.text(0.5, 0.5, "none measured", transform=axes.transAxes, ha="center", color=figures.FAINT)
            return
        for (marker, color, filled), places in self.marks.items():
            axes.plot(*zip(*places, strict=True), **_look(marker, color, filled))
        _scale(axes, [cost for cost, _ in self.places])
        _join(axes, self._bars(), counted=True, linewidth=1.4, alpha=0.45)
        if len(self.ends) > 1:
            right = axes.get_xlim()[1]
            stairs = [staircase(front(places), right) for places in self.fronts.values()]
            _join(axes, [(line, _STAIRS["color"]) for line in stairs], **_STAIRS)
        _join(axes, self.lines, linewidth=0.8, alpha=0.5)

    def _bars(self) -> list[tuple[list[Place], str]]:
        """The interval of each artifact's accuracy once, at the rightmost of the places that have it."""
        images = self.found.images
        ends = [({accuracy: cost for cost, accuracy in places}, color) for places, color in self.lines]
        return [
            ([(cost, end) for end in interval(accuracy, images)], color)
            for costs, color in ends
            for accuracy, cost in costs.items()
        ]


def staircase(corners: Sequence[Place], right: float) -> list[Place]:
    """The Pareto front as a line, from under its cheapest point to the right edge: all below it is beaten."""
    line, height = list[Place](), 0.0
    for cost, accuracy in corners:
        line += [(cost, height), (cost, accuracy)]
        height = accuracy
    return [*line, (right, height)]


def interval(accuracy: float, images: int) -> Place:
    """The 95 % interval of an accuracy, all in %."""
    low, high = wilson_interval(round(accuracy / 100 * images), images)
    return 100 * low, 100 * high


def _join(
    axes: "Axes", lines: Sequence[tuple[Sequence[Place], str]], counted: bool = False, **look: Any
) -> None:
    """Lines under the marks, all as one: a picture of thousands is drawn in a moment. `counted`: the axes
    are to show all of them.
    """
    from matplotlib.collections import LineCollection

    parts, colors = [part for part, _ in lines], [color for _, color in lines]
    collection = LineCollection(parts, **{**look, "color": colors, "zorder": 1.5})
    collection.set_in_layout(False)
    axes.add_collection(collection, autolim=counted)


def _place(point: Point, what: str) -> Place | None:
    cost: float | None = getattr(point, what)
    return None if cost is None else (cost, point.accuracy)


def _scale(axes: "Axes", costs: Sequence[float]) -> None:
    """Logarithmic, with round numbers beside the axis: 1, 2, 5 of each decade where there are few."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_xscale("log")
    axes.set_xlim(min(costs) / AIR, max(costs) * AIR)
    few = max(costs) < 100 * min(costs)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _color(artifact: Artifact) -> str:
    return figures.COLORS[artifact.kind % len(figures.COLORS)]


def _is_filled(format: str) -> bool:
    return formats.rank(format) == 0


def _marker(source: DeviceResults) -> str:
    return MARKERS[(source.number - 1) % len(MARKERS)]


def _look(marker: str, color: str, filled: bool = True) -> dict[str, Any]:
    face = color if filled else "white"
    return {"color": color, "marker": marker, "markerfacecolor": face, "markersize": 6, "linestyle": ""}


def _marks(sources: Sequence[DeviceResults], panels: Sequence[Panel]) -> list[Entry]:
    """What marks stand for, beside the colors."""
    shown = {number for panel in panels for number in panel.shown}
    marked = [source for source in sources if source.number in shown] if len(sources) > 1 else []
    filled = {filled for panel in panels for _, _, filled in panel.marks}
    first, *others = (each.title for each in formats.FORMATS.values())
    kinds = [(True, first), (False, " and ".join(others))]
    entries = [Entry(source.title, _look(_marker(source), figures.FAINT)) for source in marked]
    if any(marker == ALL_DEVICES for panel in panels for marker, _, _ in panel.marks):
        entries.append(Entry("the same on all devices", _look(ALL_DEVICES, figures.FAINT)))
    if len(filled) > 1:
        entries += [Entry(words, _look("o", figures.FAINT, each)) for each, words in kinds]
    several = any(len(panel.ends) > 1 for panel in panels)
    return [
        *entries,
        *([Entry("Pareto front: nothing faster or smaller was as accurate", _STAIRS)] if several else []),
    ]


def _names(found: Points, named: dict[int, int]) -> list[Entry]:
    return [
        Entry(
            f"{artifact.name}{' !' if artifact.flags else ''}",
            _look("o", _color(artifact), _is_filled(artifact.format)),
            str(named[id(artifact)]),
        )
        for artifact in found.artifacts
        if id(artifact) in named
    ]


def _caption(comparison: Comparison, found: Points, named: int) -> figures.Caption:
    bars = f"{found.images:,} test images; bars are 95 % intervals: where they overlap it may be chance"
    details = [f"{found.dataset}, {bars}"]
    if flags := dict.fromkeys(flag for artifact in found.artifacts for flag in artifact.flags):
        details.append(f"! a latency not to be trusted: {few(list(flags), 4)}")
    if len(found.artifacts) > named:
        details.append(f"Of {len(found.artifacts):,} artifacts the {named} most accurate are named")
    dates = sorted({(source.results.device.date or "")[:10] for source in comparison.sources} - {""})
    days = dates[0] if dates and dates[0] == dates[-1] else " to ".join(dates[:1] + dates[-1:])
    names = dict.fromkeys(source.results.device.name or "unknown device" for source in comparison.sources)
    machines = few(list(names), 2)
    return figures.Caption("Accuracy against latency and size", details, machines, days)
