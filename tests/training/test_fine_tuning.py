"""The recipes of fine-tuning: what they start from, what they are called, and what they refuse."""

from dataclasses import replace
from typing import Any, get_args

import pytest
from msgspec import structs

from edgefashion.data import Dataset
from edgefashion.errors import BadInput, RunError
from edgefashion.recipes import FINE_TUNING_RECIPES, NAMED_RECIPES, FineTuning
from edgefashion.training.fine_tuning import recipe_from, run_name
from edgefashion.training.runs import Run

KINDS: tuple[FineTuning, ...] = get_args(FineTuning)


def with_recipe(run: Run, **changes: Any) -> Run:
    return Run(run.folder, structs.replace(run.info, recipe=replace(run.recipe, **changes)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_recipe_tells_what_the_run_is_made_from(trained: Run, sample: Dataset, kind: FineTuning) -> None:
    recipe = recipe_from(trained, kind, sample.checksums, epochs=7, seed=None)
    wanted = replace(FINE_TUNING_RECIPES[kind]["cnn"], epochs=7, base_run_id=trained.id, fine_tuning=kind)
    assert recipe == replace(wanted, weights=str(trained.model_path))


def test_every_recipe_has_one_of_every_kind() -> None:
    assert {kind: set(recipes) for kind, recipes in FINE_TUNING_RECIPES.items()} == {
        kind: {*NAMED_RECIPES, "imported"} for kind in KINDS
    }


def test_the_control_of_quantization_aware_training_differs_from_it_in_that_alone(
    trained: Run, sample: Dataset
) -> None:
    qat, control = (recipe_from(trained, kind, sample.checksums) for kind in ("qat", "float"))
    assert replace(control, fine_tuning="qat") == qat


@pytest.mark.parametrize(
    ("own", "asked", "wanted"),
    [(None, None, None), (None, 50, 50), (200, None, 200), (200, 50, 50), (50, 200, 50)],
)
def test_a_small_run_is_fine_tuned_on_no_more_images(
    trained: Run, sample: Dataset, own: int | None, asked: int | None, wanted: int | None
) -> None:
    base = with_recipe(trained, limit=own)
    assert recipe_from(base, "qat", sample.checksums, limit=asked).limit == wanted


def test_a_run_is_fine_tuned_with_the_width_it_has(trained: Run, sample: Dataset) -> None:
    base = with_recipe(trained, model="mobilenetv2", width=0.35)
    assert recipe_from(base, "qat", sample.checksums).width == 0.35


@pytest.mark.parametrize(
    ("done", "said"), [("qat", "quantized"), ("prune", "pruned"), ("cluster", "clustered")]
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_base_that_is_no_float_model_any_more(
    trained: Run, sample: Dataset, kind: FineTuning, done: FineTuning, said: str
) -> None:
    base = with_recipe(trained, fine_tuning=done, weights="runs/cnn/model.keras")
    with pytest.raises(RunError, match=f"is {said} already: name the float run it was made from, runs/cnn$"):
        recipe_from(base, kind, sample.checksums)


def test_a_base_whose_model_is_not_known(trained: Run, sample: Dataset) -> None:
    base = with_recipe(trained, model="cnn-8-16-14-010", name=None)
    with pytest.raises(
        RunError, match=r"a model that is not known here \(cnn-8-16-14-010\): train it again$"
    ):
        recipe_from(base, "qat", sample.checksums)


def test_a_run_that_was_trained_further_in_float_is_a_base_too(trained: Run, sample: Dataset) -> None:
    base = with_recipe(trained, fine_tuning="float", base_run_id="older")
    assert recipe_from(base, "prune", sample.checksums, sparsity=0.5).base_run_id == trained.id


@pytest.mark.parametrize("kind", KINDS)
def test_a_base_of_other_data(trained: Run, kind: FineTuning) -> None:
    with pytest.raises(RunError, match=r"was trained on other data, .* before it is fine-tuned$"):
        recipe_from(trained, kind, {})


@pytest.mark.parametrize("change", [{"weights": "none"}, {"mixed_precision": True}, {"width": 0.5}])
@pytest.mark.parametrize("kind", KINDS)
def test_what_fine_tuning_does_not_take(
    trained: Run, sample: Dataset, kind: FineTuning, change: dict[str, Any]
) -> None:
    with pytest.raises(BadInput, match=f"^fine-tuning .*: leave out {next(iter(change))}$"):
        recipe_from(trained, kind, sample.checksums, **change)


@pytest.mark.parametrize(
    ("kind", "changes", "name"),
    [
        ("float", {}, "cnn-fine-tuned"),
        ("qat", {}, "cnn-qat"),
        ("qat", {"limit": 20}, "cnn-qat-limit-20"),
        ("prune", {"sparsity": 0.8}, "cnn-pruned-0.8"),
        ("cluster", {"clusters": 16, "limit": 20}, "cnn-clustered-16-limit-20"),
    ],
)
def test_fine_tuned_runs_are_named_after_their_base(
    trained: Run, sample: Dataset, kind: FineTuning, changes: dict[str, Any], name: str
) -> None:
    assert run_name(trained, recipe_from(trained, kind, sample.checksums, **changes)) == name


def test_the_limit_of_a_base_is_not_named_again(trained: Run, sample: Dataset) -> None:
    base = with_recipe(trained, limit=50)
    assert run_name(base, recipe_from(base, "float", sample.checksums)) == "cnn-fine-tuned"


@pytest.mark.parametrize("name", ["mine", "cnn", "cnn-256k", None])
@pytest.mark.parametrize("kind", KINDS)
def test_a_recipe_with_a_name_of_its_own_is_fine_tuned_as_its_model_is(
    trained: Run, sample: Dataset, kind: FineTuning, name: str | None
) -> None:
    """A name decides nothing: least of all that another model is built than was trained."""
    base = with_recipe(trained, name=name, model="cnn-64k")
    assert recipe_from(base, kind, sample.checksums).model == "cnn-64k"
