"""What machine this is, of recorded ones and of this one."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgefashion import device
from edgefashion.device import RecordedMachine
from edgefashion.device.emulation import emulator

Machine = Callable[[str], RecordedMachine]


@pytest.mark.parametrize(
    ("name", "board", "cpu", "isa", "memory_mb", "os"),
    [
        (
            "pi3", "Raspberry Pi 3 Model B Plus Rev 1.3", "Cortex-A53", ["asimd"], 908,
            "Debian GNU/Linux 12 (bookworm), Linux 6.6.31+rpt-rpi-v8",
        ),
        (
            "pi4", "Raspberry Pi 4 Model B Rev 1.4", "Cortex-A72", ["asimd"], 3794,
            "Debian GNU/Linux 12 (bookworm), Linux 6.6.31+rpt-rpi-v8",
        ),
        (
            "pi5", "Raspberry Pi 5 Model B Rev 1.0", "Cortex-A76", ["asimd", "asimddp"], 8062,
            "Debian GNU/Linux 13 (trixie), Linux 6.12.25+rpt-rpi-2712",
        ),
        (
            "laptop", None, "11th Gen Intel(R) Core(TM) i5-1135G7 @ 2.40GHz",
            ["avx2", "avx512f", "avx512_vnni"], 15821, "Debian GNU/Linux 12 (bookworm), Linux 6.1.0-28-amd64",
        ),
    ],
)  # fmt: skip
def test_machines(
    name: str, board: str | None, cpu: str, isa: list[str], memory_mb: int, os: str, machine: Machine
) -> None:
    found = device.describe(machine(name))
    assert (found.board, found.cpu, found.isa) == (board, cpu, tuple(isa))
    assert (found.memory_mb, found.os, found.bits) == (memory_mb, os, 64)
    assert (found.emulated, found.virtual) == (None, None)


@pytest.mark.parametrize("name", ["missing", "refusing", "nonsense"])
def test_what_nothing_tells_is_none(name: str, machine: Machine) -> None:
    found = device.describe(machine(name))
    assert found.isa is found.memory_mb is found.virtual is found.emulated is None
    assert found.os and found.os.startswith("Linux 6.")


def recorded(tmp_path: Path, cpuinfo: str, **files: str) -> RecordedMachine:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(cpuinfo)
    for name, content in files.items():
        path = tmp_path / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return RecordedMachine(tmp_path)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ([("0x41", "0xd05"), ("0x41", "0xd0b"), ("0x41", "0xd05")], "Cortex-A55 and Cortex-A76"),
        ([("0x41", "0xfff")], "Arm part 0xfff"),
        ([("0x61", "0x022")], "implementer 0x61, part 0x022"),
    ],
)
def test_arm_processors(parts: list[tuple[str, str]], name: str, tmp_path: Path) -> None:
    text = "\n".join(f"CPU implementer\t: {who}\nCPU part\t: {part}\n" for who, part in parts)
    assert device.describe(recorded(tmp_path, text)).cpu == name


def test_a_board_that_only_cpuinfo_names(tmp_path: Path) -> None:
    found = device.describe(recorded(tmp_path, "Model\t\t: Raspberry Pi 4 Model B Rev 1.4\n"))
    assert found.board == "Raspberry Pi 4 Model B Rev 1.4"


@pytest.mark.parametrize(
    ("files", "virtual"), [({}, "unnamed"), ({"sys__class__dmi__id__sys_vendor": "QEMU\n"}, "QEMU")]
)
def test_a_virtual_machine(files: dict[str, str], virtual: str, tmp_path: Path) -> None:
    assert device.describe(recorded(tmp_path, "flags : avx2 hypervisor", **files)).virtual == virtual


def link(root: Path, path: str, target: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).symlink_to(target)


@pytest.mark.parametrize("thread", ["proc/thread-self/exe", "proc/self/task/4711/exe"])
def test_an_emulator_is_seen_in_the_files_of_a_thread(thread: str, tmp_path: Path) -> None:
    link(tmp_path, "proc/self/exe", "/system/usr/bin/python3.11")
    link(tmp_path, thread, "/usr/bin/qemu-aarch64-static")
    assert emulator(RecordedMachine(tmp_path)) == "qemu-aarch64-static"


def test_an_emulator_of_any_name(tmp_path: Path) -> None:
    link(tmp_path, "proc/self/exe", "/usr/bin/python3.11")
    link(tmp_path, "proc/thread-self/exe", "/opt/pretender")
    assert emulator(RecordedMachine(tmp_path)) == "pretender"


def test_no_emulator(tmp_path: Path) -> None:
    link(tmp_path, "proc/self/exe", "/usr/bin/python3.11")
    link(tmp_path, "proc/thread-self/exe", "/usr/bin/python3.11")
    link(tmp_path, "proc/self/task/4711/exe", "/usr/bin/python3.11")
    assert emulator(RecordedMachine(tmp_path)) is None


def test_an_emulator_that_its_starter_names(tmp_path: Path) -> None:
    assert emulator(RecordedMachine(tmp_path, {"EDGEFASHION_EMULATED": "qemu-arm"})) == "qemu-arm"


def test_this_machine_is_json() -> None:
    found = json.loads(json.dumps(device.describe().to_dict()))
    assert found["cores"] >= 1
    assert found["date"].endswith("+00:00")
    assert found["bits"] == 64


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("edgefashion.device", {"numpy", "rich", "click", "msgspec"}),
        ("edgefashion.runtimes.worker", {"rich", "click", "msgspec"}),  # its memory is what is measured
    ],
)
def test_importing_is_light(module: str, heavy: set[str]) -> None:
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
