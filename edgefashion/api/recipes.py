"""The recipe that `train` chooses for pictures of any kind."""

from typing import Any

from edgefashion.data import Dataset, split
from edgefashion.errors import BadInput
from edgefashion.errors.arguments import takes
from edgefashion.recipes import RECIPES, VARIETIES, Recipe, Variety, automatic, changed, overrides


@takes(model=str, dataset=Dataset, variety=str)
def automatic_recipe(model: str, dataset: Dataset, *, variety: Variety = "photo", **changes: Any) -> Recipe:
    """What `edgefashion train --recipe auto` trains `model` (one of `RECIPES`) with on these pictures: by
    how many of a class there are to learn from. `reason` says why.

    `variety` says how pictures of a class differ: as photos do ("photo"), little, the camera being fixed
    ("fixed"), or in no way to be imitated ("none"). `changes` are of fields, as `recipe` takes them:
    `automatic_recipe("cnn", photos, flip=False)`. Raises BadInput for an unknown model, variety or field, and
    for a value that the field cannot have.
    """
    for name, value, known in (("model", model, tuple(RECIPES)), ("variety", variety, VARIETIES)):
        if value not in known:
            raise BadInput(f"unknown {name} {value!r}. Choose from {', '.join(known)}")
    changes = overrides.checked("automatic_recipe", changes)
    pictures = len(split(dataset, changes.get("limit")).train)
    pretrained = changes.get("weights") != "none"
    classes = len(dataset.task.classes)
    found = automatic(model, pictures, classes, variety, pretrained=pretrained, given=changes)
    if changes.get("flip") is False:
        found = changed(found, flip_vertical=False)
    return changed(found, **changes)
