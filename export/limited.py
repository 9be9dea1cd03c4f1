"""Every file of a run that is asked for, and where int8 loses too much one with layers in float."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import Variant
from edgefashion.data import Splits
from edgefashion.errors import VerificationError
from edgefashion.export import mixed_precision
from edgefashion.export.exporter import export_run, file_name
from edgefashion.export.mixed_precision import Mixed
from edgefashion.export.options import ExportOptions
from edgefashion.reporting import Progress, Report, silent
from edgefashion.training.runs import Run

INT8 = "int8"


@dataclass
class Limited:
    """The files, the mixed ones last; by variant, what could not be kept or met, and what cannot be told."""

    made: list[Artifact] = field(default_factory=list)
    unmet: dict[Variant, str] = field(default_factory=dict)
    untold: dict[Variant, str] = field(default_factory=dict)

    def fail(self, variant: Variant, error: VerificationError) -> None:
        """Note a file that is not kept."""
        self.unmet[variant] = str(error)

    def replace(self, told: Artifact) -> None:
        """Take a file whose manifest says more."""
        self.made = [told if each.path == told.path else each for each in self.made]


def export_within(
    run: Run,
    splits: Splits,
    variants: Sequence[Variant],
    limit: float,
    report: Report = silent,
    progress: Progress | None = None,
) -> Limited:
    """The files of the variants, and behind them those of the fewest layers in float with which int8 loses
    `limit` of the accuracy at most, a share of the pictures, where it loses more. How it stands to the limit
    is written into the manifest.

    Raises VerificationError where no file can be kept, and what `export_run` raises.
    """
    found = Limited()
    report(f"exporting {run.folder}")
    found.made += export_run(run, splits, variants, report=report, on_failure=found.fail)
    for variant in [each for each in variants if each.precision == INT8]:
        _limit(found, run, splits, variant, limit, report, progress)
    if not found.made:
        raise VerificationError("; ".join(found.unmet.values()))
    return found


def _limit(
    found: Limited,
    run: Run,
    splits: Splits,
    variant: Variant,
    limit: float,
    report: Report,
    progress: Progress | None,
) -> None:
    """Add the file with layers in float, where int8 loses too much, and what is to be said."""
    path = run.artifacts / file_name(run, variant, ExportOptions())
    full = None if variant in found.unmet else artifact.read(path)
    order = (run, splits, variant.format, limit, ExportOptions(), full, report, progress)
    try:
        mixed = mixed_precision.search(*order)
    except VerificationError as error:  # nothing in integers can be made at all
        return found.fail(variant, error)
    if full:
        found.replace(artifact.tell(full, drop=mixed.pure.drop.to_dict(limit)))
    if mixed.layers:
        found.unmet.pop(variant, None)
        options = replace(mixed.options, keep_float=mixed.layers)
        made = export_run(
            run, splits, [variant], options, beside_full=bool(full), report=report, on_failure=found.fail
        )
        found.made += [artifact.tell(each, drop=mixed.tried.drop.to_dict(limit)) for each in made]
    if mixed.verdict in ("above", "refused"):
        found.unmet.setdefault(variant, _unmet(variant, mixed, limit))
        found.unmet[variant] += _cause(mixed)
    elif mixed.verdict == "not told":
        found.untold[variant] = _untold(variant, mixed, limit)


def _layers(mixed: Mixed) -> str:
    return f"with {len(mixed.layers)} layers in float" if mixed.layers else "without layers in float"


def _unmet(variant: Variant, mixed: Mixed, limit: float) -> str:
    return (
        f"int8 {variant.format} does not stay within {100 * limit:g} points of the float model: the best "
        f"that was found, {_layers(mixed)}, has {mixed.tried} ({mixed.tried.drop.spread})"
    )


def _cause(mixed: Mixed) -> str:
    """What may be behind a loss that layers in float do not mend."""
    layers = f"{mixed.unranked} layer{'s' if mixed.unranked > 1 else ''}"
    return f"; {layers} that cannot be ranked stayed in int8 and may be why" if mixed.unranked else ""


def _untold(variant: Variant, mixed: Mixed, limit: float) -> str:
    return (
        f"int8 {variant.format}, {_layers(mixed)}: whether it stays within {100 * limit:g} points of the "
        f"float model cannot be told: {mixed.tried} ({mixed.tried.drop.spread}), which may be chance"
    )
