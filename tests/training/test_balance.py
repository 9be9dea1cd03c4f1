"""Uneven classes: when they are, and what a picture of each counts."""

import numpy as np
import pytest

from edgefashion.stats import balanced_accuracy
from edgefashion.training.balance import class_weights, is_uneven


def test_more_than_three_to_one_is_uneven() -> None:
    assert not is_uneven(np.array([10, 30]))
    assert is_uneven(np.array([10, 31]))


def test_rare_classes_count_for_more_and_all_pictures_for_one_on_average() -> None:
    counts = np.array([10, 30, 40])
    weights = class_weights(counts)
    assert np.allclose(weights * counts, 80 / 3)
    assert (weights * counts).sum() / counts.sum() == pytest.approx(1)


def test_balanced_accuracy_is_the_mean_of_the_recalls() -> None:
    labels, hits = np.array([0, 0, 0, 0, 2]), np.array([1, 1, 1, 0, 0])
    assert balanced_accuracy(hits, labels) == pytest.approx((0.75 + 0) / 2)
