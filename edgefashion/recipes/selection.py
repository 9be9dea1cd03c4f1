"""A recipe by its name, and with changes."""

import difflib
from dataclasses import replace
from typing import Any

from edgefashion.errors import BadInput
from edgefashion.errors.arguments import takes
from edgefashion.errors.wording import setting
from edgefashion.recipes.catalog import NAMED_RECIPES, RECIPES
from edgefashion.recipes.recipe import AUTO, Recipe


@takes(name=str)
def recipe(name: str, **changes: Any) -> Recipe:
    """The recipe of that name, one of `NAMED_RECIPES`, with its fields changed: `recipe("cnn", epochs=3)`.

    Raises BadInput for an unknown name or field, and for a value that the field cannot have.
    """
    from edgefashion.recipes import overrides

    if name == AUTO:
        raise BadInput("recipe auto depends on the pictures: ef.automatic_recipe(model, dataset) gives it")
    if name not in NAMED_RECIPES:
        near = difflib.get_close_matches(name, NAMED_RECIPES, 1, cutoff=0.3)
        hint = f": did you mean {near[0]}?" if near else "."
        raise BadInput(f"unknown recipe {name!r}{hint} Choose from {', '.join(NAMED_RECIPES)}")
    return changed(NAMED_RECIPES[name], **overrides.checked(f"recipe {name}", changes))


def changed(recipe: Recipe, **changes: Any) -> Recipe:
    """A recipe with every change that is not None. Raises BadInput for a change it cannot take."""
    if changes.get("weights") and recipe.weights is None:
        raise BadInput(
            f"{recipe.model} is trained from scratch, not from weights: leave out {setting('--weights')}"
        )
    result = replace(recipe, **{key: value for key, value in changes.items() if value is not None})
    result.check()
    return result


def run_name(recipe: Recipe) -> str:
    """The run's name where none is given: the model's or the recipe's, and the limit that makes it small."""
    usual = RECIPES.get(recipe.model)
    unnamed = recipe.name == AUTO or (usual and usual.name == recipe.name)
    name = recipe.model if unnamed else recipe.name
    return f"{name}-limit-{recipe.limit}" if recipe.limit else str(name)
