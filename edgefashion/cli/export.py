"""The verb that turns runs into model files."""

import shlex
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgefashion.artifacts.formats import AUTO, CALIBRATION_IMAGES, CALIBRATION_METHODS, FORMATS, PRECISIONS
from edgefashion.artifacts.targets import ANY, TARGETS
from edgefashion.cli import _data, _resolve
from edgefashion.cli._data import Chosen, takes_data
from edgefashion.cli._judging import made_by
from edgefashion.cli._options import COUNT, Name, Several, runs_option
from edgefashion.cli._output import following, say

if TYPE_CHECKING:
    from edgefashion.data import Dataset
    from edgefashion.training.runs import Run


@click.command()
@click.argument("names", metavar="[RUN]...", nargs=-1)
@click.option("--format", "formats", type=Several("format", list(FORMATS)), default="all", show_default=True)
@click.option(
    "--precision",
    "precisions",
    type=Several("precision", PRECISIONS),
    help="One or more, separated by commas; default: float32,int8, and int8-qat of a run of train --qat.",
)
@click.option(
    "--calibration-images",
    type=COUNT,
    help=f"Size of the representative dataset; default: {CALIBRATION_IMAGES}, or all there are.",
)
@click.option(
    "--calibration",
    type=Name("calibration", (AUTO, *CALIBRATION_METHODS)),
    default=AUTO,
    show_default=True,
    help="How int8 finds its ranges; auto: what is best on the validation split. TFLite has min-max only.",
)
@click.option(
    "--target",
    type=Name("target", (*TARGETS, "auto")),
    default=ANY,
    show_default=True,
    help="Processor that int8 ONNX files are made for; auto: this one.",
)
@click.option(
    "--keep-float",
    metavar="REGEX",
    help="Leave the layers of these names in float, in int8 files called -keep-float.",
)
@click.option("--force", is_flag=True, help="Make files that are up to date again.")
@runs_option
@takes_data()
def export(
    names: tuple[str, ...],
    formats: tuple[str, ...],
    precisions: tuple[str, ...] | None,
    calibration_images: int | None,
    calibration: str,
    target: str,
    keep_float: str | None,
    force: bool,
    root: Path,
    chosen: Chosen,
) -> None:
    """Turn runs into verified TFLite and ONNX files.

    Without a RUN: every run. Without a format: both. Files that are up to date are kept. A file with layers
    in float is measured against the int8 file without them, which is made first where it is missing.

    Example: edgefashion export --format tflite
    """
    from edgefashion.export import selection
    from edgefashion.export.export import export_variants
    from edgefashion.export.options import ExportOptions

    if precisions:
        selection.variants_of(formats, precisions)
    runs = _resolve.named_runs(names, root)
    found = [(run, selection.choose_variants(run, formats, precisions, say)) for run in runs]
    every_variant = {variant for _, variants in found for variant in variants}
    selection.check_calibration(calibration, every_variant)
    target = selection.target_for(target, every_variant, say)
    options = selection.options_for(found, ExportOptions(calibration_images, calibration, target), keep_float)
    datasets: dict[str, Dataset] = {}
    for (run, variants), own in zip(found, options, strict=True):
        own_data = run.info.data
        same = str((run.task, own_data.folder, own_data.left_out, own_data.follow_links, own_data.fold))
        if same not in datasets:
            datasets[same] = _data.for_training(chosen, run)
        export_variants(run, datasets[same], variants, own, reuse=not force, report=say)
    following(*evaluating([run for run, _ in found]))


def evaluating(runs: "Iterable[Run]") -> list[str]:
    """What measures them: a command for each set of data that they are of."""
    found: dict[Hashable, list[str]] = {}
    for run in runs:
        found.setdefault((made_by(run.task), run.info.data.folder), []).append(str(run.folder))
    return [shlex.join(("edgefashion", "evaluate", *folders)) for folders in found.values()]
