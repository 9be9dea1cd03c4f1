"""All that is read of a machine goes through here: files and commands, of this machine or recorded.

A source that is missing, refuses, hangs or is not text gives None. One that exists and does not answer is
also named in `refusals`, since that can be fixed.
"""

import contextlib
import os
import platform
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Protocol

COMMAND_SECONDS = 0.5
"""How long a command may take: `vcgencmd` takes some milliseconds, unless the firmware hangs."""


class Machine(Protocol):
    """What a machine is asked. Paths are absolute, without the first slash: `proc/stat`."""

    refusals: dict[str, str]
    """File or command → why it did not answer although it is there."""

    def text(self, path: str) -> str | None:
        """The content of a file."""
        ...

    def link(self, path: str) -> str | None:
        """What a symbolic link points at."""
        ...

    def find(self, pattern: str) -> list[str]:
        """The paths that match a pattern of the shell, sorted."""
        ...

    def run(self, *command: str) -> str | None:
        """What a command prints; None also where it fails."""
        ...

    def variable(self, name: str) -> str | None:
        """An environment variable."""
        ...

    def kernel(self) -> tuple[str, str, str]:
        """System, release and architecture: `Linux`, `6.6.31+rpt-rpi-v8`, `aarch64`."""
        ...

    def bits(self) -> int:
        """32 or 64: the width of this Python's addresses, which decides what can be installed."""
        ...


class _Files:
    """Files under a folder that stands for the root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.refusals: dict[str, str] = {}

    def text(self, path: str) -> str | None:
        """The content of a file."""
        try:
            return (self.root / path).read_bytes().decode(errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.refusals[path] = error.strerror or str(error)
            return None

    def link(self, path: str) -> str | None:
        """What a symbolic link points at."""
        try:
            return str((self.root / path).readlink())
        except (OSError, ValueError):
            return None

    def find(self, pattern: str) -> list[str]:
        """The paths that match a pattern of the shell, sorted."""
        with contextlib.suppress(OSError):
            return sorted(str(path.relative_to(self.root)) for path in self.root.glob(pattern))
        return []


class System(_Files):
    """This machine. Follows `Machine`."""

    def __init__(self, root: Path = Path("/")) -> None:
        super().__init__(root)
        self._hung: set[str] = set()

    def run(self, *command: str) -> str | None:
        """What a command prints; one that has hung once is not asked again."""
        name = command[0]
        program = shutil.which(name)
        if program is None or name in self._hung:
            return None
        try:
            child = subprocess.Popen(
                [program, *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env={**os.environ, "LC_ALL": "C"},
            )
        except OSError as error:
            self.refusals[name] = error.strerror or str(error)
            return None
        return self._output(name, child)

    def variable(self, name: str) -> str | None:
        """An environment variable."""
        return os.environ.get(name)

    def kernel(self) -> tuple[str, str, str]:
        """System, release and architecture."""
        return platform.system(), platform.release(), platform.machine()

    def bits(self) -> int:
        """The width of this Python's addresses."""
        return struct.calcsize("P") * 8

    def _output(self, name: str, child: subprocess.Popen[str]) -> str | None:
        try:
            said = child.communicate(timeout=COMMAND_SECONDS)[0]
        except subprocess.TimeoutExpired:
            child.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(0.1)  # not for ever: the kernel cannot kill what waits for hardware
            self._hung.add(name)
            self.refusals[name] = f"no answer within {COMMAND_SECONDS:g} s"
            return None
        if child.returncode == 0:
            return said
        self.refusals[name] = " ".join(said.split()) or f"exit code {child.returncode}"
        return None


class RecordedMachine(_Files):
    """A machine as a folder. Follows `Machine`.

    Files lie where they lay, what a command printed under its own words in `commands/`
    (`commands/vcgencmd measure_clock arm`), why it refused beside that with the suffix `.refused`, and
    system, release, architecture and bits in the file `kernel`.
    """

    def __init__(self, root: Path, variables: dict[str, str] | None = None) -> None:
        super().__init__(root)
        self._variables = variables or {}

    def run(self, *command: str) -> str | None:
        """What a command printed."""
        words = " ".join(command)
        refused = self.root / f"commands/{words}.refused"
        if refused.is_file():
            self.refusals[command[0]] = refused.read_text().strip()
            return None
        return self.text(f"commands/{words}")

    def variable(self, name: str) -> str | None:
        """One of the variables given."""
        return self._variables.get(name)

    def kernel(self) -> tuple[str, str, str]:
        """System, release and architecture."""
        system, release, machine, _ = self._kernel()
        return system, release, machine

    def bits(self) -> int:
        """The width of its Python's addresses."""
        return int(self._kernel()[3])

    def _kernel(self) -> list[str]:
        return (self.text("kernel") or "Linux unknown unknown 64").split()


SYSTEM = System()
"""This machine."""
