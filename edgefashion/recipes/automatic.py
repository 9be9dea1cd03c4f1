"""The recipe for pictures of any kind: by how many there are, and by the model.

Measured on validation, on 1,520 emoji of 8 classes and 2,624 solar cells of 2: see recipes/README.md.
"""

from collections.abc import Container
from dataclasses import replace
from typing import Any, Literal, get_args

from edgefashion.recipes.catalog import NAMED_RECIPES, RECIPES
from edgefashion.recipes.recipe import AUTO, Recipe

Variety = Literal["photo", "fixed", "none"]
"""How pictures of one class differ: as photographs do, as those of a camera do that always sees its object at
the same place in the same light, or in no way that may be imitated.
"""
VARIETIES: tuple[Variety, ...] = get_args(Variety)
SEEN = 60_000
"""How many pictures are learned from, counting repetitions, as far as MOST_EPOCHS and FEWEST_EPOCHS allow."""
FEWEST_EPOCHS, MOST_EPOCHS = 5, 60
FEW, MANY = 200, 2000
"""Pictures a class, below which most layers, or the first ones, keep what ImageNet taught them."""
_AUGMENTATION: dict[Variety, dict[str, Any]] = {
    "photo": {
        "flip": True,
        "crop": 0.5,
        "rotate": 10.0,
        "brightness": 0.2,
        "contrast": 0.5,
        "color": 0.5,
        "erase": 0.25,
    },
    "fixed": {"flip": True, "flip_vertical": True, "erase": 0.25},
    "none": {},
}
_MOBILENETV2 = replace(
    NAMED_RECIPES["mobilenetv2"], batch_size=32, weight_decay=0.0, label_smoothing=0.1, flip=False, shift=0
)
_SCRATCH = {
    "cnn": replace(NAMED_RECIPES["cnn"], schedule="one-cycle", warm_up=0.1),
    **{
        name: replace(NAMED_RECIPES[name], batch_size=64, learning_rate=0.05, flip=False, shift=0)
        for name in RECIPES
        if name not in ("cnn", "mobilenetv2")
    },
}


def automatic(
    model: str,
    pictures: int,
    classes: int,
    variety: Variety = "photo",
    *,
    pretrained: bool = True,
    given: Container[str] = (),
) -> Recipe:
    """How `model` is trained on so many `pictures` of so many classes; its `reason` says why.

    `pretrained`: whether its initial weights are of ImageNet, where it has such. `given`: the fields that
    the user sets, of which the reason says nothing.
    """
    each = pictures // classes
    base = _MOBILENETV2 if model == "mobilenetv2" else _SCRATCH[model]
    frozen, why = None, "all layers learn"
    if base.weights and pretrained and each < MANY:
        frozen = "block_12_add" if each < FEW else "block_5_add"
        why = f"layers until {frozen} keep their initial weights"
    epochs = min(MOST_EPOCHS, max(FEWEST_EPOCHS, round(SEEN / pictures)))
    chosen = {"frozen": why, "epochs": f"{epochs} epochs"}
    told = ", ".join(text for field, text in chosen.items() if field not in given)
    return replace(
        base,
        name=AUTO,
        reason=f"{each:,} pictures a class to learn from{': ' if told else ''}{told}",
        epochs=epochs,
        frozen=frozen,
        tolerance=1.0,
        **{"erase": 0.0} | _AUGMENTATION[variety],
    )
