"""The tables of a results file, and the columns of each."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from edgefashion.artifacts import targets
from edgefashion.artifacts.artifact import Artifact
from edgefashion.data.fashion_mnist import FASHION_MNIST
from edgefashion.evaluation.results import Results
from edgefashion.records.results import Point, Row
from edgefashion.tables import ALWAYS, NONE, Column, Table, figure, kilobytes, time

MOST_FILES, MOST_CLASSES = 4, 40
"""Whose recalls a table shows."""
FEW_CLASSES = 10
"""Of data of one's own, whose recalls are shown wherever they are known."""
FLAGGED = "!"
"""What marks a row that has flags."""


def result_tables(results: Results) -> list[Table[Any]]:
    """Accuracy, a row per file and runtime, where there was data or no clock; the recall of each class, where
    these are of different sizes or few; latency, a row per number of threads too, unless accuracy alone was
    measured; latency over minutes.
    """
    per_file = list({(row.path, row.runtime): row for row in reversed(results.rows)}.values())[::-1]
    accuracy = Table("Accuracy", _used(_ACCURACY, per_file), per_file)
    latency = Table("Latency and memory, one image at a time", _used(_LATENCY, results.rows), results.rows)
    long = [row for row in results.rows if row.sustained]
    own = bool(results.dataset and results.dataset.name != FASHION_MNIST.name)
    classes = recall_table(per_file, own)
    sustained = Table("Sustained load", _used(_SUSTAINED, long), long)
    emulated = bool(results.device.emulated)
    timed = not emulated and any(row.latency_us.p50 or row.accuracy is None for row in results.rows)
    return [
        *([accuracy] if results.dataset or emulated else []),
        *([classes] if classes else []),
        *([latency] if timed else []),
        *([sustained] if long else []),
    ]


def recall_table(rows: Sequence[Row], own: bool) -> Table[Any] | None:
    """Of each class, how many of its images each file gets right; None where the classes are of like size,
    unless they are few and of the user's `own` data.
    """
    shown = [row for row in rows if row.is_imbalanced or (own and 0 < len(row.recalls) <= FEW_CLASSES)]
    if not shown:
        return None
    shown = [row for row in shown if len(row.recalls) == len(shown[0].recalls)]
    columns: list[Column[int]] = [
        Column("Class", lambda place: shown[0].recalls[place].name, number=False),
        Column("Images", lambda place: f"{shown[0].recalls[place].images:,}"),
    ]
    for number, row in enumerate(shown[:MOST_FILES]):
        title = f"{row.model} {row.format} {precision(row)}"
        title += f" {row.runtime}" if several_runtimes(rows) else ""
        columns.append(Column(title, partial(_recall, row), importance=ALWAYS if number == 0 else 9 - number))
    places = range(min(MOST_CLASSES, len(shown[0].recalls)))
    return Table("Recall %, of the images of a class, with 95 % Wilson intervals", tuple(columns), [*places])


def _recall(row: Row, place: int) -> str:
    found = row.recalls[place]
    if found.recall is None or found.ci95 is None:
        return NONE
    return f"{100 * found.recall:.1f} ({found.ci95[0] * 100:.0f}–{found.ci95[1] * 100:.0f})"


def runtimes_of(rows: Iterable[Row]) -> list[str]:
    """Names and versions of the runtimes that started, each once."""
    return list(dict.fromkeys(f"{row.runtime} {row.runtime_version}" for row in rows if row.runtime_version))


def several_runtimes(rows: Iterable[Row]) -> bool:
    """Whether a format has several, so that rows are told apart by them."""
    pairs = {(row.format, row.runtime) for row in rows if row.runtime}
    return len(pairs) > len({format for format, _ in pairs})


def precision(subject: Row | Artifact) -> str:
    """With the processor a file is made for, unless that is any, and how many layers are in float."""
    target, floats = subject.target, len(subject.kept_float)
    made_for = "" if target == targets.ANY else f" {target}"
    return (subject.precision or NONE) + made_for + (f", {floats} in float" if floats else "")


def _used(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> tuple[Column[Row], ...]:
    """Those that a table is nothing without, and of the others those where any row has something in them;
    that of runtimes where a format has several.
    """
    empty = {NONE, ""}
    several = several_runtimes(rows)
    return tuple(
        column
        for column in columns
        if (several or column is not _RUNTIME)
        and (
            (column.importance >= ALWAYS and column is not _MARK)
            or any(column.text(row) not in empty for row in rows)
        )
    )


def _accuracy(row: Row) -> str:
    if row.accuracy is None:
        return "failed" if row.status != "ok" else NONE
    return f"{row.accuracy * 100:.2f}"


def _interval(ends: tuple[float, float] | None) -> str:
    return "–".join(f"{end * 100:.2f}" for end in ends) if ends else NONE


def _difference(delta: float | None) -> str:
    return figure(delta, 100, "+.2f")


def _p(p: float | None) -> str:
    return "<0.001" if p is not None and p < 0.001 else figure(p, form=".3f")


def _if_imbalanced(name: str, text: Callable[[Any], str]) -> Callable[[Row], str]:
    """The text of a field, in rows where balanced accuracy belongs beside accuracy."""
    return lambda row: text(getattr(row, name)) if row.is_imbalanced else NONE


def _host(row: Row) -> str:
    host = row.host
    if not host:
        return NONE
    if host.equal is None:
        return "not compared"
    if not host.equal:
        return "differs"
    return "equal" if host.tolerance else "equal to the bit"


def _p50(row: Row) -> str:
    return time(row.latency_us.p50) if row.status == "ok" else "failed"


def _of_gemm(row: Row) -> str:
    share = row.share_of_limit
    return NONE if share is None or share > 1 else figure(share, 100, ".0f")


def _trained(row: Row) -> str:
    return f"{row.model} (small run)" if row.small_run else row.model


def _points(row: Row) -> Sequence[Point]:
    return row.sustained or ()


def _range(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{min(known):.0f}–{max(known):.0f}" if known else NONE


_MODEL: Column[Row] = Column("Model", lambda row: row.model, number=False)
_THREADS: Column[Row] = Column("Threads", lambda row: str(row.threads))
_RUNTIME: Column[Row] = Column("Runtime", lambda row: row.runtime or NONE, number=False)
_KIND: tuple[Column[Row], ...] = (
    Column("Format", lambda row: row.format, number=False),
    Column("Precision", precision, number=False),
    _RUNTIME,
)
_MARK: Column[Row] = Column("", lambda row: FLAGGED if row.flags else "", number=False)
_ACCURACY: tuple[Column[Row], ...] = (
    Column("Model", _trained, number=False),
    *_KIND,
    Column("kB", lambda row: kilobytes(row.size_bytes), importance=5),
    Column("gzip kB", lambda row: kilobytes(row.gzip_bytes), importance=1),
    Column("Accuracy %", _accuracy),
    Column("95 % interval", lambda row: _interval(row.accuracy_ci95), importance=6),
    Column("Δ pts", lambda row: _difference(row.accuracy_delta), importance=4),
    Column("Agree %", lambda row: figure(row.agreement, 100), importance=3),
    Column("p", lambda row: _p(row.mcnemar_p), importance=2),
    Column("Balanced %", _if_imbalanced("balanced_accuracy", lambda share: figure(share, 100)), importance=9),
    Column("its 95 % interval", _if_imbalanced("balanced_accuracy_ci95", _interval), importance=6),
    Column("its Δ pts", _if_imbalanced("balanced_accuracy_delta", _difference), importance=4),
    Column("its p", _if_imbalanced("balanced_p", _p), importance=2),
    Column("Host", _host, number=False, importance=7),
)
_LATENCY: tuple[Column[Row], ...] = (
    _MODEL,
    *_KIND,
    _THREADS,
    Column("p50 µs", _p50),
    Column("p90 µs", lambda row: time(row.latency_us.p90), importance=3),
    Column("p90 bound µs", lambda row: time(row.p90_bound_us), importance=6),
    Column("p99 µs", lambda row: time(row.latency_us.p99), importance=7),
    Column("inf/s", lambda row: figure(row.inferences_per_s, form=",.0f"), importance=2),
    Column("% of GEMM", _of_gemm, importance=5),
    Column("mJ", lambda row: figure(row.energy_mj, form=".3g"), importance=6),
    Column("First µs", lambda row: time(row.first_inference_us), importance=1),
    Column("Load ms", lambda row: time(row.load_ms), importance=2),
    Column("Peak MiB", lambda row: figure(row.peak_rss_mb, form=".0f"), importance=6),
    _MARK,
)
_SUSTAINED: tuple[Column[Row], ...] = (
    _MODEL,
    *_KIND,
    _THREADS,
    Column("Minutes", lambda row: figure(_points(row)[-1].at_s / 60, form=".1f"), importance=3),
    Column("p50 µs at first", lambda row: time(_points(row)[0].p50_us), importance=8),
    Column("at last", lambda row: time(_points(row)[-1].p50_us)),
    Column("slowest", lambda row: time(max(point.p50_us for point in _points(row))), importance=6),
    Column("°C", lambda row: _range(point.temperature_c for point in _points(row)), importance=7),
    Column("MHz", lambda row: _range(point.mhz for point in _points(row)), importance=4),
)
