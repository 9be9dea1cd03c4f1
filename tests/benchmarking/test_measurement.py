"""Figures made from samples."""

from edgefashion.benchmarking import P99_SAMPLES, summary
from edgefashion.records.results import Latency


def test_p99_needs_a_thousand_samples() -> None:
    assert summary([1.0] * (P99_SAMPLES - 1)).p99 is None
    full = summary([float(value) for value in range(1, P99_SAMPLES + 1)])
    assert full == Latency(p50=500.5, p90=900.1, p99=990.01, mean=500.5, samples=1000)


def test_no_sample_is_clipped() -> None:
    assert summary([1.0] * 9 + [1_000_000.0]).mean == 100_000.9


def test_no_samples_no_figures() -> None:
    assert summary([]) == Latency()
