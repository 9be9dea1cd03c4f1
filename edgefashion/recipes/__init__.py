"""How a model is trained: frozen values with names. No framework is imported here."""

from edgefashion.recipes.catalog import FINE_TUNING_RECIPES, NAMED_RECIPES, RECIPES, fine_tuning_recipe
from edgefashion.recipes.recipe import FineTuning, Recipe

__all__ = ["FINE_TUNING_RECIPES", "NAMED_RECIPES", "RECIPES", "FineTuning", "Recipe", "fine_tuning_recipe"]
