"""Every file of a run that is asked for, and where int8 loses too much one with layers in float."""

from collections.abc import Sequence
from dataclasses import replace

from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import Variant
from edgefashion.data import Splits
from edgefashion.errors import VerificationError
from edgefashion.export import mixed_precision
from edgefashion.export.exporter import OnFailure, export_run, file_name
from edgefashion.export.mixed_precision import Mixed
from edgefashion.export.options import ExportOptions
from edgefashion.reporting import Progress, Report, silent
from edgefashion.training.runs import Run

INT8 = "int8"


def export_within(
    run: Run,
    splits: Splits,
    variants: Sequence[Variant],
    limit: float,
    report: Report = silent,
    progress: Progress | None = None,
) -> tuple[list[Artifact], list[str]]:
    """The files of the variants, and behind them those of the fewest layers in float with which int8 loses
    `limit` of the accuracy at most, a share of the validation images, where it loses more. Then what could
    not be kept or met, a line each.

    Raises VerificationError where no file can be kept, and what `export_run` raises.
    """
    failed: dict[Variant, str] = {}

    def fail(variant: Variant, error: VerificationError) -> None:
        failed[variant] = str(error)
        report(str(error))

    report(f"exporting {run.folder}")
    made = export_run(run, splits, variants, report=report, on_failure=fail)
    for variant in [each for each in variants if each.precision == INT8]:
        path = run.artifacts / file_name(run, variant, ExportOptions())
        full = None if variant in failed else artifact.read(path)
        order = (run, splits, variant.format, limit, ExportOptions(), full, report, progress)
        try:
            mixed = mixed_precision.search(*order)
        except VerificationError as error:  # nothing in integers can be made at all
            fail(variant, error)
            continue
        if mixed:
            failed.pop(variant, None)
            made += _mixed(run, splits, variant, mixed, report, fail)
        if mixed and not mixed.met:
            failed.setdefault(variant, _unmet(variant, mixed, limit))
    if not made:
        raise VerificationError("; ".join(failed.values()))
    return made, list(failed.values())


def _mixed(
    run: Run, splits: Splits, variant: Variant, mixed: Mixed, report: Report, fail: OnFailure
) -> list[Artifact]:
    """The file with layers in float, if any are."""
    options = replace(mixed.options, keep_float=mixed.layers)
    return export_run(run, splits, [variant], options, report=report, on_failure=fail) if mixed.layers else []


def _unmet(variant: Variant, mixed: Mixed, limit: float) -> str:
    layers = f"with {len(mixed.layers)} layers in float" if mixed.layers else "without layers in float"
    return (
        f"int8 {variant.format} does not stay within {100 * limit:g} points of the float model on "
        f"validation: the best that was found, {layers}, has {mixed.tried}"
    )
