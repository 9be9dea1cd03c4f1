"""Layers of int8 models that stay in float, by their names, and what that costs."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgefashion import benchmarking, device, files
from edgefashion.benchmarking import Job
from edgefashion.errors import BadInput
from edgefashion.errors.wording import setting
from edgefashion.export.graph.graph import Graph
from edgefashion.export.graph.layers import MULTIPLYING
from edgefashion.files import temporary
from edgefashion.files.stored import ImageSet

LISTED = 5


def multiplying(graph: Graph) -> list[str]:
    """The layers that can stay in float, in the order of the model."""
    return [layer.name for layer in graph.deployed.layers if isinstance(layer, MULTIPLYING)]


def match_layers(graph: Graph, pattern: str) -> tuple[str, ...]:
    """The layers whose whole names match a regular expression, in the order of the model.

    Raises BadInput where none does or it is not a regular expression.
    """
    names = multiplying(graph)
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    known = f"the layers of {graph.architecture.name} are {', '.join(names[:LISTED])}{more}"
    try:
        found = tuple(name for name in names if re.fullmatch(pattern, name))
    except re.error as error:
        raise BadInput(
            f"{setting('--keep-float')} {pattern} is not a regular expression ({error}): {known}"
        ) from error
    if not found:
        raise BadInput(f"{setting('--keep-float')} {pattern} matches no layer: {known}")
    return found


def measure_cost(full: Path, name: str, content: bytes, images: ImageSet) -> dict[str, Any]:
    """What a file of the name and content given costs more than the int8 file `full`, for its manifest:
    bytes, and the median time of single images, uint8 [N, height, width, channels], on one
    thread, measured in turns.

    Raises RuntimeCrash and ArtifactError for a file that cannot be measured.
    """
    with temporary.Folder() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        measured = benchmarking.measure([Job(full, 1, images), Job(path, 1, images)])
    rows, machine = measured.rows, device.describe()
    for row in rows:
        if row.error:
            raise row.error
    integer, mixed = (benchmarking.summary(row.raw_us) for row in rows)
    return {
        "against": full.name,
        "against_sha256": files.sha256(full),
        "against_size_bytes": full.stat().st_size,
        "size_bytes": len(content),
        "threads": 1,
        "against_p50_us": integer.p50,
        "p50_us": mixed.p50,
        "samples": [integer.samples, mixed.samples],
        "note": "; ".join(
            f"{row.job.path.name}: {flag.flag}: {flag.why}"
            for row in rows
            for flag in benchmarking.flags(row, measured.watch, machine)
        )
        or None,
    }


def describe(name: str, layers: Sequence[str], cost: dict[str, Any]) -> str:
    """The layers that stayed in float in the file of this name, and what `measure_cost` found, on a line."""
    size, against = cost["size_bytes"], cost["against_size_bytes"]
    p50, against_p50 = cost["p50_us"], cost["against_p50_us"]
    note = f" ({cost['note']})" if cost["note"] else ""
    more = f" and {len(layers) - LISTED} more layers" if len(layers) > LISTED else ""
    listed = ", ".join(layers[:LISTED]) + more
    return (
        f"{name} has {listed} in float, and against {cost['against']} {size / 1000:.0f} kB "
        f"instead of {against / 1000:.0f} ({size / against - 1:+.1%}), p50 {p50:.1f} µs instead of "
        f"{against_p50:.1f} ({p50 / against_p50 - 1:+.1%}), one thread{note}"
    )
