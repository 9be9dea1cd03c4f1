"""A trained run in, verified model files out: all of it, or what is missing."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import NoneType

from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import FORMATS, PRECISIONS, Variant
from edgefashion.data import Dataset, split
from edgefashion.errors.arguments import PATH, takes
from edgefashion.export import selection
from edgefashion.export.options import ExportOptions
from edgefashion.reporting import Report, silent
from edgefashion.training import learned, runs
from edgefashion.training.runs import Run


@takes(run=(Run, *PATH), dataset=Dataset, options=(ExportOptions, NoneType))
def export_model(
    run: Run | str | Path,
    dataset: Dataset,
    formats: Sequence[str] = tuple(FORMATS),
    precisions: Sequence[str] | None = None,
    *,
    options: ExportOptions | None = None,
    keep_float: str | None = None,
    reuse: bool = False,
    report: Report = silent,
) -> list[Artifact]:
    """Export a run, or that in a folder, into its folder `artifacts/`; every file is verified first.

    `formats` are some of "tflite" and "onnx", `precisions` some of "float32", "float16", "dynamic", "int8"
    and "int8-qat"; without them float32 and int8, and int8-qat of a quantization-aware run. The target of
    `options` may be "auto", this machine's. Layers whose names match the regular expression `keep_float`
    stay in float. With `reuse`, files that are sound and up to date are kept. `report` gets lines about
    what goes on. The data need not be those of the training, which is said and recorded; of a model of folds
    its fold is taken. Raises BadInput, RunError and what `exporter.export_run` raises.
    """
    run = run if isinstance(run, Run) else runs.read(Path(run))
    selection.check_names("format", formats, list(FORMATS))
    selection.check_names("precision", precisions or (), PRECISIONS)
    variants = selection.choose_variants(run, formats, precisions, report)
    options = options or ExportOptions()
    selection.check_calibration(options.calibration, variants)
    options = replace(options, target=selection.target_for(options.target, variants, report))
    if keep_float is not None:
        (options,) = selection.options_for([(run, variants)], options, keep_float)
    return export_variants(run, dataset, variants, options, reuse=reuse, report=report)


def export_variants(
    run: Run,
    dataset: Dataset,
    variants: list[Variant],
    options: ExportOptions,
    *,
    reuse: bool = False,
    report: Report = silent,
) -> list[Artifact]:
    """The (format, precision) pairs of a run; with `reuse`, those that are sound and up to date are kept."""
    from edgefashion.export import exporter

    dataset = learned.part_of(dataset, run)
    if other := learned.warning(dataset, run):
        report(f"{other}: its files are calibrated and verified on these")
    splits = split(dataset)
    options = replace(options, calibration_images=options.representative_size(len(splits.train)))
    paths = {variant: run.artifacts / exporter.file_name(run, variant, options) for variant in variants}
    data = dataset.describe() if other else None
    kept = [each for each in variants if reuse and exporter.find_reusable(run, each, options, data)]
    for variant in kept:
        report(f"reusing {paths[variant]}, which is up to date")
    missing = [variant for variant in variants if variant not in kept]
    if missing:
        report(f"exporting {run.folder}")
        exporter.export_run(run, splits, missing, options, data=data, report=report)
    return [artifact.read(path) for path in paths.values()]
