"""How a model is trained: frozen values with names. No framework is imported here."""

from edgefashion.recipes.automatic import VARIETIES, Variety, automatic
from edgefashion.recipes.catalog import (
    FINE_TUNING_RECIPES,
    NAMED_RECIPES,
    RECIPES,
    SHORT,
    fine_tuning_recipe,
)
from edgefashion.recipes.recipe import AUTO, WIDTHS, FineTuning, Recipe
from edgefashion.recipes.selection import changed, run_name

__all__ = [
    "AUTO",
    "FINE_TUNING_RECIPES",
    "NAMED_RECIPES",
    "RECIPES",
    "SHORT",
    "VARIETIES",
    "WIDTHS",
    "FineTuning",
    "Recipe",
    "Variety",
    "automatic",
    "changed",
    "fine_tuning_recipe",
    "run_name",
]
