"""What the machine can do, beside what models do."""

import pytest

from edgefashion.benchmarking import BenchmarkOptions, Comparable, Measurement, Rooflines, measure
from edgefashion.benchmarking.roofline import matrix_product


def test_each_kind_is_measured_once_and_foreign_formats_have_none() -> None:
    one, two = (Comparable("onnx", integer=True, threads=threads) for threads in (1, 2))
    foreign = Comparable("fake", integer=False, threads=1)
    limits = Rooflines([one, one, two, foreign])
    assert [(job.path, job.threads) for job in limits.jobs] == [
        (matrix_product("onnx", integer=True).path, threads) for threads in (1, 2)
    ]
    good, failed = (Measurement(job) for job in limits.jobs)
    good.add([1000.0, 2000.0, 3000.0])
    limits.take([good, failed])
    macs = matrix_product("onnx", integer=True).macs
    assert limits.macs_per_s(one) == pytest.approx(macs / 2e-3)
    failed.add([0.0])  # by a clock that is too coarse
    limits.take([good, failed])
    assert limits.macs_per_s(two) is None
    assert limits.macs_per_s(foreign) is None


def test_it_takes_no_longer_than_needed() -> None:
    protocol = BenchmarkOptions(
        rounds=3, samples=100_000, seconds=0.03, warm_up_seconds=0, sustained_minutes=60
    )
    [row] = measure(Rooflines([Comparable("tflite", False, 1)]).jobs, protocol).rows
    assert len(row.round_samples) == 3 and not row.error
    assert row.sustained is None and row.peak_rss_mb is None
