"""The options of `train` that choose a recipe and change it."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from edgefashion.cli import _resolve
from edgefashion.cli._options import COUNT, FILE, Whole, options, recipe_option
from edgefashion.errors import BadInput
from edgefashion.recipes import VARIETIES, Recipe

DISTILLATION, TEMPERATURE = 0.8, 3.0
"""Of --teacher, where the recipe has none of its own."""

recipe_options = options(
    recipe_option,
    click.option("--config", type=FILE, help="A TOML file: fields of a recipe, and recipe = NAME."),
    click.option(
        "--set",
        "texts",
        multiple=True,
        metavar="FIELD=VALUE",
        help="Change a field of the recipe, of any that edgefashion recipes --json shows; once for each.",
    ),
    click.option(
        "--teacher",
        "teachers",
        multiple=True,
        metavar="RUN|FILE",
        help="Learn from this run, model file or zoo:NAME too; once for each, from the mean of several. With "
        f"weight {DISTILLATION} and temperature {TEMPERATURE:g} unless "
        "distillation and temperature are set.",
    ),
    click.option(
        "--seeds",
        type=COUNT,
        help="Train NAME-seed-0 and so many more in all; the best on validation becomes NAME.",
    ),
    click.option(
        "--folds",
        type=Whole(2),
        help="For few pictures: share them out, train NAME-fold-1 and so on, each judged on the fold that it "
        "did not see, in float and int8; and NAME on all.",
    ),
    click.option(
        "--fold",
        type=Whole(0),
        help="Of --folds: train NAME-fold-N only, and keep what it says of its fold; 0: NAME on all.",
    ),
    click.option(
        "--variety",
        type=click.Choice(VARIETIES),
        help="How pictures of a class differ, of --recipe auto: as photos do (default); little, the camera "
        "being fixed; or in no way to be imitated.",
    ),
    click.option("--flip/--no-flip", default=None, help="Whether mirrored pictures are of the same class."),
    click.option(
        "--balance", is_flag=True, default=None, help="Let pictures of rare classes count for more."
    ),
)


def name_of(option: str | None, in_file: str | None) -> str | None:
    if option and in_file and option != in_file:
        raise BadInput(f"--recipe {option} and recipe = {in_file} of --config differ: leave one of them out")
    return option or in_file


def together(named: dict[str, Any], texts: dict[str, Any]) -> dict[str, Any]:
    """What options of their own and --set say. Raises BadInput for a field that both set."""
    own = {field: value for field, value in named.items() if value is not None}
    if twice := sorted(own.keys() & texts.keys()):
        option = twice[0].replace("_", "-")
        raise BadInput(f"--{option} and --set {twice[0]} set the same field: give one of them")
    return own | texts


def check_alone(name: str, fine_tuning: bool) -> None:
    """Raise BadInput where something beside the recipe's name chooses a recipe too."""
    source = click.get_current_context().get_parameter_source("models")
    if source is not ParameterSource.DEFAULT:
        raise BadInput(f"--recipe names the model too: leave out --model, or --recipe {name}")
    if fine_tuning:
        raise BadInput(f"a run is fine-tuned after a recipe of its own: leave out --recipe {name}")


def teachers(names: tuple[str, ...], root: Path) -> dict[str, Any]:
    """The fields of a recipe that learns from these runs and model files."""
    if not names:
        return {}
    first, *others = (_resolve.model_or_run(name, root) for name in names)
    return {"teacher": first, "other_teachers": tuple(others) or None}


def of_teacher(recipe: Recipe | None, changes: dict[str, Any]) -> dict[str, Any]:
    """The usual weight and temperature of a teacher, where neither a recipe nor the user says another."""
    if "teacher" not in changes or (recipe and recipe.distillation):
        return {}
    usual = {"distillation": DISTILLATION, "temperature": TEMPERATURE}
    return {field: value for field, value in usual.items() if field not in changes}
