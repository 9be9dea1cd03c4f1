"""Latency over minutes, and energy, with a fake and a recorded Raspberry Pi 5."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgefashion.benchmarking import BenchmarkOptions, Job, measure
from edgefashion.device import RecordedMachine, state

PI5 = Path(__file__).parents[1] / "files/machines/pi5"
QUICK = BenchmarkOptions(rounds=2, samples=6, seconds=0, warm_up_seconds=0)


def test_points_have_latency_temperature_and_clock(fake: Callable[..., Path]) -> None:
    protocol = replace(QUICK, sustained_minutes=0.01)
    [row] = measure([Job(fake(delay_us=1000), 1)], protocol, sources=RecordedMachine(PI5)).rows
    assert row.sustained
    assert all(point.p50_us > 1000 and point.mhz and point.temperature_c for point in row.sustained)
    assert row.sustained[-1].at_s >= 0.6
    times = [point.at_s for point in row.sustained]
    assert times == sorted(times)
    assert len(row.raw_us) == 6  # those are of the rounds alone


def test_a_crash_under_sustained_load_is_a_failed_row(fake: Callable[..., Path]) -> None:
    protocol = replace(QUICK, sustained_minutes=0.01)
    path = fake(infer="SIGBUS", after=60, delay_us=1000)
    [row] = measure([Job(path, 1)], protocol).rows
    assert "SIGBUS" in str(row.error)
    assert row.sustained is None


def test_energy_is_power_times_time(fake: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgefashion.benchmarking.energy.SECONDS", 0.2)
    [row] = measure([Job(fake(delay_us=2000), 1)], QUICK, sources=RecordedMachine(PI5)).rows
    watts = state(RecordedMachine(PI5)).watts
    assert row.energy_mj and watts * 2 < row.energy_mj < watts * 20  # of 2 ms and a little more
    [row] = measure([Job(fake(), 1)], QUICK, sources=RecordedMachine(PI5.with_name("pi4"))).rows
    assert row.energy_mj is None
