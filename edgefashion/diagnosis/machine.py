"""Checks of what stays the same: Python, system, processor, memory; and of free disk space."""

import os
import shutil
import tempfile
from pathlib import Path

from edgefashion.diagnosis.check import Check
from edgefashion.records.device import Device

DOT_PRODUCTS = {"asimddp", "i8mm", "avx_vnni", "avx512_vnni", "amx_int8"}
MEND_32_BITS = "write a 64-bit system to the card: Raspberry Pi OS (64-bit)"
LITTLE_DISK_MB, NO_DISK_MB = 500, 20
"""Installing the runtimes takes some 200 MB, results with all their samples some MB."""


def findings(about: Device) -> list[Check]:
    """Findings on a machine, given as `device.describe()`."""
    return [_python(about), *_bits(about), _system(about), *_real(about), _processor(about)]


def room() -> list[Check]:
    """Findings on the disks that results and temporary files are written to."""
    try:
        temporary = Path(tempfile.gettempdir())
    except FileNotFoundError:  # it was tried to write to each of them
        text = "no folder for temporary files can be written to"
        return [_disk("this folder", Path()), Check("problem", "disk", text, "free some space")]
    return [_disk("this folder", Path()), _disk("temporary files", temporary)]


def _disk(name: str, folder: Path) -> Check:
    free = shutil.disk_usage(folder).free // 10**6
    mend = f"free some space, or use another folder than {folder.resolve()}"
    if not os.access(folder, os.W_OK):
        return Check("problem", "disk", f"{name}: {folder.resolve()} cannot be written to", mend)
    text = f"{free:,} MB free for {name}"
    if free < NO_DISK_MB:
        return Check("problem", "disk", text, mend)
    return Check("note", "disk", text, mend) if free < LITTLE_DISK_MB else Check("ok", "disk", text)


def _python(about: Device) -> Check:
    return Check("ok", "python", f"Python {about.python}, {about.bits} bits")


def _bits(about: Device) -> list[Check]:
    if about.bits is None or about.bits >= 64:
        return []
    text = "a 64-bit operating system is required: the runtimes are not built for 32 bits"
    return [Check("problem", "system", text, MEND_32_BITS)]


def _system(about: Device) -> Check:
    return Check("ok", "system", f"{about.os}, {about.machine}")


def _real(about: Device) -> list[Check]:
    if not about.virtual:
        return []
    whose = "" if about.virtual == "unnamed" else f" ({about.virtual})"
    text = f"this is a virtual machine{whose}: its host may take processor time away"
    return [Check("note", "system", text)]


def _processor(about: Device) -> Check:
    name = ": ".join(filter(None, [about.board, about.cpu or "a processor without a name"]))
    text = f"{name}, {about.cores} cores"
    if about.isa is None:
        return Check("note", "processor", f"{text}; the system does not say which instruction sets it has")
    features = " ".join(about.isa) or "no vector instructions that matter"
    if DOT_PRODUCTS.isdisjoint(about.isa):
        slow = "no dot products of 8-bit numbers: int8 has less to gain here"
        return Check("note", "processor", f"{text} ({features}); {slow}")
    return Check("ok", "processor", f"{text} ({features})")
