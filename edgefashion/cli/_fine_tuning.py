"""Fine-tuning on the command line: what is done to which runs."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from edgefashion.cli import _resolve
from edgefashion.cli._options import Whole, options
from edgefashion.errors import BadInput
from edgefashion.recipes import FineTuning, Recipe

if TYPE_CHECKING:
    from edgefashion.data import Dataset
    from edgefashion.training.runs import Run

MOST_CLUSTERS = 256
"""As many as 8 bits can tell apart; more would save nothing."""

fine_tuning_options = options(
    click.option(
        "--from",
        "base",
        is_flag=False,
        flag_value="",
        metavar="[RUN]",
        help="Go on training a finished run; default, also of the next three: the --model's run.",
    ),
    click.option(
        "--qat",
        is_flag=False,
        flag_value="",
        metavar="[RUN]",
        help="Fine-tune a run quantization-aware, for export as int8-qat.",
    ),
    click.option(
        "--prune",
        "sparsity",
        type=float,
        metavar="SPARSITY",
        help="Fine-tune a run, named with --from, with this share of its weights zero: 0.8.",
    ),
    click.option(
        "--cluster",
        "clusters",
        type=Whole(2, MOST_CLUSTERS),
        metavar="N",
        help="Fine-tune a run, named with --from, with N different weights in a layer: 16.",
    ),
)


def asked(
    base: str | None, qat: str | None, sparsity: float | None, clusters: int | None
) -> tuple[FineTuning, str] | None:
    """What is to be done, and the run named, "" for that of the model; None where nothing was asked for.

    Raises BadInput for options that exclude each other and for a sparsity that is none.
    """
    wanted: dict[FineTuning, Any] = {"qat": qat, "prune": sparsity, "cluster": clusters}
    kinds = [kind for kind, value in wanted.items() if value is not None]
    if len(kinds) > 1:
        raise BadInput("--qat, --prune and --cluster make runs of their own: give one of them")
    if qat is not None and base is not None:
        raise BadInput("--qat names the run itself: leave out --from")
    if sparsity is not None and not 0 < sparsity < 1:
        raise BadInput(
            f"--prune {sparsity:g} is not a share of the weights: give one above 0 and below 1, like 0.8"
        )
    if not kinds:
        return None if base is None else ("float", base)
    return kinds[0], (qat or "") if kinds[0] == "qat" else (base or "")


def base_runs(name: str, models: Sequence[str], root: Path) -> "list[Run]":
    """The run named, or those called like the models. Raises BadInput where both were named."""
    source = click.get_current_context().get_parameter_source("models")
    if name and source is not ParameterSource.DEFAULT:
        raise BadInput(f"the run {name} has a model of its own: leave out --model")
    return _resolve.named_runs([name] if name else models, root)


def recipes(
    kind: FineTuning, bases: "Iterable[Run]", dataset: "Dataset", **changes: Any
) -> dict[str, Recipe]:
    """A recipe for each base, by the name its run gets."""
    from edgefashion.training.fine_tuning import recipe_from, run_name

    found = {}
    for base in bases:
        recipe = recipe_from(base, kind, dataset.checksums, **changes)
        found[run_name(base, recipe)] = recipe
    return found


def compressed(run: "Run") -> str:
    """What was found in the compressed layers of a run, to be added to a line; nothing of any other run."""
    layers = (run.info.compressed_layers or {}).values()
    if run.fine_tuning == "prune" and layers:
        weights, zeros = sum(each.weights for each in layers), sum(each.zeros for each in layers)
        return f", {zeros / weights:.1%} of {weights:,} weights are zero in {len(layers)} layers"
    if run.fine_tuning == "cluster" and layers:
        return f", at most {max(each.values for each in layers)} different weights in {len(layers)} layers"
    return ""
