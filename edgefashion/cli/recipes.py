"""The verb `recipes`."""

import json

import click

from edgefashion import tables
from edgefashion.cli._output import following, show_json, show_page
from edgefashion.recipes import NAMED_RECIPES, RECIPES, Recipe
from edgefashion.tables import Column, Page, Row, Table


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead, with every field.")
def recipes(as_json: bool) -> None:
    """Show the recipes that models are trained with.

    Example: edgefashion recipes --json
    """
    if as_json:
        show_json(json.dumps({name: recipe.as_dict() for name, recipe in NAMED_RECIPES.items()}, indent=2))
    else:
        show_page(Page([], [Table("Recipes", _COLUMNS, _rows())], _notes(), "--json"))
    following("edgefashion train --recipe cnn-64k")


def _rows() -> list[Row]:
    return [recipe.as_dict() for recipe in NAMED_RECIPES.values()]


def _notes() -> list[str]:
    usual = [
        f"--model {model} is --recipe {each.name}" for model, each in RECIPES.items() if each.name != model
    ]
    return [f"{'; '.join(usual)}.", "--json shows every field."]


def _augmentation(row: Row) -> str:
    recipe = Recipe.from_dict(row)
    named = {
        "flip": recipe.flip,
        f"shift {recipe.shift}": recipe.shift,
        f"erase {recipe.erase:g}": recipe.erase,
        f"mixup {recipe.mixup:g}": recipe.mixup,
    }
    return ", ".join(name for name, used in named.items() if used) or tables.NONE


_COLUMNS: tuple[Column[Row], ...] = (
    Column("Recipe", lambda row: row["name"], number=False),
    Column("Model", lambda row: row["model"], number=False),
    Column("Epochs", lambda row: str(row["epochs"]), importance=9),
    Column("Batch", lambda row: str(row["batch_size"]), importance=3),
    Column("Optimizer", lambda row: row["optimizer"], number=False, importance=4),
    Column("Rate", lambda row: f"{row['learning_rate']:g}", importance=6),
    Column("Schedule", lambda row: row["schedule"], number=False, importance=2),
    Column("Decay", lambda row: f"{row['weight_decay']:g}", importance=2),
    Column("EMA", lambda row: f"{row['ema']:g}", importance=5),
    Column("Smoothing", lambda row: f"{row['label_smoothing']:g}", importance=5),
    Column("Augmentation", _augmentation, number=False, importance=8),
)
