"""Reports to look at: models and results in one HTML page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType

from edgefashion import zoo
from edgefashion.api.cards import known_of
from edgefashion.api.names import exported
from edgefashion.api.unseen import unseen
from edgefashion.artifacts.artifact import Artifact
from edgefashion.data import Dataset
from edgefashion.errors import BadInput, DataError, EdgefashionError
from edgefashion.errors.arguments import check, takes
from edgefashion.evaluation.results import Results
from edgefashion.report.page import Report, Subject, gather
from edgefashion.reporting import Progress
from edgefashion.training import lineage, runs
from edgefashion.training.runs import Run

Reportable = str | Path | Run | Results
"""A run or its folder, `zoo:NAME`, results or their file, or what `debug --json` wrote."""
KINDS = (str, Path, Run, Results)
SUFFIX = ".json"


@dataclass
class _Named:
    """What was named, sorted."""

    subjects: list[Subject] = field(default_factory=list)
    results: list[Path | Results] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@takes(dataset=(Dataset, NoneType))
def make_report(
    *named: Reportable, dataset: Dataset | None = None, progress: Progress | None = None
) -> Report:
    """What is known of runs, of shipped models and of results, as one page: `.save("report.html")`.

    With `dataset` the int8 files of runs classify its test images, and the page shows what they confuse. A
    run or a file that cannot be read is left out, which the page says. Raises BadInput where none is left,
    and for what is of several tasks.
    """

    def find(artifacts: Sequence[Artifact]) -> Dataset:
        if dataset is None:
            raise DataError("no data set was given to classify: dataset takes one")
        return unseen(dataset, artifacts)

    return report_on(named, find, progress)


def report_on(
    named: Sequence[Reportable],
    find: Callable[[Sequence[Artifact]], Dataset],
    progress: Progress | None = None,
) -> Report:
    """The same, where `find` knows the data set that files are to be judged on."""
    found = _Named()
    for each in named:
        check("what is reported on", each, KINDS)
        _sort(each, found)
    if not named:
        raise BadInput("there is nothing to report on: name runs, zoo:NAME, or results files")
    return gather(found.subjects, found.results, find, found.left_out, progress)


def _sort(each: Reportable, into: _Named) -> None:
    if isinstance(each, Results):
        into.results.append(each)
    elif not isinstance(each, Run) and not zoo.is_name(each) and Path(each).suffix.lower() == SUFFIX:
        into.results.append(Path(each))
    else:
        try:
            into.subjects.append(_subject(each))
        except EdgefashionError as error:
            into.left_out.append(str(error))


def _subject(named: str | Path | Run) -> Subject:
    if not isinstance(named, Run) and zoo.is_name(named):
        stories, artifacts = known_of(named)
        return Subject(stories[0].name, stories, artifacts, zoo.open_zoo().task, str(named))
    run = named if isinstance(named, Run) else runs.read(named)
    known = known_of(run) if exported(run) else (lineage.stories(lineage.lineage(run)), [])
    return Subject(run.name, *known, run.task, str(run.folder))
