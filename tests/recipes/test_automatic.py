"""The recipe for the pictures there are."""

from typing import Any

import pytest

import edgefashion as ef
from edgefashion.data import Dataset
from edgefashion.errors import BadInput
from edgefashion.recipes import RECIPES, VARIETIES, automatic, changed, run_name


@pytest.mark.parametrize(
    ("pictures", "frozen", "epochs"),
    [(160, "block_12_add", 60), (4000, "block_5_add", 15), (50_000, None, 5)],
)
def test_the_fewer_pictures_the_more_layers_keep_what_they_know(
    pictures: int, frozen: str | None, epochs: int
) -> None:
    recipe = automatic("mobilenetv2", pictures, 10)
    assert (recipe.frozen, recipe.epochs) == (frozen, epochs)
    assert recipe.reason is not None
    assert recipe.reason.startswith(f"{pictures // 10:,} pictures a class to learn from: ")
    assert (frozen or "all layers learn") in recipe.reason


@pytest.mark.parametrize("variety", VARIETIES)
@pytest.mark.parametrize("model", RECIPES)
def test_every_one_is_sound_and_called_as_its_model(model: str, variety: Any) -> None:
    for pretrained in (True, False):
        recipe = automatic(model, 300, 3, variety, pretrained=pretrained)
        recipe.check()
        assert (recipe.augments, recipe.name, run_name(recipe)) == (variety != "none", "auto", model)
        assert (recipe.frozen is not None) == (model == "mobilenetv2" and pretrained)


def test_a_reason_decides_nothing_and_shares_have_their_range() -> None:
    recipe = automatic("cnn", 300, 3)
    assert recipe == changed(recipe, reason="another")
    for field, value in {
        "crop": 1.0,
        "rotate": 181.0,
        "brightness": 1.5,
        "color": 2.0,
        "contrast": -1.0,
    }.items():
        with pytest.raises(BadInput, match=field):
            changed(recipe, **{field: value})


def test_python_has_the_recipe_of_the_command_line(sample: Dataset) -> None:
    pictures, changes = len(ef.split(sample).train), {"flip": False, "epochs": 3}
    found = ef.automatic_recipe("cnn", sample, variety="fixed", **changes)  # type: ignore[arg-type]
    usual = automatic("cnn", pictures, 10, "fixed")
    assert found == changed(usual, flip_vertical=False, **changes)
    assert ef.automatic_recipe("mobilenetv2", sample, weights="none").frozen is None
    for wrong in ({"variety": "odd"}, {"epoch": 3}, {"variety": 3}):
        with pytest.raises(BadInput):
            ef.automatic_recipe("cnn", sample, **wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"Choose from cnn, cnn-16k, cnn-64k, cnn-64k-v2, cnn-256k, "):
        ef.automatic_recipe("cnm", sample)
    with pytest.raises(BadInput, match=r"ef\.automatic_recipe\(model, dataset\) gives it"):
        ef.recipe("auto")


def test_a_reason_is_silent_of_what_the_user_chose() -> None:
    assert automatic("cnn", 300, 3, given=["epochs"]).reason == (
        "100 pictures a class to learn from: all layers learn"
    )
    assert automatic("cnn", 300, 3, given=["epochs", "frozen"]).reason == "100 pictures a class to learn from"
