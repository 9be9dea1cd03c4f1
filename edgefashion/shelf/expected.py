"""Which rows are expected of a machine, and whether its answer has them: it is a stranger's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from edgefashion import runtimes
from edgefashion.artifacts.artifact import Artifact
from edgefashion.evaluation import rows
from edgefashion.evaluation.results import Results
from edgefashion.records.results import Row


@dataclass(frozen=True)
class Answers:
    """Those of the maker of a bundle."""

    right: int
    """To how many images."""
    tolerance: float | None
    """What logits may differ by; None where they are not to be compared."""


@dataclass(frozen=True)
class Expected:
    """What the rows of a model file must say."""

    model: str
    format: str
    precision: str | None
    macs: int | None
    sha256: str | None
    """None where it cannot be told, as there."""
    images: int | None = None
    """Of a bundle or of the zoo, on which it has an accuracy."""
    answers: Answers | None = None
    """Those in a bundle, with which its own are compared."""


def of(artifact: Artifact, images: int | None = None, answers: Answers | None = None) -> Expected:
    """What is expected of a file, which is hashed and looked into."""
    found = rows.computation(artifact.path)
    precision, digest = rows.precision(artifact, found), rows.sha256(artifact)
    return Expected(artifact.model, artifact.format, precision, found.macs, digest, images, answers)


def misfit(
    found: Results,
    expected: Mapping[str, Expected],
    threads: Sequence[int | Literal["all"]],
    runtime: Sequence[str] = (),
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
    names = runtimes.chosen(runtime, [each.format for each in expected.values()])
    for path, own in counts.items():
        if not _are_asked(own, threads, max(1, len(names[expected[path].format]))):
            return "it has not one row for each number of threads"
    return None


def _misfit(row: Row, expected: Expected) -> str | None:
    failed = row.status != "ok"
    if row.sha256 != expected.sha256 and not (failed and row.sha256 is None):
        return "has another SHA-256 there"
    if (row.model, row.format, row.precision) != (expected.model, expected.format, expected.precision):
        return "is called otherwise there"
    if failed:
        return None
    if row.macs != expected.macs:
        return "computes something else there"
    if row.images != expected.images or (row.accuracy is None) != (expected.images is None):
        return f"was not tried on {'its' if expected.images else 'random'} images"
    right = _right(row)
    if right is None:
        return "has an accuracy that no number of right answers gives"
    return _contradiction(row, right, expected.answers) if expected.answers else None


def _right(row: Row) -> int | None:
    """How many answers were right; None where what is said of them does not agree."""
    if not row.images or row.accuracy is None:
        return 0
    right = round(row.accuracy * row.images)
    counted = (sum(each.right for each in row.recalls), sum(each.images for each in row.recalls))
    agrees = right / row.images == row.accuracy and counted in ((right, row.images), (0, 0))
    return right if agrees else None


def _contradiction(row: Row, right: int, answers: Answers) -> str | None:
    """What cannot be true of the comparison with the answers in a bundle."""
    told = row.host
    if told is None or told.images != row.images or told.tolerance != answers.tolerance:
        return "has answers that were not compared with those of its bundle"
    error, most = told.max_logit_error, answers.tolerance
    equal = None if most is None else error is not None and error <= most
    differing = told.differing_classes or 0
    if told.equal != equal or (differing and not error and error is not None):
        return "has answers that are equal and are not"
    if abs(right - answers.right) > differing:
        return "has more other right answers than other answers"
    return None


def _are_asked(counts: Sequence[int], threads: Sequence[int | Literal["all"]], times: int) -> bool:
    """Whether rows have the numbers of threads asked for, each so often; how many are all, only they know."""
    own, asked = set(counts), set(threads)
    often = all(counts.count(each) == times for each in own)
    return often and len(own) <= len(asked) and asked - {"all"} <= own
