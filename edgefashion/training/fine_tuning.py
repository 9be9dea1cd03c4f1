"""Fine-tuning: the recipe that goes on training a finished run. No framework is imported here."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from edgefashion.errors import BadInput, RunError
from edgefashion.errors.wording import setting
from edgefashion.recipes import RECIPES, FineTuning, Recipe, fine_tuning_recipe
from edgefashion.training import learned, runs
from edgefashion.training.runs import Run

_CHANGED = {"qat": "quantized", "prune": "pruned", "cluster": "clustered"}


def recipe_from(base: Run, kind: FineTuning, data: dict[str, str], **changes: Any) -> Recipe:
    """How to fine-tune the model of `base` on the data set with the checksums `data`.

    `changes` are fields of a recipe; None leaves one as it is. A base trained on a part of the images is
    fine-tuned on no more than that. Raises RunError for a base that is not known, is no longer a float model
    or was trained on other data (its validation images would not be unseen), BadInput for a change that
    cannot be made.
    """
    trained = base.recipe
    if trained.model not in (*RECIPES, "imported"):
        raise runs.unknown(base, trained.model)
    if base.fine_tuning in _CHANGED:
        raise RunError(
            f"{base.folder} is {_CHANGED[base.fine_tuning]} already: name the float run it was made from, "
            f"{Path(trained.weights or '').parent}"
        )
    if base.info.data.checksums != data:
        others = learned.others(base, data)
        raise RunError(f"{base.folder} was trained on {others}: train it on these before it is fine-tuned")
    if changes.get("weights"):
        raise BadInput(f"fine-tuning starts with the weights of a run: leave out {setting('--weights')}")
    if changes.get("width") not in (None, trained.width):
        raise BadInput(f"fine-tuning goes on with the model of a run: leave out {setting('--width')}")
    if changes.get("mixed_precision"):
        raise BadInput(f"fine-tuning trains in float32: leave out {setting('--mixed-precision')}")
    changes["width"] = trained.width
    if trained.use_validation:  # which its model knows
        changes["use_validation"] = True
    limits = [limit for limit in (changes.pop("limit", None), trained.limit) if limit]
    return replace(
        fine_tuning_recipe(kind, trained),
        **{key: value for key, value in changes.items() if value is not None},
        limit=min(limits, default=None),
        weights=str(base.model_path),
        base_run_id=base.id,
        fine_tuning=kind,
    )


def run_name(base: Run, recipe: Recipe) -> str:
    """The name of a fine-tuned run where none is given: `cnn-qat`, `cnn-pruned-0.8`, `cnn-clustered-16`,
    `cnn-fine-tuned`, and the limit that makes it a smaller run than its base.
    """
    done = {
        "float": "fine-tuned",
        "qat": "qat",
        "prune": f"pruned-{recipe.sparsity}",
        "cluster": f"clustered-{recipe.clusters}",
    }[recipe.fine_tuning or "float"]
    smaller = recipe.limit != base.recipe.limit
    return f"{base.name}-{done}" + (f"-limit-{recipe.limit}" if smaller else "")
