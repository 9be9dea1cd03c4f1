"""How a model is trained: frozen values with names. No framework is imported here."""

from edgefashion.recipes.catalog import FINE_TUNING_RECIPES, NAMED_RECIPES, RECIPES, fine_tuning_recipe
from edgefashion.recipes.recipe import WIDTHS, FineTuning, Recipe
from edgefashion.recipes.selection import changed, run_name

__all__ = [
    "FINE_TUNING_RECIPES",
    "NAMED_RECIPES",
    "RECIPES",
    "WIDTHS",
    "FineTuning",
    "Recipe",
    "changed",
    "fine_tuning_recipe",
    "run_name",
]
