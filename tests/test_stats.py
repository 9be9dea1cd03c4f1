"""Intervals and tests against published or exactly computed values."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from edgefashion.stats import (
    as_rarely_exceeded,
    early_stopping_bound,
    mcnemar_exact,
    mean_interval,
    paired,
    paired_balanced,
    percentile,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_published_intervals(correct: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(correct, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_stays_inside_0_and_1_and_is_symmetric() -> None:
    assert wilson_interval(0, 10)[0] == 0
    assert wilson_interval(10, 10)[1] == 1
    low, high = wilson_interval(9000, 10_000)
    assert (1 - high, 1 - low) == pytest.approx(wilson_interval(1000, 10_000))
    assert low < 0.9 < high


def test_more_confidence_is_a_wider_interval() -> None:
    low, high = wilson_interval(90, 100, confidence=0.99)
    assert low < wilson_interval(90, 100)[0] and wilson_interval(90, 100)[1] < high


@pytest.mark.parametrize(("correct", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_what_is_no_proportion(correct: int, n: int) -> None:
    with pytest.raises(ValueError, match="not a proportion"):
        wilson_interval(correct, n)


@pytest.mark.parametrize(("b", "c"), [(0, 1), (3, 3), (1, 9), (10, 25), (25, 10), (37, 61)])
def test_mcnemar_is_the_exact_binomial(b: int, c: int) -> None:
    tail = sum(Fraction(comb(b + c, k), 2 ** (b + c)) for k in range(min(b, c) + 1))
    assert mcnemar_exact(b, c) == pytest.approx(float(min(1, 2 * tail)), rel=1e-12)


def test_mcnemar_without_a_difference_is_certain_of_nothing() -> None:
    assert mcnemar_exact(0, 0) == 1
    assert mcnemar_exact(500, 500) == 1


def test_mcnemar_survives_big_counts() -> None:
    assert mcnemar_exact(0, 10_000) == 0.0  # 2 / 2**10000 is below what a float can hold
    assert 0.04 < mcnemar_exact(4900, 5100) < 0.05  # the normal approximation gives 0.0466


def test_mcnemar_refuses_negative_counts() -> None:
    with pytest.raises(ValueError, match="negative"):
        mcnemar_exact(-1, 3)


def test_percentiles_are_interpolated() -> None:
    assert percentile([1, 2, 3, 4], 50) == 2.5
    assert percentile([5], 99) == 5


def test_the_early_stopping_bound_is_an_order_statistic() -> None:
    samples = [float(value) for value in range(1, 1001)]
    bound = early_stopping_bound(samples[::-1], 90, 0.99)
    assert bound is not None
    below = sum(comb(1000, i) * 0.9**i * 0.1 ** (1000 - i) for i in range(int(bound)))
    assert below >= 0.99 > below - comb(1000, int(bound) - 1) * 0.9 ** (bound - 1) * 0.1 ** (1001 - bound)
    assert 900 < bound < 930


def test_the_bound_needs_samples() -> None:
    assert early_stopping_bound([1.0] * 43, 90, 0.99) is None  # 0.9^43 > 0.01
    assert early_stopping_bound([1.0] * 44, 90, 0.99) == 1.0
    assert early_stopping_bound([], 90, 0.99) is None


def test_paired_answers_are_counted_where_one_model_only_is_right() -> None:
    right, other = np.array([1, 1, 1, 0, 0, 1], bool), np.array([0, 0, 0, 1, 0, 1], bool)
    assert paired(right, other) == paired(other, right) == mcnemar_exact(3, 1)
    assert paired(right, right) == 1


# Classes of different sizes


def test_the_interval_of_one_proportion_is_wilson_s_and_that_of_several_lies_within_0_and_1() -> None:
    assert mean_interval([(3, 15)]) == pytest.approx(wilson_interval(3, 15))
    assert mean_interval([(5, 5), (9, 9)])[1] == 1
    assert mean_interval([(0, 5), (0, 9)])[0] == 0
    with pytest.raises(ValueError, match="of no proportion"):
        mean_interval([])


@pytest.mark.parametrize("sizes", [(8, 40), (5, 5, 100), (15, 15)])
def test_about_19_of_20_intervals_of_a_mean_have_it_within(sizes: tuple[int, ...]) -> None:
    random, shares = np.random.default_rng(0), (0.95, 0.7, 0.85)[: len(sizes)]
    mean, drawn = np.mean(shares), random.binomial(sizes, shares, (1000, len(sizes))).tolist()
    intervals = [mean_interval(list(zip(right, sizes, strict=True))) for right in drawn]
    assert 0.93 < np.mean([low <= mean <= high for low, high in intervals]) < 0.99


def test_of_classes_of_one_size_it_is_mcnemar_s() -> None:
    right, other = np.array([1, 1, 1, 0, 0, 1], bool), np.array([0, 0, 0, 1, 0, 1], bool)
    assert paired_balanced(right, other, np.array([0, 1, 2, 0, 1, 2])) == paired(right, other)


def test_a_class_of_few_images_weighs_as_much_as_one_of_many() -> None:
    labels = np.repeat([0, 1], [200, 10])
    right, other = np.ones(210, bool), np.ones(210, bool)
    other[:8] = False
    assert paired_balanced(right, other, labels) == pytest.approx(paired(right, other), abs=0.003)
    right[200:204] = False  # 8 of 200 won, 4 of 10 lost
    assert paired(right, other) > 0.3 and paired_balanced(right, other, labels) > 0.05
    right[204:208] = False
    assert paired_balanced(right, other, labels) < 0.02 < paired(right, other)
    assert paired_balanced(right, right, labels) == 1


def test_what_chance_exceeds_as_rarely_on_fewer() -> None:
    assert as_rarely_exceeded(50, 1000, 1000) == 50
    fewer = [as_rarely_exceeded(50, 1000, n) for n in (500, 100, 50, 15)]
    assert fewer == [28, 9, 5, 3]
    assert as_rarely_exceeded(0, 1000, 10) == 0
