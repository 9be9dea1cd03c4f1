"""The verb that writes reports to look at."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgefashion.cli import _judging, _resolve
from edgefashion.cli._data import Chosen, takes_data
from edgefashion.cli._options import runs_option
from edgefashion.cli._output import OutputFile, deliver, keep_inputs, say
from edgefashion.cli._progress import Bar
from edgefashion.errors import BadInput, RunError
from edgefashion.files import reading

if TYPE_CHECKING:
    from edgefashion.artifacts.artifact import Artifact
    from edgefashion.data import Dataset

RESULTS = "results.json"
"""What `run` leaves beside its runs."""


class ReportFile(OutputFile):
    """A page to write."""

    def check(self, path: Path) -> None:
        """Raise what would keep the page from being written."""
        from edgefashion.report.page import document
        from edgefashion.report.page.data import check_suffix

        check_suffix(path)
        document.check()
        super().check(path)


@click.command()
@click.argument("names", metavar="[RUN|zoo:NAME|RESULTS.json]...", nargs=-1)
@click.option("-o", "--output", type=ReportFile(), required=True, help="The .html file to write.")
@runs_option
@takes_data()
def report(names: tuple[str, ...], output: Path, root: Path, chosen: Chosen) -> None:
    """Write a page to look at: training, results, charts, mistakes.

    One HTML file that needs no network. Takes runs, shipped models, results files of evaluate and bench,
    also of other machines, and what debug wrote with --json. The int8 files of runs classify the test images
    for it, so that the page shows what they confuse. Default: all runs, or, if there are none, all shipped
    models. What cannot be read is left out and named, there too, and the exit code is 2.

    Example: edgefashion report runs/cnn pi4.json pi5.json -o report.html
    """
    from edgefashion.api.reports import report_on

    named = [_meant(name, root) for name in names] or _all(root)
    keep_inputs(named, [output])

    def find(artifacts: "Sequence[Artifact]") -> "Dataset":
        return _judging.for_artifacts(artifacts, chosen)

    with Bar() as progress:
        found = report_on(named, find, progress)
    for line in (*found.repeated, *found.left_out):
        say(f"left out: {line}")
    for model in found.models:
        if model.missing:
            say(f"{model.name}, without answers to test images: {model.missing}")
    deliver([(output, found.save)], lambda: None)
    if found.left_out:
        raise BadInput(f"{len(found.left_out)} of {len(named)} are left out: see above")
    say(f"open it in a browser: {shlex.quote(str(output))}")


def _meant(name: str, root: Path) -> str:
    from edgefashion import zoo
    from edgefashion.api.reports import SUFFIX

    is_results = Path(name).suffix.lower() == SUFFIX
    return name if zoo.is_name(name) or is_results else str(_resolve.run_folder(name, root))


def _all(root: Path) -> list[str]:
    """All runs, with the results that lie beside them, else all shipped models."""
    from edgefashion import zoo
    from edgefashion.training import runs

    found = list(map(str, runs.find(root)))
    measured = root / RESULTS
    if found:
        return [*found, *([str(measured)] if reading.is_file(measured, RunError) else [])]
    names = [f"{zoo.PREFIX}{name}" for name in zoo.open_zoo().names]
    say(f"there are no runs in {root}: taking the shipped models, {', '.join(names)}")
    return names
