"""What makes a measurement untrustworthy."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from edgefashion import device
from edgefashion.device import RecordedMachine
from edgefashion.device.trust import judge
from edgefashion.records.device import Device, State
from edgefashion.records.results import Flag

GOOD: dict[str, Any] = {
    "mhz": 1500.4,
    "mhz_from": "vcgencmd",
    "governor": "ondemand",
    "temperature_c": 50.0,
    "temperature_from": "vcgencmd",
    "throttled": (),
    "throttled_since_boot": (),
    "watts": None,
    "load": 1.0,
    "other_cores": 0.02,
    "stolen_cores": 0.0,
    "memory_available_mb": 3000,
    "swap_used_mb": 0,
}


def states(
    during: dict[str, Any] | None = None, last: dict[str, Any] | None = None, **everywhere: Any
) -> list[State]:
    """Before, three during, after; the second during has `during`, and the one after has `last`."""
    changes: list[dict[str, Any]] = [{}, {}, during or {}, {}, last or {}]
    return [State(**{**GOOD, **everywhere, **each}) for each in changes]


def test_a_good_run_has_no_flags() -> None:
    assert judge(states()) == []


def test_what_the_firmware_remembers_from_before_does_not_count() -> None:
    assert judge(states(throttled_since_boot=["under-voltage", "throttled"])) == []


@pytest.mark.parametrize(
    ("during", "flag", "figures"),
    [
        ({"throttled": ["throttled"]}, "throttled", ["throttled: seen in 1 of 5 looks"]),
        ({"throttled": ["frequency capped"]}, "throttled", ["frequency capped"]),
        ({"throttled": ["soft temperature limit"]}, "throttled", ["soft temperature limit"]),
        ({"throttled": ["under-voltage"]}, "under-voltage", ["seen in 1 of 5 looks"]),
        ({"mhz": 1200.0}, "clock changed", ["between 1,200 and 1,500 MHz"]),
        ({"temperature_c": 81.0}, "hot", ["81 °C", "80 °C"]),
        ({"other_cores": 1.5}, "other load", ["0.39 cores on average", "up to 1.50"]),
        ({"stolen_cores": 0.6}, "other load", ["0.15 of its cores"]),
        ({"swap_used_mb": 90}, "swapping", ["90 MiB"]),
    ],
)
def test_one_fault_is_one_flag(during: dict[str, Any], flag: str, figures: list[str]) -> None:
    (found,) = judge(states(during))
    assert found.flag == flag
    assert all(figure in found.why for figure in figures)


def test_under_voltage_and_throttling_are_two_flags() -> None:
    found = judge(states({"throttled": ["under-voltage", "frequency capped", "throttled"]}))
    assert [flag.flag for flag in found] == ["under-voltage", "throttled"]


def test_what_happened_between_two_looks_is_seen_in_the_firmwares_memory() -> None:
    (found,) = judge(states(last={"throttled_since_boot": ("under-voltage",)}))
    assert found.flag == "under-voltage"
    assert "between two looks" in found.why


def test_a_laptop_that_was_slowed_down_for_its_heat() -> None:
    (found,) = judge(states(throttle_count=18, last={"throttle_count": 25}))
    assert found == Flag(flag="throttled", why="its counters of thermal throttling grew by 7")
    assert judge(states(throttle_count=18)) == []


def test_an_idle_clock_before_and_after_is_normal() -> None:
    before, *during, after = states()
    assert judge([replace(before, mhz=600.0), *during, replace(after, mhz=600.0)]) == []


def test_an_intel_processor_may_be_warmer_than_a_raspberry_pi() -> None:
    laptop = {"throttled": None, "throttled_since_boot": None}
    assert judge(states(temperature_c=85.0, **laptop)) == []
    assert [flag.flag for flag in judge(states(temperature_c=97.0, **laptop))] == ["hot"]


def test_an_emulated_machine_is_flagged() -> None:
    (found,) = judge(states(other_cores=2.0), Device(emulated="qemu-aarch64"))
    assert found.flag == "emulated"
    assert "qemu-aarch64" in found.why
    assert judge(states(), Device()) == []


def test_a_machine_that_tells_nothing_has_no_flags(machine: Callable[[str], RecordedMachine]) -> None:
    assert judge([device.state(machine("missing"))] * 3) == []
    assert judge([]) == []


def test_a_recorded_pi_3_that_is_too_warm(machine: Callable[[str], RecordedMachine]) -> None:
    found = judge([device.state(machine("pi3"))] * 3)
    assert [flag.flag for flag in found] == ["throttled"]
    assert "soft temperature limit" in found[0].why
