"""Results of several devices beside each other."""

from numbers import Integral
from pathlib import Path
from types import NoneType

from edgefashion.errors import BadInput
from edgefashion.errors.arguments import PATH, check, takes
from edgefashion.evaluation.results import Results
from edgefashion.report import compare as comparing
from edgefashion.report.compare import Comparison, File


@takes(against=(str, Integral, NoneType))
def compare(*results: Results | str | Path, against: str | int | None = None) -> Comparison:
    """Compare results: those in files, or as `evaluate` and `benchmark` returned them.

    Ratios are to the first that has latencies, or to `against`: a device's title or part of it, its file,
    or its number. Raises BadInput for a file that cannot be read, and without any results.
    """
    if not results:
        raise BadInput("there is nothing to compare: name results files, or give results")
    found = [_file(number, each) for number, each in enumerate(results, 1)]
    devices = comparing.name_all(found)
    return comparing.compare(devices, comparing.choose(devices, None if against is None else str(against)))


def _file(number: int, given: Results | str | Path) -> File:
    """Results, and what to call those that are in no file."""
    if isinstance(given, Results):
        return File((Path(f"results {number}"),), given)
    check("what is compared", given, (*PATH, Results))
    return File((Path(given),), comparing.read(Path(given)))
