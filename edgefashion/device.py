"""What machine this is: no figure means anything without it."""

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_ROOT = Path("/")
_ISA = (
    # x86: wide vectors, then the dot products that make int8 fast
    "avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8",
    # Arm: vectors, then the same
    "neon", "asimd", "asimddp", "i8mm", "sve",
)  # fmt: skip


def describe(root: Path = _ROOT) -> dict[str, Any]:
    """This machine, as JSON: what cannot be found out is None.

    `machine` (architecture), `board` (a Raspberry Pi's model), `cpu`, `cores` (usable by this process),
    `isa` (instruction sets that decide how fast a model runs), `memory_mb`, `os`, `python`,
    `date` (ISO 8601, UTC). `root` is where /proc and /etc are looked for.
    """
    return {
        "machine": platform.machine(),
        "board": board(root),
        "cpu": cpu(root),
        "cores": cores(),
        "isa": isa(root),
        "memory_mb": memory_mb(root),
        "os": system(root),
        "python": platform.python_version(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def state(root: Path = _ROOT) -> dict[str, Any]:
    """What changes from minute to minute and changes latency with it; what cannot be found out is None.

    `load` (processes that want a core, averaged over a minute), `governor` and `mhz` of the first core,
    `temperature_c`, and `throttled`: a Raspberry Pi's word for whether heat or a weak power supply slows
    it down now (any of the low four bits of its firmware's flags).
    """
    frequency = root / "sys/devices/system/cpu/cpu0/cpufreq"
    flags = re.match("[0-9a-f]+", _read(root / "sys/devices/platform/soc/soc:firmware/get_throttled") or "")
    return {
        "load": _number(_read(root / "proc/loadavg"), 1),
        "governor": (_read(frequency / "scaling_governor") or "").strip() or None,
        "mhz": _number(_read(frequency / "scaling_cur_freq"), 1e-3),
        "temperature_c": _number(_read(root / "sys/class/thermal/thermal_zone0/temp"), 1e-3),
        "throttled": bool(int(flags[0], 16) & 0xF) if flags else None,
    }


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu(root: Path = _ROOT) -> str | None:
    """The processor's name."""
    return _field(_read(root / "proc/cpuinfo"), "model name") or platform.processor() or None


def board(root: Path = _ROOT) -> str | None:
    """The board's name, e.g. `Raspberry Pi 5 Model B Rev 1.0`."""
    model = _read(root / "proc/device-tree/model")
    return model.rstrip("\0\n") if model else None


def isa(root: Path = _ROOT) -> list[str] | None:
    """Which of the instruction sets that matter the processor has."""
    text = _read(root / "proc/cpuinfo")
    flags = _field(text, "flags") or _field(text, "Features")
    return [name for name in _ISA if name in flags.split()] if flags else None


def memory_mb(root: Path = _ROOT) -> int | None:
    """Physical memory in MiB."""
    total = _field(_read(root / "proc/meminfo"), "MemTotal")
    return int(total.split()[0]) // 1024 if total else None


def system(root: Path = _ROOT) -> str:
    """The operating system and its kernel."""
    name = _read(root / "etc/os-release")
    pretty = re.search(r'^PRETTY_NAME="?([^"\n]+)', name or "", re.MULTILINE)
    kernel = f"{platform.system()} {platform.release()}"
    return f"{pretty[1]}, {kernel}" if pretty else kernel


def _read(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return None


def _number(text: str | None, scale: float) -> float | None:
    """The first number in a text, times `scale`."""
    found = re.match(r"\s*(-?\d+(\.\d+)?)", text or "")
    return round(float(found[1]) * scale, 2) if found else None


def _field(text: str | None, name: str) -> str | None:
    """The value of the first `name : value` line."""
    found = re.search(rf"^{name}[ \t]*:[ \t]*(.+)$", text or "", re.MULTILINE)
    return found[1].strip() if found else None
