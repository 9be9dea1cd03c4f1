"""From models and results files to a report."""

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import INTEGER_PRECISIONS
from edgefashion.benchmarking import Progress
from edgefashion.data import Dataset, Task
from edgefashion.errors import BadInput, EdgefashionError
from edgefashion.errors.wording import few
from edgefashion.evaluation import rows, scores
from edgefashion.evaluation.results import Results
from edgefashion.records.debug import Debug
from edgefashion.records.run import Story
from edgefashion.report import card
from edgefashion.report import compare as comparing
from edgefashion.report.card import Card
from edgefashion.report.compare import Comparison, File
from edgefashion.report.page import layers
from edgefashion.report.page.data import Model, Report

HERE = "this report"
"""In place of the path of results that are in no file."""
Find = Callable[[Sequence[Artifact]], Dataset]
"""The data set that model files are to be judged on. Raises EdgefashionError where there is none."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A model that a report is to be on."""

    name: str
    stories: Sequence[Story]
    artifacts: Sequence[Artifact]
    task: Task
    argument: str
    """What names it on a command line."""


@dataclass(frozen=True)
class _Read:
    """What files held, and a line for each that is left out."""

    results: list[File]
    layers: list[Debug]
    left_out: list[str]
    repeated: list[str]
    """A line for each file that is the same as another."""


def gather(
    subjects: Sequence[Subject],
    given: Sequence[Path | Results],
    find: Find,
    left_out: Sequence[str] = (),
    progress: Progress | None = None,
) -> Report:
    """Read the results that are given, and let the models' int8 files classify the test images.

    With each its float32 file, to compare with, and those that no results tell of. `find` is asked for the
    data set; where there is none, the model is shown without answers. `left_out`: what was left out before.
    Raises BadInput for results of another task, and where nothing is left to report on.
    """
    read = _read(given)
    _check_one_task(subjects, read.results, all(isinstance(each, Path) for each in given))
    if not (subjects or read.results or read.layers):
        raise BadInput("; ".join([*left_out, *read.left_out]) or "there is nothing to report on")
    known = {row.sha256 for file in read.results for row in file.results.rows if row.accuracy is not None}
    models = tuple(_model(subject, known, find, progress) for subject in subjects)
    files = [*read.results, *_here([model.card for model in models if model.card], known)]
    missing = (*left_out, *read.left_out)
    return Report(models, _compared(files), tuple(read.layers), missing, tuple(read.repeated))


def _read(given: Sequence[Path | Results]) -> _Read:
    paths = [each for each in given if isinstance(each, Path)]
    errors = list(filter(layers.is_one, paths))
    found: list[Debug] = []
    left_out: list[str] = []
    for path in errors:
        try:
            found.append(layers.read(path))
        except BadInput as error:
            left_out.append(str(error))
    measured = [path for path in paths if path not in errors]
    try:
        read = comparing.read_all(measured) if measured else None
    except BadInput as error:  # of all of them
        return _Read(_unfiled(given), found, [*left_out, str(error)], [])
    if read is None:
        return _Read(_unfiled(given), found, left_out, [])
    return _Read([*read.files, *_unfiled(given)], found, [*left_out, *read.unreadable], read.repeated)


def _unfiled(given: Sequence[Path | Results]) -> list[File]:
    results = [each for each in given if isinstance(each, Results)]
    return [File((Path(f"results {number}"),), each) for number, each in enumerate(results, 1)]


def _check_one_task(subjects: Sequence[Subject], files: Sequence[File], typed: bool) -> None:
    """Raise BadInput for several; where all can be `typed`, with a command for each."""
    told: dict[str, list[str]] = {}
    for subject in subjects:
        told.setdefault(subject.task.name, []).append(subject.argument)
    for file in files:
        if file.results.dataset:
            told.setdefault(file.results.dataset.name, []).append(str(file.paths[0]))
    if len(told) > 1:
        (task, where), (other, elsewhere) = list(told.items())[:2]
        what = f"{where[0]} is of {task}, and {elsewhere[0]} of {other}"
        commands = f": {', and '.join(_commands(told.values()))}" if typed else ""
        raise BadInput(f"{what}: a report is on one task, write one of each{commands}")


def _commands(each: Iterable[Sequence[str]]) -> list[str]:
    return [
        shlex.join(("edgefashion", "report", *names, "-o", f"report-{number}.html"))
        for number, names in enumerate(each, 1)
    ]


def _model(subject: Subject, known: set[str | None], find: Find, progress: Progress | None) -> Model:
    told = (subject.name, tuple(subject.stories), tuple(subject.artifacts), subject.task)
    try:
        asked = _asked(subject.artifacts, known)
        if not asked:
            name = shlex.quote(subject.name)
            raise BadInput(f"{subject.name} has no exports: make them with edgefashion export {name}")
        dataset = find(asked)
        found = card.gather(subject.name, subject.stories, asked, dataset, (), progress)
    except EdgefashionError as error:
        return Model(*told, None, None, str(error))
    return Model(*told, found, dataset.test, None)


def _asked(artifacts: Sequence[Artifact], known: set[str | None]) -> list[Artifact]:
    """The file that details are of, as a card has it, what that is compared with, and what is not known."""
    sound = [each for each in artifacts if not each.defect]
    first = next((each for each in sound if each.precision in INTEGER_PRECISIONS), next(iter(sound), None))
    if first is None:
        return []
    place = scores.reference(sound, sound.index(first))
    needed = {first.path, *([] if place is None else [sound[place].path])}
    return [each for each in sound if each.path in needed or rows.sha256(each) not in known]


def _here(cards: Sequence[Card], known: set[str | None]) -> list[File]:
    """What was measured for the report and no results file tells of: a part for each set of images."""
    found: dict[str, list[Card]] = {}
    for own in cards:
        found.setdefault(str(own.dataset), []).append(own)
    files = []
    for alike in found.values():
        name = HERE if len(found) == 1 else f"{HERE}, {few([own.name for own in alike], 3)}"
        measured = [row for own in alike for row in own.results.rows if row.sha256 not in known]
        first = alike[0].results
        if measured:
            results = Results(first.device, first.dataset, measured, "report")
            files.append(File((Path(name),), results))
    return files


def _compared(files: Sequence[File]) -> Comparison | None:
    if not files:
        return None
    sources = comparing.name_all(files)
    return comparing.compare(sources, comparing.choose(sources, None))
