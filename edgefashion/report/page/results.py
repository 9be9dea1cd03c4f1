"""What was measured: in a few words, in tables, in a scatter, and int8 beside float."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from edgefashion.artifacts import formats
from edgefashion.errors import BadInput
from edgefashion.errors.wording import few
from edgefashion.evaluation import columns, words
from edgefashion.evaluation import page as evaluated
from edgefashion.evaluation.results import Results
from edgefashion.records.results import Row
from edgefashion.report.compare import Comparison, DeviceResults, Line
from edgefashion.report.compare import page as comparing
from edgefashion.report.compare.join import Key
from edgefashion.report.compare.scatter import Points, points
from edgefashion.report.page import charts
from edgefashion.report.page.answers import Paired, paired
from edgefashion.report.page.charts import Chart, Dot
from edgefashion.report.page.data import Model, Report
from edgefashion.stats import wilson_interval
from edgefashion.tables import NONE, Column, Page, Table, figure, kilobytes, time

MOST_PANELS, MOST_MARKS, MOST_NAMES, LISTED = 4, 250, 16, 8


@dataclass(frozen=True)
class Headline:
    """A model in a few words."""

    model: str
    kind: str
    accuracy: str
    interval: str
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """A page of tables, and what it is of."""

    title: str
    page: Page


@dataclass(frozen=True)
class Scatter:
    """Accuracy against what it costs, a chart for each device and one for sizes."""

    charts: list[Chart]
    legend: list[tuple[int, str]]
    """The color of each model, by its number; empty of too many to be told apart so."""
    shapes: list[tuple[str, str]]
    """The marker of each precision."""
    hollow: str
    """What hollow marks are; empty where there are none."""
    notes: list[str]


@dataclass(frozen=True)
class Beside:
    """A row beside its float32 reference, and the same images counted, where their answers are known."""

    name: str
    row: Row
    pair: Paired | None


def headlines(report: Report) -> list[Headline]:
    """The usual file of each model, as the first device has it, and what it takes on each: the most accurate
    first. Accuracies are those on the most images.
    """
    found: dict[str, list[tuple[Row, DeviceResults]]] = {}
    for source in report.comparison.sources if report.comparison else ():
        for row in words.usual_rows(source.results.rows):
            found.setdefault(row.model, []).append((row, source))
    widest = _on_most_images(report)
    told = [(*widest.get(own[0][0].sha256, (own[0][0], own[0][1].results)), own) for own in found.values()]
    return [_headline(*each) for each in sorted(told, key=lambda each: -(each[0].accuracy or 0))]


def _on_most_images(report: Report) -> dict[str | None, tuple[Row, Results]]:
    """The SHA-256 of a file → its accuracy on the most images that it has answered, of several the first."""
    sources = report.comparison.sources if report.comparison else ()
    cards = [model.card for model in report.models if model.card]
    results = [*(source.results for source in sources), *(card.results for card in cards)]
    rows = [(row, each) for each in results for row in each.rows if row.accuracy is not None and row.sha256]
    return {found[0].sha256: found for found in sorted(rows[::-1], key=lambda found: found[0].images or 0)}


def _headline(row: Row, results: Results, found: Sequence[tuple[Row, DeviceResults]]) -> Headline:
    kind = f"{columns.precision(row)} {formats.title(row.format)}"
    data = results.dataset
    images = f"{row.images:,} {data.measured}" if row.images and data else ""
    ends = row.accuracy_ci95
    interval = f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f} % (95 % interval), {images}" if ends else images
    facts = (
        f"{100 * row.balanced_accuracy:.1f} % balanced"
        if row.is_imbalanced and row.balanced_accuracy is not None
        else "",
        f"{kilobytes(row.size_bytes)} kB" if row.size_bytes else "",
        *(_latency(own, device) for own, device in found[:MOST_PANELS] if own.sha256 == row.sha256),
        words.compared(row),
    )
    return Headline(
        row.model, kind, f"{100 * (row.accuracy or 0):.1f} %", interval, tuple(filter(None, facts))
    )


def _latency(row: Row, source: DeviceResults) -> str:
    p50 = source.p50(row)
    doubt = ", flagged below" if row.flags else ""
    return f"{time(p50)} µs an image on {source.title}{doubt}" if p50 else ""


def measured(comparison: Comparison) -> list[Measured]:
    """Several devices side by side, then each by itself."""
    several = len(comparison.sources) > 1
    found = [Measured("", _devices_last(comparing.page(comparison)))] if several else []
    for source in comparison.sources:
        title = f"({source.number}) {source.title}" if several else ""
        found.append(Measured(title, evaluated.page(source.results)))
    return found


def _devices_last(page: Page) -> Page:
    """With what is the same everywhere before the columns of devices, which may need to be scrolled to, and
    without those of devices where nothing was timed.
    """

    def arranged(table: Table[Any]) -> Table[Any]:
        own, others = list[Column[Any]](), list[Column[Any]]()
        for column in table.columns:
            of_device = column.title.startswith("(")
            if not of_device or any(column.text(row) != NONE for row in table.rows):
                (own if of_device else others).append(column)
        return replace(table, columns=(*others, *own))

    return replace(page, tables=list(map(arranged, page.tables)))


def scatter(comparison: Comparison) -> Scatter | None:
    """Accuracy against latency on each device, and against size; None where no accuracy is known."""
    try:
        found = points(comparison)
    except BadInput:
        return None
    lines = {line.artifact: line for line in comparison.lines if line.key.threads == found.threads}
    models = list(dict.fromkeys(line.model for line in lines.values()))
    dot = partial(_dots, found, lines, models)
    threads = f"{found.threads} thread{'s' if found.threads > 1 else ''}"
    timed = [source for source in comparison.sources if any(map(source.p50, source.results.rows))]
    drawn = []
    for source in timed[:MOST_PANELS]:
        if dots := dot(source):
            title = f"Accuracy against latency: {source.title}, {threads}"
            drawn.append(charts.scatter(f"latency-{source.number}", title, "p50 of one image, µs", dots))
    if dots := dot(None):
        drawn.append(charts.scatter("size", "Accuracy against the size of the file", "kB", dots))
    left_out = [f"Not shown, without accuracy on the same images: {few(found.left_out, LISTED)}."]
    cut = [f"Of {len(found.artifacts):,} files the {MOST_MARKS} most accurate have a mark."]
    many = [f"Of {len(timed)} devices the first {MOST_PANELS} have a chart; the table has all."]
    latencies = ", and from p50 to p90" if timed else ""
    said = [
        f"Accuracy on {found.images:,} images; bars: its 95 % Wilson interval{latencies}.",
        *(left_out if found.left_out else []),
        *(cut if len(found.artifacts) > MOST_MARKS else []),
        *(many if len(timed) > MOST_PANELS else []),
    ]
    keys = [lines[artifact.name].key for artifact in found.artifacts]
    legend = [*enumerate(models)] if len(models) <= MOST_NAMES else []
    return Scatter(drawn, legend, _shapes(keys), _hollow(keys), said) if drawn else None


def _shapes(keys: Sequence[Key]) -> list[tuple[str, str]]:
    precisions = [key.precision or "precision unknown" for key in keys]
    markers: dict[str, list[str]] = {}
    for name in dict.fromkeys(precisions):
        markers.setdefault(charts.MARKERS.get(name, charts.UNKNOWN), []).append(name)
    return [(", ".join(names), charts.SHAPES[marker]) for marker, names in markers.items()]


def _hollow(keys: Sequence[Key]) -> str:
    names = {format: formats.title(format) for format in dict.fromkeys(key.format for key in keys)}
    hollow = [name for format, name in names.items() if formats.rank(format)]
    return f"hollow: {' and '.join(hollow)}" if hollow else ""


def _dots(
    found: Points, lines: dict[str, Line], models: list[str], source: DeviceResults | None
) -> list[Dot]:
    """The points of a device; without one, those of sizes. Of many the most accurate."""
    dots = list(_dot(found, lines, models, source))
    return sorted(dots, key=lambda dot: -dot.accuracy)[:MOST_MARKS] if len(dots) > MOST_MARKS else dots


def _dot(
    found: Points, lines: dict[str, Line], models: list[str], source: DeviceResults | None
) -> Iterable[Dot]:
    for artifact in found.artifacts:
        line = lines[artifact.name]
        for point in artifact.points if source else artifact.points[:1]:
            cell = line.of(point.source)
            cost = point.latency if source else point.size
            if cost is None or cell is None or (source and point.source is not source):
                continue
            low, high = wilson_interval(round(point.accuracy / 100 * found.images), found.images)
            p90 = cell.row.latency_us.p90
            cell_told = f"{time(cost)} µs" + (f", p90 {time(p90)} µs" if p90 else "")
            flagged = f"; flagged: {', '.join(flag.flag for flag in cell.row.flags)}"
            told = (
                f"{artifact.name}: {point.accuracy:.2f} % ({100 * low:.2f} to {100 * high:.2f}), "
                + (cell_told if source else f"{cost:,.0f} kB")
                + (flagged if source and cell.row.flags else "")
            )
            yield Dot(
                told,
                models.index(line.model),
                line.key.precision or "",
                line.key.format,
                point.accuracy,
                (100 * low, 100 * high),
                cost,
                p90 if source else None,
            )


def beside_float(report: Report) -> tuple[Table[Beside], Chart | None] | None:
    """Each file that has a float32 reference beside that, on the most images; None where there is none."""
    sources = report.comparison.sources if report.comparison else ()
    rows = [row for source in sources for row in source.results.rows if row.mcnemar_p is not None]
    found: dict[str | None, Beside] = {}
    for each in [*_of_cards(report.models), *(Beside(_name(row), row, None) for row in rows)]:
        known = found.setdefault(each.row.sha256, each)
        if (each.row.images or 0) > (known.row.images or 0):
            found[each.row.sha256] = each
    if not found:
        return None
    pairs = [(each.name, each.pair) for each in found.values() if each.pair]
    return Table("", _BESIDE, list(found.values())), charts.differences("differences", pairs)


def _of_cards(models: Sequence[Model]) -> Iterable[Beside]:
    for card in (model.card for model in models if model.card):
        pairs = {pair.file: pair for pair in paired(card)}
        for artifact, row in zip(card.artifacts, card.results.rows, strict=True):
            if row.mcnemar_p is not None:
                yield Beside(_name(row), row, pairs.get(artifact.path.name))


def _name(row: Row) -> str:
    return f"{row.model} {formats.title(row.format)} {columns.precision(row)}"


def _verdict(each: Beside) -> str:
    row = each.row
    if row.mcnemar_p is None or row.accuracy_delta is None:
        return NONE
    if row.agreement == 1:
        return "same answers"
    if each.pair and not (each.pair.better or each.pair.worse):
        return "right on the same images"
    if row.mcnemar_p >= words.CHANCE:
        return "may be chance"
    return "worse" if row.accuracy_delta < 0 else "better"


def _counted(each: Beside) -> str:
    return f"{each.pair.better:,} / {each.pair.worse:,}" if each.pair else NONE


def _interval(each: Beside) -> str:
    return f"{100 * each.pair.low:+.2f} to {100 * each.pair.high:+.2f}" if each.pair else NONE


def _p(row: Row) -> str:
    p = row.mcnemar_p
    return NONE if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


_BESIDE: tuple[Column[Beside], ...] = (
    Column("File", lambda each: each.name, number=False),
    Column("Images", lambda each: figure(each.row.images, form=",")),
    Column("Accuracy %", lambda each: figure(each.row.accuracy, 100)),
    Column("Difference, points", lambda each: figure(each.row.accuracy_delta, 100, "+.2f")),
    Column("95 % interval", _interval),
    Column("Only it right / only float", _counted),
    Column("McNemar p", lambda each: _p(each.row)),
    Column("Same class %", lambda each: figure(each.row.agreement, 100)),
    Column("In words", _verdict, number=False),
)
