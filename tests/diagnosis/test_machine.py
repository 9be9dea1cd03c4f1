"""Findings on Python, system, processor and disk."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from edgefashion import device
from edgefashion.device import RecordedMachine
from edgefashion.diagnosis.check import Check
from edgefashion.diagnosis.machine import findings, room
from edgefashion.records.device import Device

Machine = Callable[[str], RecordedMachine]


def about(sources: RecordedMachine, **changes: Any) -> Device:
    return replace(device.describe(sources), **changes)


def on(topic: str, found: list[Check]) -> list[Check]:
    return [finding for finding in found if finding.topic == topic]


@pytest.mark.parametrize(
    ("name", "level", "words"),
    [
        ("pi4", "note", "Raspberry Pi 4 Model B Rev 1.4: Cortex-A72, "),
        ("pi5", "ok", "Cortex-A76"),
        ("laptop", "ok", "avx512_vnni"),
        ("missing", "note", "a processor without a name"),
    ],
)
def test_processors(name: str, level: str, words: str, machine: Machine) -> None:
    (found,) = on("processor", findings(about(machine(name))))
    assert found.level == level
    assert words in found.text
    assert not found.falsifies


def test_32_bits_are_too_few(machine: Machine) -> None:
    _, found = on("system", findings(about(machine("pi4"), bits=32)))[::-1]
    assert found.level == "problem"
    assert "a 64-bit operating system is required" in found.text
    assert found.mend
    assert "\n" not in found.text


def test_a_virtual_machine_is_a_note(machine: Machine) -> None:
    found = on("system", findings(about(machine("laptop"), virtual="QEMU")))
    assert [finding.level for finding in found] == ["ok", "note"]
    assert "(QEMU)" in found[1].text


class Usage(NamedTuple):
    free: int


@pytest.mark.parametrize(("free_mb", "level"), [(1, "problem"), (100, "note"), (5000, "ok")])
def test_room(free_mb: int, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(free_mb << 20))
    found = room()
    assert [finding.level for finding in found] == [level] * 2
    assert all(bool(finding.mend) == (level != "ok") for finding in found)


def test_a_disk_too_full_for_temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "missing")])
    assert room()[1].level == "problem"
