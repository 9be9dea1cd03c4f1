"""Flags: each for its reason, and none where there is none."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from edgefashion.benchmarking import Job, Measurement, Watch, flags
from edgefashion.device import RecordedMachine
from edgefashion.errors import RuntimeCrash
from edgefashion.records.device import Device

MACHINES = Path(__file__).parents[1] / "files/machines"


def row(*medians: float, samples: int = 100) -> Measurement:
    """One whose rounds have these medians."""
    measured = Measurement(Job(Path("a.tflite"), 1))
    for median in medians:
        measured.add([median] * samples)
    return measured


def found(measured: Measurement, machine: str = "missing") -> dict[str, str]:
    watch = Watch(RecordedMachine(MACHINES / machine))
    watch.finish()
    return {flag.flag: flag.why for flag in flags(measured, watch, Device())}


def test_a_steady_row_has_none() -> None:
    assert found(row(*[30.0, 30.5] * 12)) == {}


def test_an_outlying_round_is_no_spread_and_many_are() -> None:
    assert found(row(*[30.0] * 11, 90.0, *[30.0] * 13)) == {}
    why = found(row(*[30.0, 30.0, 40.0, 40.0] * 6))["spread"]
    assert why == "p50 differs by 29 % between rounds: measure on an idle machine"


def test_halves_that_disagree() -> None:
    assert found(row(*[100.0] * 12, *[104.0] * 12)) == {}
    measured = found(row(*[100.0] * 12, *[106.0] * 12))
    assert measured == {"drift": "p50 100.0 µs in the first half of the run and 106.0 in the second"}
    assert "drift" in found(row(*[106.0] * 12, *[100.0] * 12))


def test_few_samples() -> None:
    assert found(row(1.0, samples=49)) == {"too few samples": "49, at least 50 needed: seconds gives more"}
    assert found(row(1.0, samples=50)) == {}


def test_the_machine_is_judged_too() -> None:
    measured = row(*[30.0] * 25)
    watch = Watch(RecordedMachine(MACHINES / "pi4"))
    watch.finish()
    weak = replace(watch.before, throttled=("under-voltage",))
    measured.states = [weak]
    assert [flag.flag for flag in flags(measured, watch, Device())] == ["under-voltage"]


def test_an_interruption_is_all_there_is_to_say() -> None:
    measured = row(30.0, samples=2)
    measured.interrupted = True
    assert list(found(measured)) == ["interrupted"]


@pytest.mark.parametrize("error", [None, RuntimeCrash("died")])
def test_a_row_without_figures_has_none(error: RuntimeCrash | None) -> None:
    measured = Measurement(Job(Path("a.tflite"), 1), error=error)
    assert found(measured) == {}
