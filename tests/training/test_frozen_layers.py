"""Layers that keep their initial weights: the parts of a model, and a training of the second part."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgefashion.data import FASHION_MNIST, Dataset, split
from edgefashion.errors import BadInput
from edgefashion.models import ARCHITECTURES
from edgefashion.recipes import NAMED_RECIPES
from edgefashion.tensorflow import keras
from edgefashion.training import frozen_layers, runs
from edgefashion.training.train import train

MOBILENETV2 = ARCHITECTURES["mobilenetv2"]
FAST = NAMED_RECIPES["mobilenetv2-fast"]
assert FAST.frozen


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(1)
    return MOBILENETV2.build(FASHION_MNIST, None)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Initial weights in a file, as a user has them; random ones."""
    path = tmp_path_factory.mktemp("weights") / "mobilenetv2.h5"
    keras.utils.set_random_seed(2)
    base = keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3), include_top=False)
    base.save_weights(path)
    return path


@pytest.mark.parametrize("name", [FAST.frozen, "block_5_add", "Conv1_relu", "dense"])
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
        ("block_4_expand", "behind the layer block_4_expand also takes block_3_project_BN"),
    ],
)
def test_a_layer_that_parts_nothing(name: str, said: str, model: keras.Model) -> None:
    with pytest.raises(BadInput) as refused:
        frozen_layers.split(model, name)
    assert said in str(refused.value)


def test_features_are_what_the_frozen_layers_give(weights: Path, sample: Dataset) -> None:
    lines: list[str] = []
    splits = split(sample, 20)
    found = frozen_layers.features(MOBILENETV2, str(weights), str(FAST.frozen), splits, lines.append)
    first, _ = frozen_layers.split(MOBILENETV2.build(FASHION_MNIST, str(weights)), str(FAST.frozen))
    for kept, before in ((found.train, splits.train), (found.validation, splits.validation)):
        expected = first(MOBILENETV2.prepare(before.images)).numpy()
        assert kept.images.shape == (len(before), 12, 12, 32)
        assert np.allclose(kept.images, expected, atol=1e-2 * np.abs(expected).max())
        assert kept.labels is before.labels
    count = len(splits.train) + len(splits.validation)
    assert lines == [
        f"frozen until {FAST.frozen}: what it gives is computed once, and takes "
        f"{2 * 12 * 12 * 32 * count / 1e6:,.0f} MB of memory"
    ]


def test_frozen_layers_keep_their_weights(weights: Path, sample: Dataset, tmp_path: Path) -> None:
    recipe = replace(FAST, epochs=1, limit=20, batch_size=10, weights=str(weights))
    run = train(recipe, sample, tmp_path / "runs/fast", report=lambda _: None)
    assert run.info["model"]["parameters"] == 2_423_242
    before, after = MOBILENETV2.build(FASHION_MNIST, str(weights)), keras.models.load_model(run.model_path)
    last = [layer.name for layer in after.layers].index(str(FAST.frozen))
    for number, (one, other) in enumerate(zip(before.layers, after.layers, strict=True)):
        pairs = zip(one.get_weights(), other.get_weights(), strict=True)
        changed = [not np.array_equal(*pair) for pair in pairs]
        assert any(changed) == (number > last and bool(changed)), other.name


def test_an_unknown_layer_leaves_nothing_behind(weights: Path, sample: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "runs/fast"
    with pytest.raises(BadInput, match="no layer block_99"):
        train(replace(FAST, frozen="block_99", limit=20, weights=str(weights)), sample, folder)
    assert not runs.staging(folder).exists()
