"""A picture of latency over minutes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgefashion import figures
from edgefashion.figures import Caption, Entry, numbering
from edgefashion.records.device import Device
from edgefashion.records.results import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

QUANTITIES = {"p50_us": "latency (p50), µs", "temperature_c": "temperature, °C", "mhz": "clock, MHz"}
PANEL_INCHES = 2.4
COOL, HOT = 20.0, 90.0
"""Degrees between which the axis is at least: half a degree is no rise."""
WIDE = 10
"""Latencies that differ by more times than that have a logarithmic axis."""
STYLES = ("-", "--", "-.", ":")
Line = list[tuple[float, float]]


def plot(rows: Sequence[Row], device: Device, path: Path) -> None:
    """Draw the `sustained` of rows of a results file: latency, and temperature and clock where known.

    Raises BadInput for a kind of picture that cannot be drawn, MissingExtra without matplotlib, OutputError.
    """
    long = [row for row in rows if row.sustained]
    known = [name for name in QUANTITIES if any(_line(row, name) for row in long)] or ["p50_us"]
    details = (
        [f"of single inferences{'' if _differ(long) else f', threads {long[0].threads}'}"] if long else []
    )
    caption = Caption("Latency over minutes without a pause", details, device.name, device.date)
    height = 0.5 + PANEL_INCHES * len(known)
    with figures.drawing(path, height, caption, [_entries(long)]) as figure:
        panels = figure.subplots(len(known), 1, sharex=True, squeeze=False)[:, 0]
        for panel, name in zip(panels, known, strict=True):
            _draw(panel, name, [_line(row, name) for row in long])
        panels[-1].set_xlabel("minutes")
        panels[-1].set_xlim(left=0)
        if len(long) > 1:
            lines = [_line(row, "p50_us") for row in long]
            panels[0].set_xlim(0, 1.16 * max(line[-1][0] for line in lines))
            figures.settle(figure)
            ends = [(line[-1], number) for number, line in enumerate(lines, 1)]
            numbering.write(panels[0], ends, [place for line in lines for place in line])


def _line(row: Row, name: str) -> Line:
    """The minutes and values of a quantity."""
    points = [(point.at_s / 60, getattr(point, name)) for point in row.sustained or ()]
    return [(at, value) for at, value in points if value is not None]


def _draw(panel: "Axes", name: str, lines: Sequence[Line]) -> None:
    for number, line in enumerate(lines):
        if line:
            panel.plot(*zip(*line, strict=True), **_look(number))
    panel.set_ylabel(QUANTITIES[name])
    values = [value for line in lines for _, value in line] or [0.0]
    if name == "temperature_c":
        panel.set_ylim(min(COOL, min(values) - 2), max(HOT, max(values) + 2))
    elif name == "p50_us" and max(values) > WIDE * min(values):
        panel.set_yscale("log")
        panel.set_ylim(min(values) / 2, max(values) * 2)
        panel.yaxis.set_major_formatter("{x:,g}")
    else:
        panel.set_ylim(0, 1.1 * max(values) or 1)


def _differ(rows: Sequence[Row]) -> bool:
    """Whether they have different threads."""
    return len({row.threads for row in rows}) > 1


def _look(number: int) -> dict[str, Any]:
    count = len(figures.COLORS)
    return {"color": figures.COLORS[number % count], "linestyle": STYLES[number // count % len(STYLES)]}


def _entries(rows: Sequence[Row]) -> list[Entry]:
    """What each line is; its number too, where there are several, and its threads where these differ."""
    return [
        Entry(
            f"{Path(row.path).name}{f', threads {row.threads}' if _differ(rows) else ''}",
            _look(number),
            str(number + 1) if len(rows) > 1 else "",
        )
        for number, row in enumerate(rows)
    ]
