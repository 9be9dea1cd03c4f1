"""The state of recorded machines, and of this one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edgefashion import device
from edgefashion.device import RecordedMachine
from edgefashion.records.device import State

Machine = Callable[[str], RecordedMachine]


def test_a_pi_3(machine: Machine) -> None:
    assert device.state(machine("pi3")).to_dict() == {
        "mhz": 1200.0,
        "mhz_from": "vcgencmd",  # cpufreq says the 1400 it has asked for
        "governor": "ondemand",
        "temperature_c": 63.4,
        "temperature_from": "vcgencmd",
        "throttled": ["soft temperature limit"],
        "throttled_since_boot": ["soft temperature limit"],
        "throttle_count": None,
        "watts": None,
        "load": 1.04,
        "other_cores": None,
        "stolen_cores": None,
        "quota_stops": None,
        "memory_available_mb": 576,
        "swap_used_mb": 12,
    }


def test_a_pi_4(machine: Machine) -> None:
    found = device.state(machine("pi4"))
    assert (found.mhz, found.temperature_c) == (1500.4, 47.2)
    assert (found.throttled, found.throttled_since_boot) == ((), ("under-voltage", "throttled"))
    assert found.watts is None  # it prints an error, and ends with 0


def test_a_pi_5(machine: Machine) -> None:
    found = device.state(machine("pi5"))
    assert (found.mhz, found.throttled, found.throttled_since_boot) == (2400.0, (), ())
    core, others = 1.94432 * 0.8849834, 1.1
    assert core + 0.9 < found.watts < core + others  # twelve rails; the two without amperes do not count


def test_a_laptop(machine: Machine) -> None:
    found = device.state(machine("laptop"))
    assert (found.mhz, found.mhz_from, found.governor) == (3911.2, "cpufreq", "powersave")
    assert (found.temperature_c, found.temperature_from) == (51.0, "x86_pkg_temp")
    assert (found.throttled, found.throttled_since_boot) == (None, None)
    assert found.throttle_count == 18


def test_a_firmware_that_refuses_leaves_what_the_kernel_knows(machine: Machine) -> None:
    sources = machine("refusing")
    found = device.state(sources)
    assert (found.mhz, found.mhz_from) == (600.0, "cpufreq")
    assert (found.temperature_c, found.temperature_from) == (61.34, "cpu-thermal")
    assert found.throttled == ("under-voltage", "throttled")
    assert found.throttled_since_boot == ("under-voltage", "throttled")
    assert sources.refusals == {"vcgencmd": "VCHI initialization failed"}


@pytest.mark.parametrize("name", ["missing", "nonsense"])
def test_a_state_that_cannot_be_read_is_none(name: str, machine: Machine) -> None:
    assert set(device.state(machine(name)).to_dict().values()) == {None}


@pytest.mark.parametrize(
    ("output", "watts"),
    [
        (" 3V3_SYS_A current(1)=0.50000000A\n 3V3_SYS_V volt(9)=3.00000000V\n", 1.5),
        (" 3V3_SYS_V volt(9)=3.0V\n 3V3_SYS_A current(1)=0.5A\n EXT5V_V volt(24)=5.1V\n", 1.5),
        (" 3V3_SYS_A current(1)=0.5A\n", None),
        ("", None),
    ],
)
def test_rails_are_paired_by_name(output: str, watts: float | None, tmp_path: Path) -> None:
    (tmp_path / "commands").mkdir()
    (tmp_path / "commands/vcgencmd pmic_read_adc").write_text(output)
    assert device.state(RecordedMachine(tmp_path)).watts == watts


def test_memory_is_short_below_a_quarter_of_it(machine: Machine, tmp_path: Path) -> None:
    assert not device.memory_is_short(machine("pi3"))
    assert not device.memory_is_short(machine("missing"))
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 930048 kB\nMemAvailable: 230112 kB\n")
    assert device.memory_is_short(RecordedMachine(tmp_path))


def test_energy_is_mean_power_times_time() -> None:
    states = [State(watts=3.0), State(), State(watts=5.0)]
    assert device.millijoules(states, 0.0005) == pytest.approx(2)
    assert device.millijoules([State()], 1) is None
    assert device.millijoules([], 1) is None


def test_this_machine_is_json() -> None:
    meter = device.LoadMeter()
    assert json.loads(json.dumps(device.state(meter=meter).to_dict()))["memory_available_mb"] > 0
