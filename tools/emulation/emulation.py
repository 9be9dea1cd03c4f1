"""An emulated 64-bit Raspberry Pi: Debian's Python for Arm, our wheel and what `[pi]` brings, run by QEMU.

    pi = emulation.prepare("pi4", "bookworm")   # builds in the user's cache what is not there yet
    subprocess.run(pi.command(["edgefashion", "doctor"]), env=pi.environment())

QEMU translates one process, it boots no system: no root, no chroot. A file that exists below the root folder
is opened in place of the one of the same path here; all others are this machine's. What is computed is right
to the bit; how long it takes says nothing of a Pi.
"""

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from debian_packages import MERGED, Unavailable, unpack
from emulation_parts import CONSTRAINTS, PROJECT, Report, make_packages, part, say, wheel

from edgefashion.device.emulation import VARIABLE
from edgefashion.errors import BadInput

SYSTEMS = {"bookworm": "3.11", "trixie": "3.13"}
"""Debian releases that Raspberry Pi OS follows, and their Python."""
QEMU_RELEASE = "bookworm"
"""Its qemu-user is linked dynamically and so takes plugins; later ones are not. It runs every system."""
HOSTS = {
    "x86_64": ("amd64", "ld-linux-x86-64.so.2"),
    "aarch64": ("arm64", "ld-linux-aarch64.so.1"),
}
"""Machines with an emulator: Debian's name of their architecture, and the program that starts programs."""
CORES = 4
CPUINFO = """\
processor\t: {number}
BogoMIPS\t: 108.00
Features\t: {features}
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: {variant:#x}
CPU part\t: {part:#x}
CPU revision\t: {revision}

"""


@dataclass(frozen=True)
class Board:
    """What a program sees of a Raspberry Pi."""

    model: str
    cpu: str
    """QEMU's name of the processor; the runtimes compute nonsense on the one it takes by itself."""
    part: int
    """Arm's number of the processor, with `variant` and `revision`."""
    variant: int
    revision: int
    features: str

    def cpuinfo(self) -> str:
        """/proc/cpuinfo of the board; the runtimes crash when they read this machine's own."""
        cores = (CPUINFO.format(number=number, **vars(self)) for number in range(CORES))
        return "".join(cores) + f"Model\t\t: {self.model}\n"


_V8 = "fp asimd evtstrm crc32 cpuid"
_V8_2 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
BOARDS = {
    "pi3": Board("Raspberry Pi 3 Model B Plus", "cortex-a53", 0xD03, 0, 4, _V8),
    "pi4": Board("Raspberry Pi 4 Model B", "cortex-a72", 0xD08, 0, 3, _V8),
    "pi5": Board("Raspberry Pi 5 Model B", "cortex-a76", 0xD0B, 4, 1, _V8_2),
}


@dataclass(frozen=True)
class EmulatedPi:
    """A board with a system, ready to run programs."""

    board: Board
    qemu: tuple[str, ...]
    """The emulator, as the first words of a command line."""
    root: Path
    """Folder of the system's files."""
    python: Path
    search: tuple[Path, ...]
    """Folders of Python packages: our wheel's, and its dependencies'."""

    def command(self, words: Sequence[str], options: Sequence[str] = ()) -> list[str]:
        """The command line that runs `words` there; `options` are more of QEMU's, such as -plugin.

        The first word is `edgefashion`, `python` or `python3`. Raises BadInput for another.
        """
        programs: dict[str, list[str]] = {"python": [], "python3": []}
        programs["edgefashion"] = ["-P", "-m", "edgefashion"]  # -P: the wheel's, also in a checkout
        if words[0] not in programs:
            raise BadInput(f"no {words[0]} on the emulated Pi: it has {', '.join(sorted(programs))}")
        emulator = [*self.qemu, "-cpu", self.board.cpu, *options, "-L", str(self.root)]
        return [*emulator, str(self.python), *programs[words[0]], *words[1:]]

    def environment(self, variables: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The environment to run it in: `variables` without those about this machine's programs."""
        kept = {name: value for name, value in variables.items() if not name.startswith(("LD_", "PYTHON"))}
        return kept | {
            "PATH": str(self.python.parent),
            "PYTHONPATH": os.pathsep.join(map(str, self.search)),
            "OPENBLAS_NUM_THREADS": "1",
            VARIABLE: f"qemu-aarch64 -cpu {self.board.cpu}",
        }


def prepare(board: str, system: str, report: Report = say) -> EmulatedPi:
    """A `board` with a `system`; what is not in the cache yet is built. Raises BadInput and Unavailable."""
    if board not in BOARDS:
        raise BadInput(f"no board {board}: choose {', '.join(BOARDS)}")
    if system not in SYSTEMS:
        raise BadInput(f"no system {system}: choose {', '.join(SYSTEMS)}")
    machine = platform.machine()
    if machine not in HOSTS or sys.platform != "linux":
        raise Unavailable(f"no emulator for {sys.platform} on {machine}: Linux on x86-64 has one")
    architecture, loader = HOSTS[machine]
    emulator = part("qemu", [architecture], partial(make_qemu, architecture), report)
    root = part(system, [], partial(make_system, system), report) / board
    libraries = emulator / f"lib/{machine}-linux-gnu"
    return EmulatedPi(
        board=BOARDS[board],
        qemu=(str(libraries / loader), "--library-path", str(libraries), str(emulator / "bin/qemu-aarch64")),
        root=root,
        python=root / f"usr/bin/python{SYSTEMS[system]}",
        search=packages(system, report),
    )


def packages(system: str, report: Report = say, machine: str = "aarch64") -> tuple[Path, Path]:
    """Folders of Python packages for a system: our wheel's, and its dependencies'. Raises Unavailable."""
    ours = wheel(report)
    make = partial(make_packages, ours, SYSTEMS[system], machine)
    name = f"packages-{system}-{machine}"
    return ours.parent / "unpacked", part(name, [PROJECT, CONSTRAINTS], make, report)


def make_qemu(architecture: str, folder: Path, report: Report) -> None:
    """The emulator with its own libraries, so that this machine's do not matter."""
    unpack(["qemu-user"], QEMU_RELEASE, architecture, folder, report)
    for program in (folder / "bin").glob("qemu-*"):
        if program.name != "qemu-aarch64":
            program.unlink()


def make_system(system: str, folder: Path, report: Report) -> None:
    """The files of a system, and for each board a root folder with links to them and its own /proc."""
    files = folder / "system"
    files.mkdir()
    python = f"python{SYSTEMS[system]}"
    needed = [f"{python}-minimal", f"lib{python}-stdlib", "libstdc++6", "base-files"]
    unpack(needed, system, "arm64", files, report)
    for name, board in BOARDS.items():
        process = folder / name / "proc"
        (process / "device-tree").mkdir(parents=True)
        (process / "cpuinfo").write_text(board.cpuinfo())
        (process / "device-tree/model").write_text(f"{board.model}\0")
        for link in (*MERGED, "usr", "etc"):
            (folder / name / link).symlink_to(f"../system/{link}")
