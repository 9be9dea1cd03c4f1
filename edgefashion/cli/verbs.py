"""One short function a verb: parse, call, print. Each opens what it needs when it is called."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgefashion import __version__, files
from edgefashion.artifacts.artifact import AUTO, CALIBRATION_IMAGES, CALIBRATION_METHODS, PRECISIONS
from edgefashion.artifacts.targets import ANY, TARGETS
from edgefashion.cli import (
    bench,
    bundle,
    card,
    compare,
    doctor,
    looking,
    naming,
    predict,
    recipes,
    steps,
    training,
)
from edgefashion.cli.options import (
    COUNT,
    PICTURE,
    RUNS,
    Name,
    Several,
    Whole,
    data_option,
    limit_options,
    model_option,
    output_options,
    runs_option,
    seconds_option,
    threads_option,
    training_options,
)
from edgefashion.cli.output import following, give_out, keep_inputs, say, show
from edgefashion.errors import BadInput

if TYPE_CHECKING:
    from edgefashion.artifacts.artifact import Artifact

SMOKE_IMAGES = 600
SMOKE_SECONDS = 0.1


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def cli() -> None:
    """Train, quantize, export and measure small image classifiers for edge devices."""


@cli.command()
@data_option
@click.option(
    "--plot", "picture", type=PICTURE, help="Draw training images into this .png, .svg or .pdf file."
)
@click.option("--index", type=Whole(min=0), help="With --plot: one image, large.")
def data(data_folder: Path | None, picture: Path | None, index: int | None) -> None:
    """Find or fetch the data set, check it and describe it.

    Example: edgefashion data --plot grid.png
    """
    from edgefashion.data import load
    from edgefashion.data.describe import description
    from edgefashion.training import runs

    if index is not None and picture is None:
        raise BadInput("--index chooses the image to draw: add --plot FILE.png")
    dataset = load(data_folder, say)
    if picture:
        from edgefashion.data.plot import plot_grid, plot_image

        if index is None:
            plot_grid(dataset.train, dataset.task, picture)
        else:
            plot_image(dataset.train, dataset.task, index, picture)
        say(f"written: {picture}")
    show(description(dataset))
    following("edgefashion evaluate" if runs.find(Path(RUNS)) else "edgefashion train")


@cli.command()
@click.argument("names", metavar="[RUN]...", nargs=-1)
@click.option(
    "--format", "formats", type=Several("format", list(PRECISIONS)), default="all", show_default=True
)
@click.option(
    "--precision",
    "precisions",
    type=Several("precision", PRECISIONS["tflite"]),
    help="One or more, separated by commas; default: float32,int8, and int8-qat of a run of train --qat.",
)
@click.option(
    "--calibration-images",
    type=COUNT,
    default=CALIBRATION_IMAGES,
    show_default=True,
    help="Size of the representative dataset.",
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
@runs_option
@data_option
def export(
    names: tuple[str, ...],
    formats: tuple[str, ...],
    precisions: tuple[str, ...] | None,
    calibration_images: int,
    calibration: str,
    target: str,
    keep_float: str | None,
    root: Path,
    data_folder: Path | None,
) -> None:
    """Turn runs into verified TFLite and ONNX files.

    Without a RUN: every run. Without a format: both. A file with layers in float is measured against the
    int8 file without them, which is made first where it is missing.

    Example: edgefashion export --format tflite
    """
    from edgefashion.export.options import ExportOptions

    if precisions:
        steps.kinds(formats, precisions)
    found = [(run, steps.kinds_of(run, formats, precisions)) for run in naming.named_runs(names, root)]
    every_kind = {kind for _, kinds in found for kind in kinds}
    steps.check_calibration(calibration, every_kind)
    settings = ExportOptions(calibration_images, calibration, steps.target_for(target, every_kind))
    each = steps.settings_for(found, settings, keep_float)
    steps.need_tensorflow()
    dataset = steps.load_data(data_folder)
    for (run, kinds), own in zip(found, each, strict=True):
        steps.export_run(run, dataset, kinds, own)
    following(shlex.join(("edgefashion", "evaluate", *(str(run.folder) for run, _ in found))))


@cli.command()
@click.argument("names", metavar="[RUN|FILE]...", nargs=-1)
@threads_option
@seconds_option
@limit_options
@click.option("--limit", type=COUNT, help="Use so many test images only.")
@output_options
@runs_option
@data_option
def evaluate(
    names: tuple[str, ...],
    threads: tuple[int, ...],
    limit: int | None,
    json_file: Path | None,
    csv_file: Path | None,
    markdown_file: Path | None,
    root: Path,
    data_folder: Path | None,
    **settings: Any,
) -> None:
    """Measure accuracy, size, latency and memory.

    Of model files, of zoo:NAME, which comes along, of everything exported from a RUN, or of all runs. Where
    there is no run: of the models that come along, on their sample unless the data set is at hand.

    Example: edgefashion evaluate runs/cnn model.onnx --json results.json
    """

    keep_inputs(names, (json_file, csv_file, markdown_file))
    protocol = bench.protocol_for(**settings)
    artifacts = naming.named_artifacts(names, root)
    dataset = naming.data_for(artifacts, data_folder)
    evaluation = steps.evaluate_artifacts(artifacts, dataset, threads, limit, protocol)
    give_out(evaluation, json_file, csv_file, markdown_file)
    if evaluation.interrupted:
        raise KeyboardInterrupt
    if step := steps.after_evaluation(artifacts, evaluation):
        following(step)
    evaluation.raise_failures()


@cli.command()
@model_option
@click.option("--smoke", is_flag=True, help="The whole way in under a minute: 1 epoch, a few hundred images.")
@threads_option
@runs_option
@data_option
@training_options
def run(
    models: tuple[str, ...],
    smoke: bool,
    threads: tuple[int, ...],
    root: Path,
    data_folder: Path | None,
    hardware: str | None,
    force: bool,
    **changes: Any,
) -> None:
    """Train, export and evaluate, reusing what is there and valid.

    Example: edgefashion run --smoke
    """
    from edgefashion import report
    from edgefashion.export.options import ExportOptions

    if smoke:
        changes |= {"epochs": changes["epochs"] or 1, "limit": changes["limit"] or SMOKE_IMAGES}
    chosen = [steps.recipe_for(model, **changes) for model in models]
    path = root / ("results-small.json" if changes["limit"] else "results.json")
    files.check_writable(path)
    steps.need_tensorflow()
    dataset = steps.load_data(data_folder)
    artifacts: list[Artifact] = []
    for recipe in chosen:
        trained = steps.train_or_reuse(recipe, dataset, root / steps.run_name(recipe), hardware, force)
        kinds = steps.kinds(tuple(PRECISIONS), steps.DEFAULT_PRECISIONS)
        artifacts += steps.export_run(trained, dataset, kinds, ExportOptions(), reuse=True)
    protocol = bench.protocol_for(SMOKE_SECONDS if smoke else None, None, None, in_process=False)
    evaluation = steps.evaluate_artifacts(artifacts, dataset, threads, changes["limit"], protocol)
    give_out(evaluation, json_file=path)
    if evaluation.interrupted:
        raise KeyboardInterrupt
    for line in report.sentences(evaluation):
        say(line)
    if step := steps.after_evaluation(artifacts, evaluation):
        following(step)
    evaluation.raise_failures()


cli.add_command(looking.inspect)
cli.add_command(looking.debug)
cli.add_command(bundle.bundle)
cli.add_command(doctor.doctor)
cli.add_command(compare.compare)
cli.add_command(bench.bench)
cli.add_command(training.train)
cli.add_command(recipes.recipes)
cli.add_command(predict.predict)
cli.add_command(card.card)
