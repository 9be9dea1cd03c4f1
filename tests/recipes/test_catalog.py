"""Recipes: their names, what old ones mean, and values that cannot be."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edgefashion.cli._group import cli
from edgefashion.errors import BadInput
from edgefashion.recipes import NAMED_RECIPES, RECIPES, Recipe, fine_tuning_recipe, run_name

OLD = {
    "model": "mobilenetv2",
    "epochs": 2,
    "batch_size": 64,
    "learning_rate": 1e-3,
    "schedule": "cosine",
    "loss": "categorical_crossentropy",
    "weights": "imagenet",
    "seed": 0,
    "limit": None,
    "mixed_precision": False,
}
"""What an earlier edgefashion wrote of `train --model mobilenetv2`."""
SMALL = NAMED_RECIPES["cnn-64k"]


@pytest.mark.parametrize("name", NAMED_RECIPES)
def test_every_recipe_has_its_name_and_is_sound(name: str) -> None:
    assert NAMED_RECIPES[name].name == name
    NAMED_RECIPES[name].check()


def test_the_defaults_are_what_they_were() -> None:
    assert Recipe.from_dict(OLD) == RECIPES["mobilenetv2"]
    assert RECIPES["cnn"] == Recipe(
        model="cnn",
        epochs=5,
        batch_size=64,
        learning_rate=1e-3,
        schedule="constant",
        loss="sparse_categorical_crossentropy",
    )


def test_a_recipe_is_read_as_it_was_written() -> None:
    for recipe in NAMED_RECIPES.values():
        assert asdict(Recipe.from_dict(json.loads(json.dumps(recipe.as_dict())))) == asdict(recipe)


def test_a_name_decides_nothing() -> None:
    other = replace(SMALL, name="mine", epochs=7)
    assert SMALL.differences(other) == ["epochs 110 → 7"]
    assert replace(SMALL, name="mine") == SMALL


def test_a_run_that_one_begins_with_or_learns_from_is_told_by_its_id() -> None:
    one = replace(SMALL, weights="a/model.keras", base_run_id="1", teacher="t", teacher_id="2")
    assert not one.differences(replace(one, weights="b/model.keras", teacher="s"))
    assert one.differences(replace(one, teacher_id="3")) == ["teacher_id 2 → 3"]
    assert replace(one, base_run_id=None).differences(replace(one, weights="c"))


def test_a_run_is_fine_tuned_after_the_recipe_it_was_trained_with() -> None:
    assert fine_tuning_recipe("qat", Recipe.from_dict(OLD)).name == "mobilenetv2-short"
    assert fine_tuning_recipe("qat", NAMED_RECIPES["mobilenetv2"]).flip
    assert fine_tuning_recipe("prune", SMALL).model == "cnn-64k"
    assert fine_tuning_recipe("qat", replace(RECIPES["cnn"], name="mine")).name == "cnn"


PLAIN = {"flip": False, "shift": 0, "erase": 0.0}


def test_fine_tuning_varies_images_no_more_than_training_did() -> None:
    """A mirror makes another letter of one."""
    letters = replace(RECIPES["cnn-256k"], flip=False, shift=0, erase=0.0)
    found = fine_tuning_recipe("qat", letters)
    assert not found.augments
    assert found == replace(fine_tuning_recipe("qat", RECIPES["cnn-256k"]), flip=False, shift=0, erase=0.0)


def test_how_far_images_may_be_shifted_is_a_matter_of_their_size() -> None:
    recipe = replace(NAMED_RECIPES["cnn-64k"], shift=23)
    recipe.check()
    recipe.check_shift(24, 40)
    with pytest.raises(BadInput, match="shift must be less than 23, the shorter edge of the images, got 23"):
        recipe.check_shift(40, 23)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0, got 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0, got nan"),
        ({"erase": 1.5}, "erase must be from 0 to 1, got 1.5"),
        ({"shift": -1}, "shift must be 0 or more, got -1"),
        ({"ema": 1.0}, "0 or more and less than 1"),
        ({"schedule": "cosine"}, "a cosine schedule has no warm_up"),
        (
            {"loss": "sparse_categorical_crossentropy", "label_smoothing": 0.1},
            "set loss = categorical_crossentropy",
        ),
        ({"distillation": 0.5}, "set both teacher and distillation"),
        ({"other_teachers": ("runs/x",)}, "other_teachers are beside one: set teacher"),
        ({"teacher": "runs/mobilenetv2"}, "set both teacher and distillation"),
        ({"teacher": "runs/x", "distillation": 0.5, "mixup": 0.2}, "leave out mixup or teacher"),
        ({**PLAIN, "frozen": "conv1"}, "name pretrained weights, or leave out frozen"),
        ({**PLAIN, "frozen": "a", "weights": "b", "fine_tuning": "qat"}, "fine-tuning trains every layer"),
        ({"sparsity": 0.5}, "set ema = 0"),
        ({"width": 0.5}, "width of cnn-64k must be 1, got 0.5"),
        ({"width": 2.0, "model": "mobilenetv2"}, "must be 0.35 or 0.5 or 0.75 or 1 or 1.3 or 1.4, got 2"),
    ],
)
def test_values_that_cannot_be(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        replace(SMALL, **changes).check()
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_run_is_called_like_its_recipe() -> None:
    assert run_name(SMALL) == "cnn-64k"
    assert run_name(RECIPES["mobilenetv2"]) == "mobilenetv2"
    assert run_name(replace(SMALL, limit=100)) == "cnn-64k-limit-100"


def test_the_recipes_are_shown() -> None:
    text = CliRunner().invoke(cli, ["recipes"]).stdout
    for name in NAMED_RECIPES:
        assert f" {name} " in text
    shown = json.loads(CliRunner().invoke(cli, ["recipes", "--json"]).stdout)
    assert shown == {name: recipe.as_dict() for name, recipe in NAMED_RECIPES.items()}


def test_fewer_images_than_classes(sample_folder: Path, tmp_path: Path) -> None:
    folders = ["--data", str(sample_folder), "--runs", str(tmp_path)]
    arguments = ["train", "--recipe", "cnn-64k", "--limit", "9", *folders]
    result = CliRunner().invoke(cli, arguments)
    assert isinstance(result.exception, BadInput)
    assert "a limit of 9 images leaves classes empty; give 10 or more" in str(result.exception)
