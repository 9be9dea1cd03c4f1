"""Which differences are larger than their spread."""

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from edgefashion.records.results import Latency, Row
from edgefashion.report.compare import bootstrap
from edgefashion.report.compare.bootstrap import ratio, round_medians


def test_equal_latencies_are_within_the_spread_as_often_as_promised(rows: Any) -> None:
    found = [ratio(rows(100), rows(100)).within_spread for _ in range(100)]
    assert found.count(True) >= 88  # fewer than 1 time in 500 for an interval of 95 %


@pytest.mark.parametrize("recorded", [True, False])
def test_a_difference_well_above_the_spread_is_found(recorded: bool, rows: Any) -> None:
    slow, fast = rows(103), rows(100)
    if not recorded:
        slow, fast = replace(slow, round_samples=()), replace(fast, round_samples=())
    found = ratio(slow, fast)
    assert found.within_spread is False
    assert found.low and found.high and 1 < found.low < found.value < found.high < 1.06
    assert found.value == slow.latency_us.p50 / fast.latency_us.p50


def test_many_samples_of_few_different_rounds_prove_nothing(rows: Any) -> None:
    """Two machines whose speed changes from round to round: single samples would tell them apart."""
    random = np.random.default_rng(3)
    found = []
    for _ in range(2):
        raw = [float(mood) for mood in random.normal(100, 10, 12) for _ in range(40)]
        found.append(rows(100, rounds=12, raw_us=raw, latency_us={"p50": float(np.median(raw))}))
    assert found[0].latency_us != found[1].latency_us
    assert ratio(*found).within_spread is True


def test_the_same_rows_give_the_same_interval(rows: Any) -> None:
    first, second = rows(100), rows(101)
    assert ratio(first, second) == ratio(first, second)


def test_too_little_to_tell(rows: Any) -> None:
    enough = rows(100)
    for few in (
        rows(100, rounds=bootstrap.FEWEST - 1),
        rows(100, raw_us=[100.0] * 50, round_samples=[]),
        rows(100, raw_us=[], round_samples=[]),
        rows(100, round_samples=[40] * 24),  # not those of the samples
    ):
        found = ratio(few, enough)
        assert (found.low, found.high, found.within_spread) == (None, None, None)
        assert found.value == pytest.approx(1, abs=0.02)


def test_rounds_are_medians_of_their_own_samples(rows: Any) -> None:
    raw = [float(number) for number in range(10) for _ in range(number + 1)]
    medians = round_medians(rows(100, raw_us=raw, round_samples=list(range(1, 11))))
    assert medians is not None and medians.tolist() == list(range(10))


def test_neighbors_of_many_rounds_are_taken_together(rows: Any) -> None:
    medians = round_medians(rows(100, rounds=500))
    assert medians is not None and len(medians) == bootstrap.MOST


def test_blocks_take_the_place_of_unknown_rounds(rows: Any) -> None:
    medians = round_medians(rows(100, round_samples=[]))
    assert medians is not None and len(medians) == bootstrap.BLOCKS


def test_no_spread_at_all_is_judged_too(rows: Any) -> None:
    def constant(value: float) -> Row:
        return replace(rows(1), raw_us=[value] * 1000, latency_us=Latency(p50=value))

    assert ratio(constant(2), constant(2)).within_spread is True
    assert ratio(constant(2), constant(2.1)).within_spread is False
