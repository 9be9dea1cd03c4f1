"""Layers that keep their initial weights: the parts of a model, and a training of the second part."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgefashion.data import FASHION_MNIST, Dataset, split
from edgefashion.errors import BadInput
from edgefashion.models import ARCHITECTURES, mobilenetv2
from edgefashion.recipes import NAMED_RECIPES
from edgefashion.tensorflow import keras
from edgefashion.training import frozen_layers, runs
from edgefashion.training.train import train

MOBILENETV2 = ARCHITECTURES["mobilenetv2"]
FROZEN = "block_1_project_BN"
FAST = replace(NAMED_RECIPES["mobilenetv2-fast"], frozen=FROZEN)


@pytest.fixture(scope="module", autouse=True)
def short(short_mobilenetv2: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    with short_mobilenetv2():
        yield


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(1)
    return MOBILENETV2.build(FASHION_MNIST, None)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Initial weights in a file, as a user has them; random ones."""
    path = tmp_path_factory.mktemp("weights") / "mobilenetv2.h5"
    keras.utils.set_random_seed(2)
    mobilenetv2._base(1.0, (48, 48), None).save_weights(path)
    return path


def test_the_recipe_freezes_a_layer_that_parts_the_whole_model() -> None:
    whole = keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3), include_top=False)
    first, _ = frozen_layers.split(whole, str(NAMED_RECIPES["mobilenetv2-fast"].frozen))
    assert first.output_shape == (None, 12, 12, 32)


@pytest.mark.parametrize("name", [FROZEN, "block_2_add", "Conv1_relu", "dense"])
def test_both_parts_compute_what_the_model_does(name: str, model: keras.Model, sample: Dataset) -> None:
    first, second = frozen_layers.split(model, name)
    images = MOBILENETV2.prepare(sample.test.images[:4])
    assert np.allclose(second(first(images)), model(images), atol=1e-5)
    assert len(first.weights) + len(second.weights) == len(model.weights)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("block_3", "mobilenetv2 has no layer block_3 to freeze"),
        ("logits", "mobilenetv2 has no layer logits to freeze"),
        ("block_2_expand", "behind the layer block_2_expand also takes block_1_project_BN"),
    ],
)
def test_a_layer_that_parts_nothing(name: str, said: str, model: keras.Model) -> None:
    with pytest.raises(BadInput) as refused:
        frozen_layers.split(model, name)
    assert said in str(refused.value)


def test_features_are_what_the_frozen_layers_give(weights: Path, sample: Dataset, tmp_path: Path) -> None:
    lines: list[str] = []
    splits = split(sample, 20)
    found = frozen_layers.features(MOBILENETV2, str(weights), FROZEN, splits, tmp_path, lines.append)
    assert not any(tmp_path.iterdir())
    first, _ = frozen_layers.split(MOBILENETV2.build(FASHION_MNIST, str(weights)), FROZEN)
    for kept, before in ((found.train, splits.train), (found.validation, splits.validation)):
        expected = first(MOBILENETV2.prepare(before.images)).numpy()
        assert kept.images.shape == (len(before), 12, 12, 8)
        assert np.allclose(kept.images, expected, atol=1e-2 * np.abs(expected).max())
        assert kept.labels is before.labels
    count = len(splits.train) + len(splits.validation)
    assert lines == [
        f"frozen until {FROZEN}: what it gives is computed once, and takes "
        f"{2 * 12 * 12 * 8 * count / 1e6:,.0f} MB of disk space"
    ]


@pytest.mark.parametrize("flip", [False, True])
def test_frozen_layers_keep_their_weights(flip: bool, weights: Path, sample: Dataset, tmp_path: Path) -> None:
    recipe = replace(FAST, epochs=1, limit=20, batch_size=10, weights=str(weights), flip=flip)
    run = train(recipe, sample, tmp_path / "runs/fast", report=lambda _: None)
    before, after = MOBILENETV2.build(FASHION_MNIST, str(weights)), keras.models.load_model(run.model_path)
    last = [layer.name for layer in after.layers].index(FROZEN)
    for number, (one, other) in enumerate(zip(before.layers, after.layers, strict=True)):
        pairs = zip(one.get_weights(), other.get_weights(), strict=True)
        changed = [not np.array_equal(*pair) for pair in pairs]
        assert any(changed) == (number > last and bool(changed)), other.name


def test_an_unknown_layer_leaves_nothing_behind(weights: Path, sample: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "runs/fast"
    with pytest.raises(BadInput, match="no layer block_99"):
        train(replace(FAST, frozen="block_99", limit=20, weights=str(weights)), sample, folder)
    assert not runs.staging(folder).exists()
