"""The training pipeline: every image once an epoch, in an order that an interruption does not change."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.data import FASHION_MNIST, Picture, Subset, Task
from edgefashion.files.stored import without_name
from edgefashion.models import ARCHITECTURES, Architecture
from edgefashion.models.mobilenetv2 import SIZE
from edgefashion.recipes import RECIPES, Recipe
from edgefashion.training.input_pipeline import (
    Part,
    batches_of,
    labels_for,
    training_batches,
    validation_batches,
)

COUNT, BATCH, EPOCHS = 50, 8, 3
STEPS = 7
CNN = ARCHITECTURES["cnn"]
RECIPE = replace(RECIPES["cnn"], epochs=EPOCHS, batch_size=BATCH)
Batch = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


@pytest.fixture(scope="module")
def numbered() -> Subset:
    """Image i is the number i in every pixel, and its label is i % 10."""
    numbers = np.arange(COUNT, dtype=np.uint8)
    images = np.broadcast_to(numbers[:, None, None, None], (COUNT, 28, 28, 1)).copy()
    return Subset(images, numbers % 10, numbers.astype(np.int64))


def drawn(subset: Subset, recipe: Recipe = RECIPE, first_epoch: int = 0) -> list[Batch]:
    return list(training_batches(subset, FASHION_MNIST, CNN, recipe, first_epoch).as_numpy_iterator())


def order(batches: list[Batch]) -> list[int]:
    """Which images came, by the number in their pixels."""
    return [round(float(value) * 255) for images, _ in batches for value in images[:, 0, 0, 0]]


def epochs(subset: Subset, recipe: Recipe = RECIPE) -> list[list[int]]:
    images = order(drawn(subset, recipe))
    return [images[start : start + COUNT] for start in range(0, len(images), COUNT)]


def test_every_epoch_has_every_image_once(numbered: Subset) -> None:
    found = epochs(numbered)
    assert len(found) == EPOCHS
    for images in found:
        assert sorted(images) == list(range(COUNT))


def test_an_epoch_ends_with_a_smaller_batch(numbered: Subset) -> None:
    assert [len(labels) for _, labels in drawn(numbered)] == ([BATCH] * (STEPS - 1) + [2]) * EPOCHS


def test_every_epoch_has_an_order_of_its_own(numbered: Subset) -> None:
    found = epochs(numbered)
    assert len({tuple(images) for images in [*found, range(COUNT)]}) == EPOCHS + 1


def test_the_order_depends_on_the_seed_only(numbered: Subset) -> None:
    first = epochs(numbered)
    assert first == epochs(numbered)
    other = epochs(numbered, replace(RECIPE, seed=1))
    assert all(mine not in other for mine in first)


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_later_start_gives_the_batches_of_an_uninterrupted_training(numbered: Subset, epoch: int) -> None:
    rest = drawn(numbered)[epoch * STEPS :]
    resumed = drawn(numbered, first_epoch=epoch)
    assert len(resumed) == len(rest)
    for (images, labels), (expected_images, expected_labels) in zip(resumed, rest, strict=True):
        assert np.array_equal(images, expected_images)
        assert np.array_equal(labels, expected_labels)


def test_a_start_within_an_epoch_gives_the_batches_that_are_left(numbered: Subset) -> None:
    recipe = replace(RECIPE, flip=True, shift=2, erase=0.5)
    whole = drawn(numbered, recipe)[STEPS : 2 * STEPS]
    parts = [Part(1, 4, STEPS), Part(2, 0, 1)]
    left = list(batches_of(parts, numbered, FASHION_MNIST, CNN, recipe).as_numpy_iterator())
    assert len(left) == STEPS - 4 + 1
    for (images, labels), (expected_images, expected_labels) in zip(left, whole[4:], strict=False):
        assert np.array_equal(images, expected_images)
        assert np.array_equal(labels, expected_labels)


def test_a_teacher_speaks_of_the_image_that_is_seen(numbered: Subset) -> None:
    """The left half of every image is black: the mirrored ones are known by it."""
    images = numbered.images.copy() + 1
    images[:, :, :14] = 0
    subset = Subset(images, numbered.labels, numbered.indices)
    taught = np.arange(2 * COUNT * 10, dtype=np.float32).reshape(2, COUNT, 10)
    batches = batches_of([Part(0, 0, STEPS)], subset, FASHION_MNIST, CNN, replace(RECIPE, flip=True), taught)
    turned = []
    for seen, _, logits in batches.as_numpy_iterator():
        for image, logit in zip(seen[..., 0], logits, strict=True):
            mirrored = image[0, 0] > 0
            number = round(float(image.max()) * 255) - 1
            assert np.array_equal(logit, taught[int(mirrored), number])
            turned.append(mirrored)
    assert 5 < sum(turned) < COUNT - 5


def test_labels_are_smoothed(numbered: Subset) -> None:
    recipe = replace(RECIPE, loss="categorical_crossentropy", label_smoothing=0.1)
    _, labels = drawn(numbered, recipe)[0]
    np.testing.assert_allclose(np.unique(labels), [0.01, 0.91], atol=1e-6)
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)


def test_nothing_is_left_after_the_last_epoch(numbered: Subset) -> None:
    assert drawn(numbered, first_epoch=EPOCHS) == []


def test_labels_stay_with_their_images(numbered: Subset) -> None:
    batches = drawn(numbered)
    labels = np.concatenate([labels for _, labels in batches])
    assert labels.dtype == np.int32
    assert labels.tolist() == [number % 10 for number in order(batches)]


def test_a_loss_over_categories_gets_one_hot_labels(numbered: Subset) -> None:
    batches = drawn(numbered, replace(RECIPE, loss="categorical_crossentropy"))
    labels = np.concatenate([labels for _, labels in batches])
    assert labels.shape == (COUNT * EPOCHS, 10)
    assert labels.dtype == np.float32
    assert np.array_equal(labels, np.eye(10)[np.array(order(batches)) % 10])


def test_labels_are_classes_or_one_hot() -> None:
    labels = np.array([9, 0], np.uint8)
    assert labels_for("sparse_categorical_crossentropy", labels, 10).numpy().tolist() == [9, 0]
    assert labels_for("categorical_crossentropy", labels, 10).numpy().tolist() == np.eye(10)[[9, 0]].tolist()


def test_validation_has_every_image_in_order(numbered: Subset) -> None:
    batches = list(validation_batches(numbered, FASHION_MNIST, CNN, RECIPE).as_numpy_iterator())
    assert order(batches) == list(range(COUNT))
    assert np.concatenate([labels for _, labels in batches]).tolist() == numbered.labels.tolist()


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_images_are_what_the_architecture_prepares(numbered: Subset, architecture: Architecture) -> None:
    recipe = replace(RECIPE, model=architecture.name)
    images, _ = next(validation_batches(numbered, FASHION_MNIST, architecture, recipe).as_numpy_iterator())
    np.testing.assert_allclose(images, architecture.prepare(numbered.images[:BATCH]), atol=1e-6)


def test_only_batches_are_enlarged(numbered: Subset, monkeypatch: pytest.MonkeyPatch) -> None:
    """The training set at 96x96 in color would be 6 GB; the pipeline holds its raw pixels."""
    seen = []

    def expand(images: Any) -> Any:
        seen.append(tuple(images.shape))
        return ARCHITECTURES["mobilenetv2"].expand(images)

    architecture = replace(ARCHITECTURES["mobilenetv2"], expand=expand)
    batches = training_batches(numbered, FASHION_MNIST, architecture, RECIPES["mobilenetv2"])
    assert batches.element_spec[0].shape.as_list() == [None, SIZE, SIZE, 3]
    assert batches.element_spec[1].shape.as_list() == [None, 10]
    assert seen == [(None, 28, 28, 1)]


def test_images_and_labels_are_those_of_the_task() -> None:
    signs = Task("signs", (20, 32, 3), ("stop", "go"), Picture("crop", (255, 255, 255), (0, 0, 0)))
    pixels = np.random.default_rng(0).integers(0, 256, (8, 20, 32, 3), np.uint8)
    subset = Subset(pixels, np.arange(8, dtype=np.uint8) % 2, np.arange(8))
    recipe = replace(RECIPE, flip=True, shift=2, erase=1.0, batch_size=4, loss="categorical_crossentropy")
    for images, labels in training_batches(subset, signs, CNN, recipe).as_numpy_iterator():
        assert images.shape == (4, 20, 32, 3)
        assert labels.shape == (4, 2)


def test_labels_of_more_than_256_classes_are_one_hot_too() -> None:
    labels = np.array([0, 299, 7], np.uint16)
    found = labels_for("categorical_crossentropy", labels, 300).numpy()
    assert found.argmax(axis=1).tolist() == [0, 299, 7]
    assert labels_for("sparse_categorical_crossentropy", labels, 300).numpy().tolist() == [0, 299, 7]


def test_images_in_a_file_give_the_batches_of_those_in_memory(numbered: Subset, tmp_path: Path) -> None:
    images = np.asarray(numbered.images)
    stored = Subset(
        without_name(tmp_path, images.dtype, images.shape[1:], [images]), numbered.labels, numbered.indices
    )
    recipe = replace(RECIPE, flip=True, shift=2, erase=0.5)
    for one, other in zip(drawn(stored, recipe), drawn(numbered, recipe), strict=True):
        assert all(map(np.array_equal, one, other))
    validation = [
        list(validation_batches(subset, FASHION_MNIST, CNN, RECIPE).as_numpy_iterator())
        for subset in (stored, numbered)
    ]
    for one, other in zip(*validation, strict=True):
        assert all(map(np.array_equal, one, other))


def test_no_graph_holds_the_images(numbered: Subset) -> None:
    for batches in (
        training_batches(numbered, FASHION_MNIST, CNN, RECIPE),
        validation_batches(numbered, FASHION_MNIST, CNN, RECIPE),
    ):
        mapped = batches._input_dataset
        captured = mapped._map_func.function.captured_inputs
        assert all(np.prod(each.shape) <= COUNT * 10 for each in captured)
