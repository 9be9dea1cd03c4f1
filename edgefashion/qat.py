"""Quantization-aware training: the recipe that fine-tunes a finished run. No framework is imported here."""

from dataclasses import replace
from typing import Any

from edgefashion.errors import BadInput, RunError
from edgefashion.recipes import QAT_RECIPES, Recipe
from edgefashion.runs import Run


def recipe_from(base: Run, data: dict[str, str], **changes: Any) -> Recipe:
    """How to train the model of `base` quantization-aware on the data set with the checksums `data`.

    `changes` are fields of a recipe; None leaves one as it is. A base trained on a part of the images is
    fine-tuned on no more than that. Raises RunError for a base that is quantized already or was trained on
    other data (its validation images would not be unseen), BadInput for a change that cannot be made.
    """
    if base.base_run_id:
        raise RunError(f"{base.folder} is quantized already: name the float run it was made from")
    if base.info["data"]["checksums"] != data:
        raise RunError(f"{base.folder} was trained on other data: train it on these before --qat")
    if changes.get("weights"):
        raise BadInput("--qat starts with the weights of a run: leave out --weights")
    if changes.get("mixed_precision"):
        raise BadInput("--qat computes with 8 bits in float32: leave out --mixed-precision")
    trained = base.info["recipe"]
    limits = [limit for limit in (changes.pop("limit", None), trained["limit"]) if limit]
    return replace(
        QAT_RECIPES[trained["model"]],
        **{key: value for key, value in changes.items() if value is not None},
        limit=min(limits, default=None),
        weights=str(base.model_path),
        base_run_id=base.id,
    )
