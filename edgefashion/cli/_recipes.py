"""The recipes that `train` and `run` train after, and the data set."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgefashion.cli import _data
from edgefashion.cli._data import Chosen
from edgefashion.cli._output import say
from edgefashion.errors import BadInput
from edgefashion.recipes import AUTO, NAMED_RECIPES, RECIPES, Recipe, Variety, automatic, changed, run_name
from edgefashion.recipes.automatic import FEW

if TYPE_CHECKING:
    from edgefashion.data import Dataset


def for_data(
    models: Sequence[str], name: str | None, chosen: Chosen, variety: Variety | None, **changes: Any
) -> "tuple[Dataset, dict[str, Recipe]]":
    """The data set, and the recipe called `name`, or else one for each model, by the name its run gets: the
    usual one for Fashion-MNIST, else that of `auto`.

    Raises BadInput for changes that it cannot take, and for a `variety` where that says nothing.
    """
    from edgefashion.data import FASHION_MNIST

    check(models, name, chosen, **changes)  # an error comes before anything is read
    named = [NAMED_RECIPES[name]] if name not in (None, AUTO) else []
    dataset = _data.for_training(chosen)
    usual = named or [RECIPES[model] for model in models]
    if name == AUTO or not (named or dataset.task == FASHION_MNIST):
        recipes = [_automatic(recipe.model, dataset, variety or "photo", changes) for recipe in usual]
    elif variety:
        raise BadInput(f"--variety is for --recipe {AUTO}: leave it out, or name no other recipe")
    else:
        recipes = [changed(recipe, **changes) for recipe in usual]
    return dataset, {run_name(recipe): recipe for recipe in recipes}


def check(models: Sequence[str], name: str | None, chosen: Chosen, **changes: Any) -> None:
    """Raise BadInput for changes that the recipe called `name`, or else those of the models, cannot take."""
    from edgefashion.data import locate

    if name not in (None, AUTO):
        changed(NAMED_RECIPES[name], **changes)
        return
    for model in models:
        _check(model, changes, known=name != AUTO and not locate.named(chosen.folder))


def _check(model: str, changes: dict[str, Any], known: bool) -> None:
    """Raise BadInput for changes that the model's usual recipe cannot take, which it is `known` to be of, or
    neither that nor the automatic one.
    """
    try:
        changed(RECIPES[model] if known else automatic(model, pictures=1000, classes=2), **changes)
    except BadInput:
        changed(RECIPES[model], **changes)


def _automatic(model: str, dataset: "Dataset", variety: Variety, changes: dict[str, Any]) -> Recipe:
    """The recipe for the pictures there are, which is said."""
    from edgefashion.api.recipes import automatic_recipe

    given = {name: value for name, value in changes.items() if value is not None}
    found = automatic_recipe(model, dataset, variety=variety, **given)
    say(f"recipe for {model}: {found.reason}")
    if model != "mobilenetv2" and len(dataset.train) < FEW * len(dataset.task.classes):
        say("for so few pictures --model mobilenetv2 is advised, which was trained on many others (ImageNet)")
    return found
