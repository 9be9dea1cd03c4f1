"""Rows of the same artifact on several devices in one line."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from edgefashion.data.dataset import TASK
from edgefashion.evaluation import columns
from edgefashion.records.results import Row
from edgefashion.report.compare import bootstrap
from edgefashion.report.compare.bootstrap import Ratio
from edgefashion.report.compare.devices import DeviceResults
from edgefashion.tables import Page
from edgefashion.tables.presentable import Presentable


class Key(NamedTuple):
    """What the rows of a line have in common."""

    model: str
    format: str
    precision: str | None
    target: str
    kept_float: tuple[str, ...]
    runtime: str | None
    threads: int
    sha256: str | None
    """Only where a results file has several artifacts that are alike in all of the above."""
    task: str | None
    """Only where sources are of several tasks: two models of one name are then two models."""

    @property
    def artifact(self) -> "Key":
        """What lines of one artifact have in common, whatever ran it."""
        return self._replace(runtime=None, threads=0)


class Data(NamedTuple):
    """Test images: how many of which data set. The same number of the same set are the same images."""

    images: int
    dataset: str
    task: str
    """The checksum of the data set's task.json: what its classes are called, and what images are made."""


@dataclass(frozen=True)
class Cell:
    """A row of a results file in a comparison."""

    source: DeviceResults
    row: Row
    ratio: Ratio | None
    """Its p50 divided by that of the source that it is compared with; None where there are not two."""
    same_file: bool | None
    """Whether it is that source's file, or the first one's with a checksum; None where nothing tells."""

    @property
    def p50(self) -> float | None:
        """Median latency in microseconds, of real processors."""
        return self.source.p50(self.row)

    @property
    def data(self) -> Data | None:
        """What its accuracy was measured on; None where it has none."""
        dataset = self.source.results.dataset
        if self.row.accuracy is None or not self.row.images or dataset is None:
            return None
        checksums = dict(dataset.checksums)
        task = checksums.pop(TASK, "")
        return Data(self.row.images, f"{dataset.name} {sorted(checksums.items())}", task)


@dataclass(frozen=True)
class Line:
    """An artifact with a number of threads, and its cells in the order of the sources that have it."""

    key: Key
    cells: tuple[Cell, ...]
    one_runtime: bool
    """Whether no other runtime ran the artifact."""

    @property
    def model(self) -> str:
        """The model's name, with a part of the checksum where there are several files of it."""
        return " ".join(part for part in (self.key.model, self.key.sha256 and self.key.sha256[:8]) if part)

    @property
    def precision(self) -> str:
        """The precision, the processor a file is made for and its layers in float."""
        return columns.precision(self.cells[0].row)

    @property
    def artifact(self) -> str:
        """Model, format and precision, and the task and the runtime where there are several."""
        runtime = "" if self.one_runtime else f" {self.key.runtime or 'no runtime'}"
        task = f" of {self.key.task}" if self.key.task else ""
        return f"{self.model}{task} {self.key.format} {self.precision}{runtime}"

    def __str__(self) -> str:
        return f"{self.artifact}, threads {self.key.threads}"

    def of(self, source: DeviceResults) -> Cell | None:
        """The cell of a source."""
        return next((cell for cell in self.cells if cell.source is source), None)


@dataclass(frozen=True)
class Comparison(Presentable):
    """Machine side by side, in lines."""

    sources: tuple[DeviceResults, ...]
    against: DeviceResults | None
    lines: tuple[Line, ...]
    repeated: tuple[str, ...]
    """Paths, with their files, that a line had no place for: the same artifact measured twice in a file."""

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.sources)} results: {len(self.lines)} lines; .table() shows them>"

    def page(self) -> Page:
        """A line for each artifact, a column for each source, and what one must know to believe it."""
        from edgefashion.report.compare import page

        return page.page(self)

    def to_dict(self) -> dict[str, Any]:
        """As `records.to_dict` has it."""
        from edgefashion.report.compare import records

        return records.to_dict(self)

    def to_csv(self) -> str:
        """CSV, a row for each artifact and device; nothing is an empty cell."""
        from edgefashion.report.compare import records

        return records.to_csv(self)

    def ways_to_save(self) -> dict[str, Callable[[], str]]:
        """CSV too."""
        return super().ways_to_save() | {".csv": self.to_csv}

    @property
    def cells(self) -> list[Cell]:
        """Those of all lines."""
        return [cell for line in self.lines for cell in line.cells]

    @property
    def data(self) -> dict[Data, list[DeviceResults]]:
        """What accuracies were measured on, most images first, and the sources that used it."""
        found: dict[Data, dict[int, DeviceResults]] = {}
        for cell in self.cells:
            if cell.data:
                found.setdefault(cell.data, {})[cell.source.number] = cell.source
        return {data: list(found[data].values()) for data in sorted(found, key=lambda data: -data.images)}


def compare(sources: Sequence[DeviceResults], against: DeviceResults | None) -> Comparison:
    """Join the rows of the sources: a line for each key, in the order of the files."""
    runtimes = _only_runtimes(row for _, row in _rows(sources))
    several, tasks = _several(sources, runtimes), {source.task for source in sources} - {None}
    joined: dict[Key, dict[int, Row]] = {}
    repeated: list[str] = []
    for source, row in _rows(sources):
        key = _key(row, runtimes)
        key = key._replace(sha256=row.sha256) if key in several else key
        key = key._replace(task=source.task) if len(tasks) > 1 else key
        own = joined.setdefault(key, {})
        if source.number in own:
            repeated.append(f"({source.number}) {row.path}, threads {row.threads}")
        own.setdefault(source.number, row)
    runtimes_of: dict[Key, set[str | None]] = {}
    for key in joined:
        runtimes_of.setdefault(key.artifact, set()).add(key.runtime)
    lines = [
        Line(key, _cells(own, sources, against), len(runtimes_of[key.artifact]) == 1)
        for key, own in joined.items()
    ]
    return Comparison(tuple(sources), against, tuple(lines), tuple(repeated))


def _rows(sources: Iterable[DeviceResults]) -> list[tuple[DeviceResults, Row]]:
    return [(source, row) for source in sources for row in source.results.rows]


def _only_runtimes(rows: Iterable[Row]) -> dict[str, str]:
    """Of each format whose rows have one runtime only: that."""
    found: dict[str, set[str]] = {}
    for row in rows:
        if row.runtime:
            found.setdefault(row.format, set()).add(row.runtime)
    return {format: min(names) for format, names in found.items() if len(names) == 1}


def _several(sources: Iterable[DeviceResults], runtimes: dict[str, str]) -> set[Key]:
    """The keys that several artifacts of one source have."""
    found: dict[tuple[int, Key], set[str | None]] = {}
    for source, row in _rows(sources):
        found.setdefault((source.number, _key(row, runtimes)), set()).add(row.sha256)
    return {key for (_, key), artifacts in found.items() if len(artifacts) > 1}


def _key(row: Row, runtimes: dict[str, str]) -> Key:
    """A row's key; what did not start anywhere is of the only runtime that others of its format have."""
    runtime = row.runtime or runtimes.get(row.format)
    kind = (row.model, row.format, row.precision, row.target)
    return Key(*kind, row.kept_float, runtime, row.threads, None, None)


def _cells(
    own: dict[int, Row], sources: Sequence[DeviceResults], against: DeviceResults | None
) -> tuple[Cell, ...]:
    base = own.get(against.number) if against else None
    known = [row.sha256 for row in (base, *own.values()) if row and row.sha256]
    cells = []
    for source in sources:
        if row := own.get(source.number):
            same = row.sha256 == known[0] if row.sha256 else None
            cells.append(Cell(source, row, _ratio(source, row, against, base), same))
    return tuple(cells)


def _ratio(source: DeviceResults, row: Row, against: DeviceResults | None, base: Row | None) -> Ratio | None:
    if against is None or base is None or source is against:
        return None
    return bootstrap.ratio(row, base) if source.p50(row) and against.p50(base) else None
