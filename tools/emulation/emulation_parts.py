"""What an emulated Pi consists of, in the user's cache: each part made once, in one step.

A part is a folder that is named after what it was made from. When that changes, another one is made.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from debian_packages import Unavailable
from platformdirs import user_cache_path

from edgefashion import files

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
RECIPE = tuple(HERE / name for name in ("debian_packages.py", "emulation.py", "emulation_parts.py"))
PROJECT = CHECKOUT / "pyproject.toml"
CONSTRAINTS = CHECKOUT / "constraints.txt"
GLIBC = 36
"""Minor version of Debian bookworm's C library, which trixie's packages run with too."""
OLDEST_GLIBC = 17
WAITING = "another process is building a part of the emulated Pi; waiting for it"
UNUSED_S = 2 * 24 * 3600
"""A part that something newer has replaced is deleted when nothing has used it for so long."""

Report = Callable[[str], None]


def say(line: str) -> None:
    """Print one line of progress on stderr."""
    print(line, file=sys.stderr, flush=True)


def cache_folder() -> Path:
    """Folder of the parts in the user's cache."""
    return user_cache_path("edgefashion") / "emulated-pi"


def part(
    name: str, made_from: Sequence[Path | str], make: Callable[[Path, Report], None], report: Report
) -> Path:
    """The folder that `make` fills, now or in an earlier call with the same files and words.

    Raises Unavailable, also where the cache cannot be written to.
    """
    folder = cache_folder() / f"{name}-{_digest([*RECIPE, *made_from])}"
    try:
        if not folder.is_dir():
            with files.alone(cache_folder(), report, WAITING):
                _delete_unused(name)
                if not folder.is_dir():
                    _make(folder, make, report)
        os.utime(folder)
    except OSError as error:
        reason = error.strerror or error
        raise Unavailable(
            f"cannot write to the cache {cache_folder()}: {reason}; choose another with XDG_CACHE_HOME"
        ) from error
    return folder


def _digest(made_from: Sequence[Path | str]) -> str:
    digest = hashlib.sha256()
    for item in made_from:
        if isinstance(item, Path):
            digest.update(f"{item.relative_to(CHECKOUT)} {item.stat().st_size}\n".encode())
            digest.update(item.read_bytes())
        else:
            digest.update(f"{item}\n".encode())
    return digest.hexdigest()[:16]


def _delete_unused(name: str) -> None:
    for folder in cache_folder().glob(f"{name}-*"):
        if time.time() - folder.stat().st_mtime > UNUSED_S:
            shutil.rmtree(folder)


def _make(folder: Path, make: Callable[[Path, Report], None], report: Report) -> None:
    staging = cache_folder() / "staging"
    shutil.rmtree(staging, ignore_errors=True)
    (staging / folder.name).mkdir(parents=True)
    try:
        make(staging / folder.name, report)
        (staging / folder.name).rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def wheel(report: Report = say) -> Path:
    """Our wheel, built from this checkout as it is now; beside it, `unpacked`. Raises Unavailable."""
    single = [PROJECT, CHECKOUT / "README.md", CHECKOUT / "LICENSE"]
    packages = [path for name in ("edgefashion", "export") for path in (CHECKOUT / name).rglob("*")]
    sources = sorted(path for path in packages if path.is_file() and path.suffix != ".pyc")
    return next(part("wheel", [*single, *sources], make_wheel, report).glob("*.whl"))


def make_wheel(folder: Path, report: Report) -> None:
    """Build our wheel, as README says to."""
    report("building the wheel")
    if find_spec("pip"):
        words = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(folder), str(CHECKOUT)]
        if find_spec("hatchling"):  # without a network
            words.append("--no-build-isolation")
    else:
        words = ["uv", "build", "--wheel", "--python", sys.executable, "--out-dir", str(folder)]
        words.append(str(CHECKOUT))
    run(words, "the wheel cannot be built")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as file:
        file.extractall(folder / "unpacked")


def make_packages(ours: Path, python: str, machine: str, folder: Path, report: Report) -> None:
    """What the wheel `ours` with [pi] depends on, for `python` on Linux; the wheel itself is left out."""
    report(f"fetching what edgefashion[pi] needs, for Python {python} on {machine}")
    if shutil.which("uv"):
        words = ["uv", "pip", "install", "--python-platform", f"{machine}-manylinux_2_{GLIBC}"]
    else:
        words = [sys.executable, "-m", "pip", "install", "--no-compile"]
        for minor in range(GLIBC, OLDEST_GLIBC - 1, -1):  # a wheel for an older C library runs there too
            words += ["--platform", f"manylinux_2_{minor}_{machine}"]
    words += ["--python-version", python, "--only-binary", ":all:", "--target", str(folder)]
    words += ["--constraint", str(CONSTRAINTS), f"edgefashion[pi] @ {ours.as_uri()}"]
    run(words, f"packages for Python {python} on {machine} cannot be fetched")
    for name in ("edgefashion", *(path.name for path in folder.glob("edgefashion-*"))):
        shutil.rmtree(folder / name)


def run(words: list[str], otherwise: str) -> None:
    """Run an installer. Raises Unavailable with `otherwise` and the reason it gives, in one line."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(words, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()] or ["no word"]
        errors = [line for line in said if line.lower().startswith(("error", "×", "x "))]
        raise Unavailable(f"{otherwise}: {(errors or said[-1:])[0]}")
