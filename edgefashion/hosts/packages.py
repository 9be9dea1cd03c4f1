"""What edgefashion needs on a machine that has no package index, fetched here for its Python and system."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from threading import Event

from edgefashion import files
from edgefashion.errors import BadInput, EdgefashionError
from edgefashion.hosts import failures, wheel
from edgefashion.hosts.probe import Interpreter, Probe
from edgefashion.installation import NAME, is_installed
from edgefashion.reporting import Report

LIMIT_S = 1200.0
_TURN_S = 0.2
_OLDEST_GLIBC = 17
"""Minor version of the GNU C library that the oldest wheels in use are for."""


class NotFetched(EdgefashionError):
    """Packages cannot be had here either."""


def cache_folder() -> Path:
    """Where wheels for other machines are kept here."""
    from platformdirs import user_cache_path

    return user_cache_path(NAME) / "for-hosts"


def pip_wheel(folder: Path) -> Path:
    """pip as a wheel: that of this environment, or the one that comes with Python. Raises BadInput."""
    if is_installed("pip"):
        return wheel.pack("pip", folder)
    if bundled := _bundled():
        return Path(shutil.copy(bundled, folder))
    mend = "python -m ensurepip, sudo apt install python3-venv or uv pip install pip"
    raise BadInput(f"pip is not installed here, and installs edgefashion on other machines: {mend}")


def _bundled() -> Path | None:
    found = find_spec("ensurepip")
    folder = Path(found.origin).parent if found and found.origin else Path()
    return next(iter((folder / "_bundled").glob("pip-*.whl")), None)


def fetch(
    found: Probe, python: Interpreter, ours: Path, extras: str, pip: Path, report: Report, stop: Event
) -> list[Path]:
    """Wheels of all that `ours`, our own, depends on; they are kept for the next machine of that kind.

    Raises NotFetched where they cannot be fetched, or `stop` is set meanwhile.
    """
    version = f"{python.version[0]}.{python.version[1]}"
    platforms = _platforms(found, python)
    needed = hashlib.sha256("".join([extras, *wheel.requirements(ours)]).encode()).hexdigest()[:12]
    folder = cache_folder() / f"{needed}-python{version}-{platforms[0]}"
    words = ["-m", "pip"] if is_installed("pip") else [str(pip / "pip")]
    words = [sys.executable, "-P", *words, "download", "--no-input", "--disable-pip-version-check"]
    words += ["--progress-bar", "off", "--only-binary", ":all:"]
    words += ["--python-version", version, "--implementation", "cp"]
    words += [word for platform in platforms for word in ("--platform", platform)]
    with files.alone(cache_folder(), report, "another edgefashion is fetching packages; waiting for it"):
        if not folder.is_dir():
            report(f"fetching here what it needs, for Python {version} on {platforms[0]}")
            half = cache_folder() / "half"
            shutil.rmtree(half, ignore_errors=True)
            try:
                _run([*words, "--dest", str(half), f"{ours}{extras}"], stop)
                (half / ours.name).unlink(missing_ok=True)
                half.rename(folder)
            finally:
                shutil.rmtree(half, ignore_errors=True)
    return sorted(folder.glob("*.whl"))


def _platforms(found: Probe, python: Interpreter) -> list[str]:
    """The tags of wheels that run there, the newest first."""
    machine = found.processor
    if found.system == "Darwin":
        return [f"macosx_{_leading(python.macos, 11)}_0_{machine}"]
    newest = min(_leading(python.libc[1].partition(".")[2], _OLDEST_GLIBC), 99)
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, _OLDEST_GLIBC - 1, -1)]
    return [*tags, f"manylinux2014_{machine}"]


def _leading(text: str, otherwise: int) -> int:
    number = re.match(r"\d{1,3}", text, re.ASCII)
    return int(number[0]) if number else otherwise


def _run(words: list[str], stop: Event) -> None:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    end = time.monotonic() + LIMIT_S
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            words, env=variables, stdin=subprocess.DEVNULL, stdout=told, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None:
                if stop.wait(_TURN_S) or time.monotonic() > end:
                    why = "interrupted" if stop.is_set() else f"not done within {LIMIT_S:.0f} s"
                    raise NotFetched(f"pip was {why}: try again")
        finally:
            process.kill()
            process.wait()
        told.seek(0)
        lines = told.read().decode(errors="replace").splitlines()
    if process.returncode:
        errors = [line for line in lines if line.startswith("ERROR: ")] or lines
        raise NotFetched(failures.said(errors[-1].removeprefix("ERROR: ") if errors else ""))
