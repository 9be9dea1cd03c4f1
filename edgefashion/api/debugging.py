"""Which layers of int8 models are wrong."""

from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from types import NoneType

from edgefashion.artifacts.formats import FORMATS, QAT_PRECISIONS
from edgefashion.data import Dataset, split, stratified_sample
from edgefashion.errors.arguments import PATH, takes
from edgefashion.export import debug as layers
from edgefashion.export.debug import DebugReport
from edgefashion.export.options import DEBUG_IMAGES
from edgefashion.export.selection import check_task
from edgefashion.reporting import Progress, Report, silent
from edgefashion.training import learned, runs
from edgefashion.training.runs import Run


@takes(run=(*PATH, Run), dataset=Dataset, formats=(list, tuple, NoneType), images=Integral)
def debug(
    run: str | Path | Run,
    dataset: Dataset,
    *,
    precision: str | None = None,
    formats: Sequence[str] | None = None,
    images: int = DEBUG_IMAGES,
    report: Report = silent,
    progress: Progress | None = None,
) -> DebugReport:
    """A run's int8 files beside its float model, layer by layer, on validation images, or all there are.

    `precision` is "int8" or "int8-qat", by default what the run is exported as; `formats` are by default
    those that are exported, and `report` gets a line for each other one. Raises ArtifactError for a file that
    is missing or of another run, BadInput for data of another task.
    """
    run = run if isinstance(run, Run) else runs.read(run)
    check_task(run, dataset.task)
    dataset = learned.part_of(dataset, run)
    if other := learned.warning(dataset, run):
        report(f"{other}: its layers are compared on these")
    validation = split(dataset).validation
    sample = stratified_sample(validation, min(images, len(validation)), seed=0)
    precision = precision or (QAT_PRECISIONS[0] if run.quantized else "int8")
    if formats is None:
        paths = {format: layers.path_of(run, format, precision) for format in FORMATS}
        formats = [format for format, path in paths.items() if path.is_file()] or list(FORMATS)
        for format in FORMATS.keys() - set(formats):
            report(f"left out, not exported: {paths[format]}")
    return layers.debug_run(run, precision, formats, sample, progress)
