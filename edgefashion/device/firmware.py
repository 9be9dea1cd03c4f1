"""What the firmware of a Raspberry Pi reports by `vcgencmd`; None where it is missing or gives no figure.

For a command it does not know the firmware prints `error=1 ...`, and vcgencmd still ends with 0.
"""

import re

from edgefashion.device.machine import Machine

THROTTLED = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}
"""Bits of `get_throttled`: true now; 16 higher, true at some time since the board was started."""
_SINCE_BOOT = 16
_SYSFS = "sys/devices/platform/soc*/*firmware/get_throttled"


def clock_mhz(sources: Machine) -> float | None:
    """What the cores' clock really is, in MHz; the kernel only knows what it has asked for."""
    found = re.search(r"^frequency\(\d+\)=(\d+)\s*$", _ask(sources, "measure_clock", "arm"))
    return round(int(found[1]) / 1e6, 1) if found and int(found[1]) else None


def temperature_c(sources: Machine) -> float | None:
    """The processor's temperature in °C."""
    found = re.search(r"^temp=(-?\d+(\.\d+)?)'C", _ask(sources, "measure_temp"))
    return float(found[1]) if found else None


def throttled(sources: Machine) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """What holds the processor back now, and what has since the board was started: names of THROTTLED."""
    # The kernel's own file comes second: reading it takes the firmware's memory of past events away.
    found = re.search(r"^throttled=0x([0-9a-f]+)\s*$", _ask(sources, "get_throttled"))
    if not found:
        files = sources.find(_SYSFS)
        found = re.search(r"^(?:0x)?([0-9a-f]+)\s*$", (files and sources.text(files[0])) or "")
    if not found:
        return None
    bits = int(found[1], 16)
    return _names(bits), _names(bits >> _SINCE_BOOT)


def watts(sources: Machine) -> float | None:
    """Power of a Raspberry Pi 5 in watts: volts times amperes, summed over the rails that have both.

    It is what the board's own regulators give to the whole board; the loss in them is not in it.
    """
    found = re.findall(
        r"^\s*(\w+)_([AV]) \w+\(\d+\)=(\d+\.\d+)[AV]\s*$", _ask(sources, "pmic_read_adc"), re.M
    )
    readings = {(rail, unit): float(value) for rail, unit, value in found}
    rails = [rail for rail, unit in readings if unit == "A" and (rail, "V") in readings]
    return round(sum(readings[rail, "A"] * readings[rail, "V"] for rail in rails), 4) if rails else None


def _ask(sources: Machine, *command: str) -> str:
    return sources.run("vcgencmd", *command) or ""


def _names(bits: int) -> tuple[str, ...]:
    return tuple(name for bit, name in THROTTLED.items() if bits >> bit & 1)
