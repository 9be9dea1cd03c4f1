"""The verb that finds the layers which rounding harms."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgefashion import files
from edgefashion.artifacts.formats import FORMATS
from edgefashion.cli import _data, _resolve
from edgefashion.cli._data import Chosen, takes_data
from edgefashion.cli._options import COUNT, OUTPUT, PICTURE, Several, runs_option
from edgefashion.cli._output import deliver, following, say, show_pages
from edgefashion.cli._progress import Bar
from edgefashion.export.options import DEBUG_IMAGES

if TYPE_CHECKING:
    from edgefashion.export.debug import DebugReport


@click.command()
@click.argument("name", metavar="RUN")
@click.option(
    "--precision",
    type=click.Choice(["int8", "int8-qat"]),
    help="Default: int8-qat of a run of train --qat, else int8.",
)
@click.option(
    "--format",
    "formats",
    type=Several("format", list(FORMATS)),
    help="Default: those that are exported.",
)
@click.option("--plot", "picture", type=PICTURE, help="Draw all layers into this .png, .svg or .pdf file.")
@click.option("--json", "json_file", type=OUTPUT, help="Write the figures of all layers as JSON.")
@click.option(
    "--images", type=COUNT, default=DEBUG_IMAGES, show_default=True, help="Images of the validation split."
)
@runs_option
@takes_data()
def debug(
    name: str,
    precision: str | None,
    formats: tuple[str, ...] | None,
    picture: Path | None,
    json_file: Path | None,
    images: int,
    root: Path,
    chosen: Chosen,
) -> None:
    """Rank the layers of a run's int8 models by the error they cause.

    Compares what was exported with the float model, layer by layer. `share` is a layer's part of the
    error of the logits, from its rounded weights and from the 8 bits of its output; `SNR` is the
    signal-to-noise ratio of its output, `own SNR` that of what it adds itself.

    Example: edgefashion debug runs/cnn --plot layers.png
    """
    (run,) = _resolve.named_runs([name], root)
    dataset = _data.for_run(chosen, run)
    from edgefashion.api.debugging import debug as compare

    with Bar() as progress:
        report = compare(
            run, dataset, precision=precision, formats=formats, images=images, report=say, progress=progress
        )
    from edgefashion.export.debug import plot, text

    outputs = [
        (json_file, lambda path: files.write_json(path, report.to_dict())),
        (picture, lambda path: plot.plot(report, path)),
    ]
    deliver(outputs, lambda: show_pages(text.pages(report)))
    _advise(report, run.folder)


def _advise(report: "DebugReport", folder: Path) -> None:
    """What to do about it, where anything is to be done."""
    if all(model.agreement == 1 for model in report.models.values()):
        say(f"the same classes for all {report.images} images: no layer needs to stay in float")
        return
    kept = f"--precision {report.precision} --keep-float {report.costliest}"
    following(f"edgefashion export {shlex.quote(str(folder))} {kept}")
