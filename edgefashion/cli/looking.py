"""The verbs that look into model files: see verbs.py."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgefashion import files
from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import PRECISIONS
from edgefashion.cli import naming, steps
from edgefashion.cli.options import COUNT, OUTPUT, PICTURE, Several, data_option, runs_option
from edgefashion.cli.output import deliver, following, show_json, show_pages
from edgefashion.errors import ArtifactError
from edgefashion.files import reading

if TYPE_CHECKING:
    from edgefashion.artifacts.inspection import Inspection

DEBUG_IMAGES = 200


@click.command()
@click.argument("names", metavar="FILE|RUN|zoo:NAME...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead, with every operator.")
def inspect(names: tuple[str, ...], as_json: bool) -> None:
    """Show what is inside model files.

    Of any .tflite or .onnx file, of a run's exports, and of the models that come along: inputs and outputs,
    operators, parameters, multiply-accumulates, the size of each layer, and what edgefashion wrote into it.
    Nothing is run.

    Example: edgefashion inspect model.tflite other.onnx
    """
    from edgefashion.artifacts.inspection import inspect_all

    found, errors = inspect_all([path for name in names for path in _files(name)])
    if found or as_json:
        _show(found, as_json)
    if errors:
        raise ArtifactError("; ".join(map(str, errors)))
    verb = "evaluate" if all(each.metadata for each in found) else "bench"
    following(f"edgefashion {verb} {shlex.join(names)}")


def _show(found: "list[Inspection]", as_json: bool) -> None:
    from edgefashion.artifacts.inspection import text

    if as_json:
        show_json(text.to_json(found))
    else:
        show_pages(map(text.page, found))


def _files(name: str) -> list[Path]:
    from edgefashion import zoo
    from edgefashion.training import runs

    if zoo.is_name(name):
        return [each.path for each in zoo.opened().artifacts(name)]
    path = Path(name)
    if not reading.is_folder(path, ArtifactError):
        return [path]
    if found := artifact.find(path / runs.ARTIFACTS):
        return found
    raise ArtifactError(
        f"{path} is a folder without exports: name .tflite and .onnx files, or an exported run"
    )


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
    type=Several("format", list(PRECISIONS)),
    help="Default: those that are exported.",
)
@click.option("--plot", "picture", type=PICTURE, help="Draw all layers into this .png, .svg or .pdf file.")
@click.option("--json", "json_file", type=OUTPUT, help="Write the figures of all layers as JSON.")
@click.option(
    "--images", type=COUNT, default=DEBUG_IMAGES, show_default=True, help="Images of the validation split."
)
@runs_option
@data_option
def debug(
    name: str,
    precision: str | None,
    formats: tuple[str, ...] | None,
    picture: Path | None,
    json_file: Path | None,
    images: int,
    root: Path,
    data_folder: Path | None,
) -> None:
    """Rank the layers of a run's int8 models by the error they cause.

    Compares what was exported with the float model, layer by layer. `share` is a layer's part of the
    error of the logits, from its rounded weights and from the 8 bits of its output; `SNR` is the
    signal-to-noise ratio of its output, `own SNR` that of what it adds itself.

    Example: edgefashion debug runs/cnn --plot layers.png
    """
    (run,) = naming.named_runs([name], root)
    report = steps.debug_run(run, steps.load_data(data_folder), precision, formats, images)
    from edgefashion.export.debug import plot, text

    outputs = [
        (json_file, lambda path: files.write_json(path, report.to_dict())),
        (picture, lambda path: plot.plot(report, path)),
    ]
    deliver(outputs, lambda: show_pages(text.pages(report)))
    kept = f"--precision {report.precision} --keep-float {report.costliest}"
    following(f"edgefashion export {shlex.quote(str(run.folder))} {kept}")
