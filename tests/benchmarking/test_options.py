"""The protocol says what it is."""

import json
from typing import Any

import pytest

from edgefashion.benchmarking import BenchmarkOptions, full
from edgefashion.errors import BadInput


def test_the_defaults_are_named_with_where_they_are_from() -> None:
    described = json.loads(json.dumps(BenchmarkOptions().describe()))
    numbers = ("seconds", "samples", "rounds", "at_most", "warm_up_seconds", "shuffled")
    assert all(described["drawn_from"][name] and described[name] for name in numbers)
    assert "benchmark_model" in described["drawn_from"]["seconds"]
    assert "each file in a process of its own; 0.5 s of warm-up; 25 shuffled rounds" in described["summary"]


def test_only_what_is_as_elsewhere_is_said_to_be() -> None:
    assert "has 1 s (as benchmark_model) and" in BenchmarkOptions().describe()["summary"]
    assert "has 0.1 s and" in BenchmarkOptions().lasting(0.1).describe()["summary"]


def test_full_is_single_stream() -> None:
    protocol = full(pin=(2, 3), in_process=True)
    assert (protocol.seconds, protocol.samples) == (600, 24_576)
    described = protocol.describe()
    assert "MLPerf" in described["drawn_from"]["seconds"]
    assert "MLPerf" in described["summary"]
    assert "all in this process, pinned to CPU 2,3" in described["summary"]


def test_blocks_share_the_time_and_the_samples() -> None:
    assert (
        BenchmarkOptions().block_seconds,
        BenchmarkOptions().block_samples,
        BenchmarkOptions().expected_rounds,
    ) == (0.04, 40, 25)
    assert (full().block_seconds, full().expected_rounds) == (1.0, 600)
    assert BenchmarkOptions(seconds=0).expected_rounds == 25


def test_a_shorter_measurement_warms_up_and_looks_less() -> None:
    short, long = BenchmarkOptions().lasting(0.1), BenchmarkOptions().lasting(300)
    assert (short.seconds, short.warm_up_seconds, short.looks) == (0.1, 0.1, 1)
    assert (long.seconds, long.at_most, long.warm_up_seconds, long.looks) == (300, 600, 0.5, 4)


def test_the_time_of_a_row_leaves_a_fifth_for_its_first_answer() -> None:
    assert [BenchmarkOptions().within(seconds).timeout for seconds in (5, 30, 150, 600)] == [5, 30, 30, 120]
    assert (
        "or has taken 600 s itself, starting and loading included"
        in BenchmarkOptions().within(600).describe()["summary"]
    )


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"seconds": float("nan")}, {"at_most": float("inf")}])
def test_numbers_that_nothing_can_be_measured_by_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=f"{next(iter(wrong))} must be . or more, and finite"):
        BenchmarkOptions(**wrong)
