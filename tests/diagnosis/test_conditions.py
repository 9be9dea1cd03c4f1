"""Findings on governor, temperature, throttling, load and memory, of recorded machines."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from edgefashion import device
from edgefashion.device import RecordedMachine
from edgefashion.diagnosis.check import Check
from edgefashion.diagnosis.conditions import findings

Machine = Callable[[str], RecordedMachine]


def look(sources: RecordedMachine, **changes: Any) -> dict[str, Check]:
    """Topic → finding, of a machine whose state after a second has `changes`."""
    state = device.state(sources)
    found = findings(
        [state, replace(state, **{"other_cores": 0.01, **changes})], device.describe(sources), sources
    )
    assert len({finding.topic for finding in found}) == len(found)
    return {finding.topic: finding for finding in found}


def falsifying(found: dict[str, Check]) -> set[str]:
    assert all(finding.level == "problem" for finding in found.values() if finding.falsifies)
    return {finding.topic for finding in found.values() if finding.falsifies}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("pi3", {"throttled"}), ("pi4", set()), ("pi5", set()), ("refusing", {"throttled", "under-voltage"})],
)
def test_recorded_machines(name: str, wrong: set[str], machine: Machine) -> None:
    assert falsifying(look(machine(name))) == wrong


def test_what_happened_since_boot_is_a_note_only(machine: Machine) -> None:
    found = look(machine("pi4"))["throttling"]
    assert (found.level, found.falsifies) == ("note", False)
    assert "under-voltage, throttled" in found.text
    assert "power supply" in (found.mend or "")


def test_a_firmware_that_refuses_names_the_group(machine: Machine) -> None:
    found = look(machine("refusing"))["firmware"]
    assert "VCHI initialization failed" in found.text
    assert "usermod -aG video" in (found.mend or "")


def test_a_raspberry_pi_without_vcgencmd(machine: Machine) -> None:
    sources = machine("pi5")
    state = replace(device.state(sources), throttled=None, throttled_since_boot=None)
    found = findings([state, state], device.describe(sources), sources)
    assert [finding.mend for finding in found if finding.topic == "firmware"] == [
        "sudo apt install raspi-utils"
    ]


@pytest.mark.parametrize(
    ("changes", "topic"),
    [
        ({"temperature_c": 83.0}, "hot"),
        ({"other_cores": 0.7}, "other load"),
        ({"stolen_cores": 0.3}, "other load"),
        ({"memory_available_mb": 40}, "memory"),
        ({"throttled": ["under-voltage"]}, "under-voltage"),
        ({"governor": "powersave"}, "governor"),
    ],
)
def test_what_falsifies_comes_with_what_mends_it(
    changes: dict[str, Any], topic: str, machine: Machine
) -> None:
    found = look(machine("pi5"), **changes)
    assert falsifying(found) == {topic}
    assert found[topic].mend


def test_powersave_of_an_intel_processor_is_no_lowest_clock(machine: Machine, tmp_path: Any) -> None:
    driver = tmp_path / "sys/devices/system/cpu/cpu0/cpufreq/scaling_driver"
    driver.parent.mkdir(parents=True)
    driver.write_text("intel_pstate\n")
    state = device.state(machine("laptop"))
    found = findings([state, state], device.describe(machine("laptop")), RecordedMachine(tmp_path))
    assert [finding.level for finding in found if finding.topic == "governor"] == ["note"]


def test_an_emulated_machine_is_not_fit(machine: Machine) -> None:
    sources = machine("pi4")
    about = replace(device.describe(sources), emulated="qemu-aarch64")
    state = device.state(sources)
    found = {finding.topic: finding for finding in findings([state, state], about, sources)}
    assert falsifying(found) == {"emulated"}


@pytest.mark.parametrize("name", ["missing", "nonsense"])
def test_what_nothing_tells_is_said(name: str, machine: Machine) -> None:
    found = look(machine(name), other_cores=None)
    assert {"governor", "temperature", "other load", "memory"} <= found.keys()
    assert {finding.level for finding in found.values()} == {"note"}
