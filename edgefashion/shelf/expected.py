"""Which rows are expected of a machine, and whether its answer has them: it is a stranger's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from edgefashion.artifacts.artifact import Artifact
from edgefashion.evaluation import rows
from edgefashion.evaluation.results import Results
from edgefashion.records.results import Row


@dataclass(frozen=True)
class Expected:
    """What the rows of a model file must say."""

    model: str
    format: str
    sha256: str | None
    """None where it cannot be told, as there."""
    images: int | None
    """Of a bundle or of the zoo, on which it has an accuracy."""
    compared: bool
    """Whether its answers are compared with those in a bundle."""


def of(artifact: Artifact, images: int | None = None, compared: bool = False) -> Expected:
    """What is expected of a file, which is hashed."""
    return Expected(artifact.model, artifact.format, rows.sha256(artifact), images, compared)


def misfit(
    found: Results, expected: Mapping[str, Expected], threads: Sequence[int | Literal["all"]]
) -> str | None:
    """Why results are not of the files that were asked for, by the paths of their rows; None if they are."""
    if found.verb != "bench":
        return "it is of another verb"
    counts: dict[str, list[int]] = {path: [] for path in expected}
    for row in found.rows:
        if row.path not in expected:
            return "it has a row of another file"
        if why := _misfit(row, expected[row.path]):
            return f"{row.path} {why}"
        counts[row.path].append(row.threads)
    if missing := [path for path, own in counts.items() if not own]:
        return f"{missing[0]} has no row"
    if not all(_are_asked(own, threads) for own in counts.values()):
        return "it has not one row for each number of threads"
    return None


def _misfit(row: Row, expected: Expected) -> str | None:
    failed = row.status != "ok"
    if row.sha256 != expected.sha256 and not (failed and row.sha256 is None):
        return "has another SHA-256 there"
    if (row.model, row.format) != (expected.model, expected.format):
        return "is called otherwise there"
    if failed:
        return None
    if row.images != expected.images or (row.accuracy is None) != (expected.images is None):
        return f"was not tried on {'its' if expected.images else 'random'} images"
    if expected.compared and row.host is None:
        return "has answers that were not compared with those of its bundle"
    return None


def _are_asked(counts: Sequence[int], threads: Sequence[int | Literal["all"]]) -> bool:
    """Whether rows have the numbers of threads asked for, each once; how many are all, only they know."""
    own, asked = set(counts), set(threads)
    return len(own) == len(counts) <= len(asked) and asked - {"all"} <= own
