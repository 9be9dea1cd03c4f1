"""What a picture of a comparison shows: each artifact's accuracy, latency and size on each device."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgefashion.errors import BadInput
from edgefashion.report.compare.devices import DeviceResults
from edgefashion.report.compare.join import Cell, Comparison, Data, Line


@dataclass(frozen=True)
class Point:
    """An artifact on a device: accuracy in %, p50 in microseconds (None without latency), size in kB."""

    source: DeviceResults
    accuracy: float
    latency: float | None
    size: float | None


@dataclass(frozen=True)
class Artifact:
    """An artifact and its points. Those of the same model have the same `kind`."""

    name: str
    kind: int
    format: str
    points: tuple[Point, ...]
    flags: tuple[str, ...]
    """Why latencies of it are not to be trusted."""


@dataclass(frozen=True)
class Points:
    """What is drawn: artifacts as measured with `threads` threads and tried on `images` images."""

    artifacts: tuple[Artifact, ...]
    threads: int
    images: int
    dataset: str
    left_out: tuple[str, ...]
    """Artifacts, with devices, without a point."""


def points(comparison: Comparison) -> Points:
    """Of the number of threads that most rows have, and of the images that most of them were tried on.

    So no two points differ in either. Where a device did not try an artifact on these images, the accuracy
    is what another device found for the same file. Raises BadInput where nothing has an accuracy.
    """
    lines, threads = _of_usual_threads(comparison)
    cells = [cell for line in lines for cell in line.cells]
    tried = [cell.data for cell in cells]
    used = [data for data in comparison.data if data in tried]
    if not used:
        raise BadInput("a plot shows accuracies, and these files have none: measure some with test images")
    data = max(used, key=tried.count)
    known = {
        cell.row.sha256: cell.row.accuracy
        for cell in cells
        if cell.data == data and cell.row.sha256 and cell.row.accuracy is not None
    }
    names = dict.fromkeys(line.key.model for line in lines)
    kinds = {name: number for number, name in enumerate(names)}
    artifacts, left_out = [], []
    for line in lines:
        found = [_point(cell, data, known) for cell in line.cells]
        drawn = tuple(point for point in found if point)
        left_out += [
            f"{line.artifact} ({cell.source.number})"
            for cell, point in zip(line.cells, found, strict=True)
            if point is None
        ]
        if drawn:
            flags = dict.fromkeys(flag.flag for cell in line.cells for flag in cell.row.flags)
            kind = kinds[line.key.model]
            artifacts.append(Artifact(line.artifact, kind, line.key.format, drawn, tuple(flags)))
    return Points(
        tuple(artifacts), threads, data.images, comparison.data[data][0].task or "", tuple(left_out)
    )


def front(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The Pareto front of points (cost, accuracy), by rising cost: no other is as cheap and as accurate."""
    found: list[tuple[float, float]] = []
    for cost, accuracy in sorted(places, key=lambda place: (place[0], -place[1])):
        if not found or accuracy > found[-1][1]:
            found.append((cost, accuracy))
    return found


def _of_usual_threads(comparison: Comparison) -> tuple[list[Line], int]:
    counts = [line.key.threads for line in comparison.lines for _ in line.cells]
    threads = max(sorted(set(counts)), key=counts.count)
    return [line for line in comparison.lines if line.key.threads == threads], threads


def _point(cell: Cell, data: Data, known: dict[str, float]) -> Point | None:
    own = cell.row.accuracy if cell.data == data else None
    accuracy = own if own is not None else known.get(cell.row.sha256 or "")
    if accuracy is None:
        return None
    size = cell.row.size_bytes
    return Point(cell.source, 100 * accuracy, cell.p50, size / 1000 if size else None)
