"""What machine this is: without that, a measured figure means nothing."""

import os
import platform
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edgefashion.device import container
from edgefashion.device.emulation import emulator
from edgefashion.device.machine import SYSTEM, Machine
from edgefashion.device.parsing import field, fields, number

if TYPE_CHECKING:
    from edgefashion.records.device import Device

_ISA = (
    # x86: wide vectors, then the dot products that make int8 fast
    "avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8",
    # Arm: vectors, then the same
    "neon", "asimd", "asimddp", "i8mm", "sve",
)  # fmt: skip
_ARM = "0x41"
_ARM_PARTS = {
    "0xb76": "ARM1176", "0xc07": "Cortex-A7", "0xd03": "Cortex-A53", "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55", "0xd07": "Cortex-A57", "0xd08": "Cortex-A72", "0xd09": "Cortex-A73",
    "0xd0a": "Cortex-A75", "0xd0b": "Cortex-A76", "0xd0c": "Neoverse-N1", "0xd0d": "Cortex-A77",
    "0xd40": "Neoverse-V1", "0xd41": "Cortex-A78", "0xd42": "Cortex-A78AE", "0xd44": "Cortex-X1",
    "0xd46": "Cortex-A510", "0xd47": "Cortex-A710", "0xd49": "Neoverse-N2", "0xd4b": "Cortex-A78C",
    "0xd4d": "Cortex-A715", "0xd4f": "Neoverse-V2", "0xd80": "Cortex-A520", "0xd81": "Cortex-A720",
}  # fmt: skip
"""CPU part numbers of Arm Ltd, as in the MIDR_EL1 register's description of each core's manual."""


def describe(sources: Machine = SYSTEM) -> "Device":
    """This machine; what cannot be found out is None."""
    from edgefashion.records.device import Device

    return Device(
        machine=sources.kernel()[2],
        board=board(sources),
        cpu=cpu(sources),
        cores=cores(sources),
        isa=isa(sources),
        memory_mb=memory_mb(sources),
        os=system(sources),
        python=platform.python_version(),
        bits=sources.bits(),
        emulated=emulator(sources),
        virtual=virtual(sources),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def cores(sources: Machine = SYSTEM) -> int:
    """Cores this process may use all the time: those that it may run on, or the whole ones of its quota."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = container.cpu_quota(sources)
    return usable if quota is None else max(1, min(usable, int(quota)))


def board(sources: Machine = SYSTEM) -> str | None:
    """The board's name, e.g. `Raspberry Pi 5 Model B Rev 1.0`."""
    model = sources.text("proc/device-tree/model") or field(sources.text("proc/cpuinfo"), "Model")
    return (model or "").strip("\0\n ") or None


def cpu(sources: Machine = SYSTEM) -> str | None:
    """The processor's name; Arm's kernel gives numbers, which are looked up: `Cortex-A72`."""
    text = sources.text("proc/cpuinfo")
    named = field(text, "model name")
    parts = [part for part in fields(text, "CPU part") if re.fullmatch("0x[0-9a-f]+", part)]
    if not parts:
        return named
    if field(text, "CPU implementer") != _ARM:
        return named or f"implementer {field(text, 'CPU implementer')}, part {parts[0]}"
    return " and ".join(dict.fromkeys(_ARM_PARTS.get(part, f"Arm part {part}") for part in parts))


def isa(sources: Machine = SYSTEM) -> tuple[str, ...] | None:
    """Which of the instruction sets that matter the processor has."""
    flags = _flags(sources)
    return tuple(name for name in _ISA if name in flags) if flags else None


def memory_mb(sources: Machine = SYSTEM) -> int | None:
    """Physical memory in MiB."""
    total = number(field(sources.text("proc/meminfo"), "MemTotal"))
    return int(total) // 1024 if total else None


def system(sources: Machine = SYSTEM) -> str:
    """The operating system and its kernel."""
    name = re.search(r'^PRETTY_NAME="?([^"\n]+)', sources.text("etc/os-release") or "", re.MULTILINE)
    kernel = " ".join(sources.kernel()[:2])
    return f"{name[1]}, {kernel}" if name else kernel


def virtual(sources: Machine = SYSTEM) -> str | None:
    """Whose virtual machine this is, or `unnamed`; None where nothing tells that it is one."""
    tree = sources.text("proc/device-tree/hypervisor/compatible")
    if "hypervisor" not in _flags(sources) and not tree:
        return None
    vendor = sources.text("sys/class/dmi/id/sys_vendor") or sources.text("sys/hypervisor/type") or tree
    return (vendor or "").strip("\0\n ") or "unnamed"


def _flags(sources: Machine) -> list[str]:
    text = sources.text("proc/cpuinfo")
    return (field(text, "flags") or field(text, "Features") or "").split()
