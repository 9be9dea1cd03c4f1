"""The state of the machine that changes from minute to minute, and latency with it."""

from typing import TYPE_CHECKING

from edgefashion.device import container, firmware
from edgefashion.device.load import LoadMeter
from edgefashion.device.machine import SYSTEM, Machine
from edgefashion.device.parsing import field, number

if TYPE_CHECKING:
    from edgefashion.records.device import State

_CPUFREQ = "sys/devices/system/cpu/cpu*/cpufreq"
_THERMAL = "sys/class/thermal/thermal_zone*"
_PROCESSOR_ZONES = ("cpu-thermal", "cpu_thermal", "x86_pkg_temp", "soc-thermal", "soc_thermal", "TCPU")
_THROTTLE_COUNTS = "sys/devices/system/cpu/cpu*/thermal_throttle/*_throttle_count"
_COLD_C, _MELTED_C = -40, 150
SHORT = 0.25
"""Below this share of its memory a system soon swaps, or drops the files that it runs from."""


def state(sources: Machine = SYSTEM, meter: LoadMeter | None = None) -> "State":
    """The machine's state now; what cannot be found out is None. Takes some milliseconds.

    `other_cores` and `stolen_cores` are since the last call of the `meter`, None without one.
    """
    from edgefashion.records.device import State

    mhz, mhz_from = _clock(sources)  # first: all that follows takes time, in which an idle clock falls
    temperature, temperature_from = _temperature(sources)
    now, since_boot = firmware.throttled(sources) or (None, None)
    used = meter.read() if meter else None
    return State(
        mhz=mhz,
        mhz_from=mhz_from,
        governor=_governor(sources),
        temperature_c=temperature,
        temperature_from=temperature_from,
        throttled=now,
        throttled_since_boot=since_boot,
        throttle_count=_throttle_count(sources),
        watts=firmware.watts(sources),
        load=number(sources.text("proc/loadavg")),
        other_cores=used.other_cores if used else None,
        stolen_cores=used.stolen_cores if used else None,
        quota_stops=container.quota_stops(sources),
        memory_available_mb=memory_available_mb(sources),
        swap_used_mb=_swap_used(sources.text("proc/meminfo")),
    )


def memory_available_mb(sources: Machine = SYSTEM) -> int | None:
    """MiB that can be had without swapping, a container's limit included; None where nothing tells."""
    free, limited = _mb(sources.text("proc/meminfo"), "MemAvailable"), container.memory(sources)
    known = [free, limited.available >> 20 if limited else None]
    return min((each for each in known if each is not None), default=None)


def memory_is_short(sources: Machine = SYSTEM) -> bool:
    """Whether less than a quarter of the memory is available; False where the system does not tell."""
    memory, limited = sources.text("proc/meminfo"), container.memory(sources)
    total, available = _mb(memory, "MemTotal"), _mb(memory, "MemAvailable")
    if limited and limited.available < SHORT * limited.limit:
        return True
    return total is not None and available is not None and available < SHORT * total


def _clock(sources: Machine) -> tuple[float | None, str | None]:
    measured = firmware.clock_mhz(sources)
    if measured is not None:
        return measured, "vcgencmd"
    asked = [number(sources.text(f"{core}/scaling_cur_freq"), 1e-3) for core in sources.find(_CPUFREQ)]
    known = [mhz for mhz in asked if mhz]
    return (max(known), "cpufreq") if known else (None, None)


def _governor(sources: Machine) -> str | None:
    """The governors of all cores: nearly always one."""
    found = [sources.text(f"{core}/scaling_governor") for core in sources.find(_CPUFREQ)]
    names = dict.fromkeys(name.strip() for name in found if name and name.strip().isidentifier())
    return ", ".join(names) or None


def _temperature(sources: Machine) -> tuple[float | None, str | None]:
    """The processor's: of the firmware, of a sensor called like one, or of the first sensor."""
    measured = firmware.temperature_c(sources)
    if measured is not None:
        return measured, "vcgencmd"
    zones: dict[str, float] = {}
    for zone in sources.find(_THERMAL):
        degrees = number(sources.text(f"{zone}/temp"), 1e-3, _COLD_C, _MELTED_C)
        if degrees is not None:
            zones.setdefault((sources.text(f"{zone}/type") or "").strip() or "unnamed sensor", degrees)
    named = [name for name in _PROCESSOR_ZONES if name in zones] or list(zones)
    return (zones[named[0]], named[0]) if named else (None, None)


def _throttle_count(sources: Machine) -> int | None:
    counts = [number(sources.text(path)) for path in sources.find(_THROTTLE_COUNTS)]
    known = [int(count) for count in counts if count is not None]
    return sum(known) if known else None


def _mb(memory: str | None, name: str) -> int | None:
    kilobytes = number(field(memory, name))
    return None if kilobytes is None else int(kilobytes) // 1024


def _swap_used(memory: str | None) -> int | None:
    total, free = _mb(memory, "SwapTotal"), _mb(memory, "SwapFree")
    return None if total is None or free is None else max(0, total - free)
