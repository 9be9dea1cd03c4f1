"""One step of learning: schedules, decay of weights, and their moving average."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgefashion.recipes import NAMED_RECIPES, Recipe
from edgefashion.tensorflow import keras, tf
from edgefashion.training.optimizers import learning_rate
from edgefashion.training.trainer import Learner, kept_arrays

RECIPE = replace(NAMED_RECIPES["cnn-64k"], ema=0.0, label_smoothing=0.0)


def tiny() -> keras.Model:
    layers = [
        keras.layers.Input((28, 28, 1)),
        keras.layers.Flatten(),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(10),
    ]
    return keras.Sequential(layers)


def learner(recipe: Recipe, steps: int = 10) -> Learner:
    keras.utils.set_random_seed(0)
    return Learner(recipe, steps, tiny, tiny())


def batches(*taught: Any) -> Any:
    generator = np.random.default_rng(0)
    images = generator.normal(size=(8, 28, 28, 1)).astype(np.float32)
    labels = np.eye(10, dtype=np.float32)[np.arange(8)]
    return iter(tf.data.Dataset.from_tensors((images, labels, *taught)).repeat())


def rates(recipe: Recipe, steps: int) -> list[float]:
    schedule = learning_rate(recipe, steps)
    return [float(schedule(step)) for step in range(steps + 1)]


def test_one_cycle_rises_and_falls_to_zero() -> None:
    found = rates(replace(RECIPE, learning_rate=0.1, warm_up=0.2), 100)
    assert found[0] == 0
    assert found[10] == pytest.approx(0.05)
    assert found[20] == pytest.approx(0.1) == max(found)
    assert found[60] == pytest.approx(0.05)
    assert found[100] == pytest.approx(0, abs=1e-8)


def test_without_a_warm_up_one_cycle_is_a_cosine() -> None:
    assert rates(replace(RECIPE, warm_up=0.0), 9) == rates(replace(RECIPE, warm_up=0.0, schedule="cosine"), 9)
    assert learning_rate(replace(RECIPE, schedule="constant", warm_up=0.0), 9) == 0.1


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_only_kernels_decay_and_by_no_more_than_asked_for(optimizer: Any) -> None:
    recipe = replace(RECIPE, optimizer=optimizer, schedule="constant", warm_up=0.0, learning_rate=0.01)
    one, other = learner(replace(recipe, weight_decay=0.0)), learner(replace(recipe, weight_decay=0.5))
    before = one.model.get_weights()[-2]
    for each in (one, other):
        each.step(batches())
    *vectors, kernel, bias = one.model.get_weights()
    *decayed_vectors, decayed, decayed_bias = other.model.get_weights()
    for mine, expected in zip([*decayed_vectors, decayed_bias], [*vectors, bias], strict=True):
        np.testing.assert_allclose(mine, expected, atol=1e-7)
    np.testing.assert_allclose(kernel - decayed, 0.01 * 0.5 * before, atol=1e-6)


def test_the_average_follows_weights_and_statistics() -> None:
    made = learner(replace(RECIPE, ema=0.5, schedule="constant", warm_up=0.0))
    means, feed = made.model.get_weights(), batches()
    for number in range(1, 9):
        made.step(feed)
        decay = min(0.5, (1 + number) / (10 + number))
        means = [
            decay * mean + (1 - decay) * now
            for mean, now in zip(means, made.model.get_weights(), strict=True)
        ]
    for mine, expected in zip(made.kept.get_weights(), means, strict=True):
        np.testing.assert_allclose(mine, expected, atol=1e-5)
    assert np.abs(means[-2] - made.model.get_weights()[-2]).max() > 1e-3
    assert np.abs(means[2] - made.model.get_weights()[2]).max() > 1e-5


def test_what_is_validated_is_the_average() -> None:
    made = learner(replace(RECIPE, ema=0.9))
    made.kept.layers[-1].set_weights([np.zeros((784, 10)), np.eye(10)[7]])
    images, labels = next(batches())
    assert made.validate([(images, labels)])["val_accuracy"] == 1 / 8
    arrays = made.arrays()
    for name, array in kept_arrays(made.kept).items():
        np.testing.assert_array_equal(arrays[name], array)


def test_a_restored_learner_goes_on_as_the_other_does() -> None:
    recipe = replace(RECIPE, ema=0.9)
    one, feed = learner(recipe), batches()
    for _ in range(3):
        one.step(feed)
    other = learner(recipe)
    other.restore(one.arrays())
    for each in (one, other):
        each.step(feed)
    for name, array in one.arrays().items():
        np.testing.assert_allclose(other.arrays()[name], array, atol=1e-6, err_msg=name)
    assert one.metrics() == pytest.approx(other.metrics())


def test_what_is_of_another_model_is_not_restored() -> None:
    made = learner(RECIPE)
    with pytest.raises(ValueError, match="not the variables"):
        made.restore({})


def test_a_rare_class_counts_for_more_where_it_is_balanced() -> None:
    """Of one image of class 0 and seven of others, the gradient of the first is as large as of all others."""
    counts = np.array([1, 7])
    made = Learner(replace(RECIPE, balance=True), 10, tiny, tiny(), counts=counts)
    soft = np.array([[1.0, 0], [0, 1], [0.5, 0.5]], np.float32)
    assert np.allclose(made._weights_of(soft), [4, 4 / 7, (4 + 4 / 7) / 2])
    assert np.allclose(made._weights_of(tf.constant([1, 0])), [4 / 7, 4])
    assert Learner(RECIPE, 10, tiny, tiny(), counts=counts)._weights_of(soft) is None


def test_balanced_accuracy_is_validated_where_classes_are_uneven() -> None:
    images = np.zeros((4, 28, 28, 1), np.float32)
    labels = np.eye(10, dtype=np.float32)[[0, 0, 0, 1]]
    for counts, names in (([30, 10], {"val_loss", "val_accuracy"}), ([31, 10], {"val_balanced_accuracy"})):
        found = Learner(RECIPE, 10, tiny, tiny(), counts=np.array(counts)).validate([(images, labels)])
        assert names <= found.keys()
        assert ("val_balanced_accuracy" in found) == (len(names) == 1)
    assert found["val_balanced_accuracy"] in (0.0, 0.5)
