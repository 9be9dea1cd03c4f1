"""A picture of latency over minutes."""

from collections.abc import Sequence
from pathlib import Path

from edgefashion import figures
from edgefashion.escaping import plot_label
from edgefashion.records.results import Row

QUANTITIES = (("p50_us", "p50 (µs)"), ("temperature_c", "temperature (°C)"), ("mhz", "clock (MHz)"))


def plot(rows: Sequence[Row], path: Path) -> None:
    """Draw the `sustained` of rows of a results file: latency, and temperature and clock where known.

    Raises BadInput for a kind of picture that cannot be drawn, MissingExtra without matplotlib, OutputError.
    """
    kind = figures.kind_of(path)
    long = [row for row in rows if row.sustained]
    shown = [
        (name, label)
        for name, label in QUANTITIES
        if any(getattr(point, name) is not None for row in long for point in row.sustained or ())
    ]
    figure = figures.new_figure(8, 1 + 2.5 * max(1, len(shown)))
    panels = figure.subplots(max(1, len(shown)), 1, sharex=True, squeeze=False)[:, 0]
    for panel, (name, label) in zip(panels, shown, strict=False):
        for row in long:
            points = [point for point in row.sustained or () if getattr(point, name) is not None]
            minutes = [point.at_s / 60 for point in points]
            panel.plot(minutes, [getattr(point, name) for point in points], label=_name(row))
        panel.set_ylabel(label)
        panel.grid(alpha=0.3)
    panels[-1].set_xlabel("minutes without a pause")
    if long:
        panels[0].set_ylim(bottom=0)
        panels[0].legend(fontsize="small")
    figures.save(figure, path, kind)


def _name(row: Row) -> str:
    return plot_label(f"{Path(row.path).name}, threads {row.threads}")
