"""What is to be exported of a run, and how: from what a user names to variants and options."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from edgefashion.artifacts import formats as registry
from edgefashion.artifacts.formats import AUTO, INTEGER_PRECISIONS, PRECISIONS, QAT_PRECISIONS, Variant
from edgefashion.artifacts.targets import ANY, of_this_machine
from edgefashion.errors import BadInput
from edgefashion.errors.wording import setting
from edgefashion.export.options import ExportOptions
from edgefashion.reporting import Report, silent
from edgefashion.task import Task
from edgefashion.training.runs import Run

DEFAULT_PRECISIONS = ("float32", "int8")


def check_task(run: Run, task: Task) -> None:
    """Raise BadInput where the images at hand are not those of the task that a run was trained for."""
    if run.task != task:
        own, given = run.task.name, task.name
        given = f"another {given}, with other classes or images" if own == given else given
        raise BadInput(
            f"{run.folder} was trained on {own}, and the data here are {given}: name its own data set"
        )


def check_names(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    """Raise BadInput for the first of the `names` of a `what` that is not known."""
    if unknown := [name for name in names if name not in known]:
        raise BadInput(f"unknown {what} {unknown[0]!r}. Choose from {', '.join(known)}")


def _files(variant: Variant) -> str:
    """How files of a kind are asked for."""
    format, precision = setting("--format"), setting("--precision")
    return f"{format} {variant.format} {precision} {variant.precision}"


def variants_of(formats: Sequence[str], precisions: Sequence[str]) -> list[Variant]:
    """The (format, precision) pairs meant. Raises BadInput for a precision that no format has."""
    known = registry.variants()
    for precision in precisions:
        having = [format for format, other in known if other == precision]
        if not set(formats) & set(having):
            raise BadInput(
                f"{' and '.join(formats)} has no {precision} here: add {setting('--format')} {having[0]}"
            )
    wanted = [Variant(format, precision) for format in formats for precision in precisions]
    return [variant for variant in wanted if variant in known]


def choose_variants(
    run: Run,
    formats: Sequence[str],
    precisions: Sequence[str] | None,
    report: Report = silent,
) -> list[Variant]:
    """What to export of a run: its usual precisions, or those asked for. Where these are of both sorts, for
    quantization-aware runs and for others, those that the run has. The exporter refuses any other.
    """
    if precisions is None:
        return variants_of(formats, QAT_PRECISIONS if run.quantized else DEFAULT_PRECISIONS)
    own = [precision for precision in precisions if (precision in QAT_PRECISIONS) == run.quantized]
    if own and set(precisions) != set(PRECISIONS):
        left_out = ", ".join(precision for precision in precisions if precision not in own)
        if left_out:
            report(f"{run.folder}: it has no {left_out}, which is left out")
    return variants_of(formats, own or precisions)


def target_for(wanted: str, variants: Iterable[Variant], report: Report = silent) -> str:
    """The target meant, `auto` being this machine's. Raises BadInput where no file to be made has one."""
    if wanted == ANY:
        return ANY
    if not any(variant.targeted for variant in variants):
        having = next(each for each in registry.variants() if each.targeted)
        raise BadInput(
            f"{setting('--target')} {wanted} chooses the integers of {having.precision} "
            f"{registry.title(having.format)} files, and none is asked for: "
            f"leave it out, or add {_files(having)}"
        )
    if wanted != AUTO:
        return wanted
    found = of_this_machine()
    report(f"{setting('--target')} auto: {found}, which this machine is")
    return found


def check_calibration(wanted: str, variants: Iterable[Variant]) -> None:
    """Raise BadInput for a calibration method that no file to be made has."""
    having = [each for each in registry.variants() if wanted in each.calibrations]
    if wanted != AUTO and not set(variants) & set(having):
        formats = " and ".join(f"{precision} {format}" for format, precision in having)
        raise BadInput(
            f"{setting('--calibration')} {wanted} is a way to make {formats} files, and none is asked for: "
            f"leave it out, or add {_files(having[0])}"
        )


def options_for(
    found: Sequence[tuple[Run, list[Variant]]], options: ExportOptions, pattern: str | None
) -> list[ExportOptions]:
    """The options of each run: the layers whose names match the regular expression `pattern` stay in float.

    Raises BadInput where nothing that is to be made computes in integers, or no layer matches.
    """
    if pattern is None:
        return [options] * len(found)
    if not all(any(precision in INTEGER_PRECISIONS for _, precision in variants) for _, variants in found):
        raise BadInput(
            f"{setting('--keep-float')} {pattern} leaves layers of int8 files in float, and none is wanted: "
            f"leave it out, or add {setting('--precision')} int8"
        )
    from edgefashion.export.quantization import keep_float, quantization_aware

    return [
        replace(options, keep_float=keep_float.match_layers(quantization_aware.float_graph(run), pattern))
        for run, _ in found
    ]
