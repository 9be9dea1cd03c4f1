"""Checks of what changes: governor, clock, temperature, throttling, other load, memory."""

from collections.abc import Sequence

from edgefashion.device import Machine
from edgefashion.device.trust import judge
from edgefashion.diagnosis.check import Check
from edgefashion.records.device import Device, State
from edgefashion.records.results import Flag

LITTLE_MEMORY_MB = 150
"""A runtime and a model of ours take up to 90 MiB."""
_PERFORMANCE = "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
_SCALING_DRIVER = "sys/devices/system/cpu/cpu0/cpufreq/scaling_driver"
_FULL_SPEED = ("intel_pstate", "amd-pstate-epp")
"""Drivers whose `powersave` is an ordinary governor, and not the lowest clock."""
_FAN = "let it cool down, or give it a heat sink and a fan"
_SUPPLY = "use the power supply made for this board, and its own cable"
_OTHERS = "end other programs (top names them), and look again"
_GROUP = "sudo usermod -aG video $USER, then log in again"
_NOT_ALLOWED = ("VCHI initialization failed", "/dev/vcio", "ermission denied")
_MEND = {
    "emulated": "measure on the machine itself",
    "throttled": _FAN,
    "under-voltage": _SUPPLY,
    "hot": _FAN,
    "other load": _OTHERS,
    "swapping": _OTHERS,
}


def findings(states: Sequence[State], about: Device, sources: Machine) -> list[Check]:
    """Findings on a machine in some states (see `device.state`); the last one was taken with a meter.

    Whatever would flag a row of a benchmark (see `device.trust.judge`) falsifies it here too.
    """
    flags, now = judge(states, about), states[-1]
    names = {flag.flag for flag in flags}
    found = [_governor(now, sources), *_firmware(now, about, sources), _memory(now)]
    found += [] if "hot" in names else [_temperature(now)]
    found += [] if "other load" in names else [_load(now)]
    return [*found, *map(_wrong, flags)]


def _wrong(flag: Flag) -> Check:
    mend = _MEND.get(flag.flag)
    return Check("problem", flag.flag, flag.why, mend, falsifies=True)


def _governor(now: State, sources: Machine) -> Check:
    name = now.governor
    if name is None:
        return Check("note", "governor", "the system does not say what sets the clock speed")
    driver = (sources.text(_SCALING_DRIVER) or "").strip()
    mhz = f", {now.mhz:,.0f} MHz now ({now.mhz_from})" if now.mhz else ""
    if name == "performance":
        return Check("ok", "governor", f"{name}{mhz}")
    if name == "powersave" and driver not in _FULL_SPEED:
        text = f"{name} keeps the clock at its lowest{mhz}"
        return Check("problem", "governor", text, _PERFORMANCE, falsifies=True)
    text = f"{name}{mhz}: the clock speed follows the load, so a short measurement may start slow"
    return Check("note", "governor", text, _PERFORMANCE)


def _firmware(now: State, about: Device, sources: Machine) -> list[Check]:
    """What a Raspberry Pi's firmware remembers, or why it does not tell."""
    if why := sources.refusals.get("vcgencmd"):
        mend = _GROUP if any(sign in why for sign in _NOT_ALLOWED) else None
        return [Check("note", "firmware", f"vcgencmd does not answer: {why}", mend), *_throttling(now)]
    if now.throttled is None and "Raspberry Pi" in (about.board or "") and not about.emulated:
        text = "vcgencmd is missing: whether this board is throttled cannot be known"
        return [Check("note", "firmware", text, "sudo apt install raspi-utils")]
    return _throttling(now)


def _throttling(now: State) -> list[Check]:
    if now.throttled is None:
        return []
    earlier = [name for name in now.throttled_since_boot or () if name not in now.throttled]
    if earlier:
        text = f"not now, but since the machine was started: {', '.join(earlier)}"
        mend = _SUPPLY if "under-voltage" in earlier else _FAN
        return [Check("note", "throttling", text, mend)]
    return [] if now.throttled else [Check("ok", "throttling", "none since the machine was started")]


def _temperature(now: State) -> Check:
    if now.temperature_c is None:
        return Check("note", "temperature", "no sensor can be read here")
    return Check("ok", "temperature", f"{now.temperature_c:.0f} °C ({now.temperature_from})")


def _load(now: State) -> Check:
    if now.other_cores is None:
        return Check("note", "other load", "the system does not say how busy the processor is")
    stolen = f", the host {now.stolen_cores:.2f}" if now.stolen_cores else ""
    return Check("ok", "other load", f"other processes use {now.other_cores:.2f} cores{stolen}")


def _memory(now: State) -> Check:
    free = now.memory_available_mb
    if free is None:
        return Check("note", "memory", "the system does not say how much is free")
    if free < LITTLE_MEMORY_MB:
        text = f"only {free:,} MiB are available: runtimes may be swapped out, or killed"
        return Check("problem", "memory", text, _OTHERS, falsifies=True)
    return Check("ok", "memory", f"{free:,} MiB available")
