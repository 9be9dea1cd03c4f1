"""The comparison as a table."""

import textwrap
from collections.abc import Callable, Iterable
from dataclasses import replace

from edgefashion.errors.wording import setting
from edgefashion.evaluation.columns import runtimes_of
from edgefashion.records.results import Row
from edgefashion.report.compare import notes
from edgefashion.report.compare.devices import DeviceResults, numbers
from edgefashion.report.compare.join import Cell, Comparison, Data, Line
from edgefashion.report.compare.notes import OTHER_FILE, REMARK, UNKNOWN, WITHIN
from edgefashion.tables import NONE, Column, Page, Table, figure, kilobytes, time

TITLE_WIDTH = 18
"""Characters in a line of a column's title."""
BRIEF_WIDTH = 11
"""The same where a terminal is narrow."""


def page(comparison: Comparison) -> Page:
    """The table, with a line for each source above it and the notes below."""
    table = Table("Latency of single images, and accuracy", _columns(comparison), comparison.lines)
    return Page(
        [_source(source) for source in comparison.sources],
        [table],
        notes.notes(comparison),
        setting("--markdown"),
    )


def _columns(comparison: Comparison) -> tuple[Column[Line], ...]:
    latencies = [column for source in comparison.sources for column in _of_source(source, comparison)]
    several = any(line.key.task for line in comparison.lines)
    return (
        Column("Model", lambda line: line.model, number=False),
        *([Column[Line]("Data", lambda line: line.key.task or NONE, number=False)] if several else []),
        Column("Format", lambda line: line.key.format, number=False),
        Column("Precision", lambda line: line.precision, number=False),
        Column("Runtime", lambda line: line.key.runtime or NONE, number=False, importance=2),
        Column("Threads", lambda line: str(line.key.threads)),
        *latencies,
        *_accuracies(comparison),
        Column("kB", lambda line: _agreed((cell.source, _kb(cell)) for cell in line.cells), importance=4),
    )


def _of_source(source: DeviceResults, comparison: Comparison) -> list[Column[Line]]:
    """Its p50, its ratio unless it is what the others are compared with, its energy if it was measured."""
    against = comparison.against
    title = textwrap.fill(f"({source.number}) {source.title},", TITLE_WIDTH) + "\np50 µs"
    p50 = Column[Line](title, lambda line: _p50(line.of(source)), importance=9 if source is against else 8)
    columns = [replace(p50, brief=f"({source.number})\np50 µs")]
    if against and source is not against and not source.emulated:
        title = f"({source.number})/({against.number})"
        columns.append(Column(title, lambda line: _ratio(line.of(source)), importance=5))
        columns.append(Column(f"{title}\n95 %", lambda line: _interval(line.of(source)), importance=1))
    if any(_energy(line.of(source)) != NONE for line in comparison.lines):
        columns.append(Column(f"({source.number}) mJ", lambda line: _energy(line.of(source)), importance=3))
    return columns


def _p50(cell: Cell | None) -> str:
    if cell is None:
        return NONE
    remark = f" {REMARK}" if notes.remarks(cell) else ""
    return _time(cell) + remark + (OTHER_FILE if cell.same_file is False else "")


def _time(cell: Cell) -> str:
    if cell.row.status != "ok":
        return "failed"
    return "emulated" if cell.source.emulated else time(cell.p50)


def _ratio(cell: Cell | None) -> str:
    if cell is None or cell.ratio is None:
        return NONE
    ratio = cell.ratio
    if ratio.within_spread is None:
        return f"{_digits(ratio.value)} {UNKNOWN}"
    return (WITHIN if ratio.within_spread else "") + _digits(ratio.value)


def _interval(cell: Cell | None) -> str:
    ratio = cell and cell.ratio
    if not ratio or ratio.low is None or ratio.high is None:
        return NONE
    return f"{_digits(ratio.low)} to {_digits(ratio.high)}"


def _energy(cell: Cell | None) -> str:
    return NONE if cell is None or cell.p50 is None else figure(cell.row.energy_mj, form=".3g")


def _digits(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def _accuracies(comparison: Comparison) -> list[Column[Line]]:
    """A column for each set of images, so that accuracies beside each other are of the same ones; another
    for the balanced one where the classes of the images are of different sizes.
    """
    sizes = [data.images for data in comparison.data]
    found = []
    for data, users in comparison.data.items():
        of = f"{data.images:,} images" + (f" {numbers(users)}" if sizes.count(data.images) > 1 else "")
        found.append(_share(data, f"Accuracy %, {of}", lambda row: row.accuracy))
        if any(cell.row.is_imbalanced for cell in comparison.cells if cell.data == data):
            found.append(_share(data, f"Balanced %, {of}", lambda row: row.balanced_accuracy))
    return found


def _share(data: Data, title: str, share: Callable[[Row], float | None]) -> Column[Line]:
    def text(line: Line) -> str:
        cells = [cell for cell in line.cells if cell.data == data]
        return _agreed((cell.source, figure(share(cell.row), 100)) for cell in cells)

    brief = textwrap.fill(title, BRIEF_WIDTH)
    return Column(textwrap.fill(title, TITLE_WIDTH), text, importance=7, brief=brief)


def _kb(cell: Cell) -> str:
    return kilobytes(cell.row.size_bytes)


def _agreed(texts: Iterable[tuple[DeviceResults, str]]) -> str:
    """What the sources say, once where they agree, else each with the numbers of those that say it."""
    said: dict[str, list[DeviceResults]] = {}
    for source, text in texts:
        if text != NONE:
            said.setdefault(text, []).append(source)
    if len(said) > 1:
        return ", ".join(f"{text} {numbers(users)}" for text, users in said.items())
    return next(iter(said), NONE)


def _source(source: DeviceResults) -> str:
    device, rows = source.results.device, source.results.rows
    features = f" ({' '.join(device.isa)})" if device.isa else ""
    parts = [
        f"({source.number}) {source.title}: {device.cores or '?'} cores{features}",
        device.os or "unknown system",
        ", ".join(runtimes_of(rows)) or "no runtime started",
        (device.date or "undated").replace("T", " ")[:16],
        str(source.paths[0]),
    ]
    return "; ".join(parts)
