"""Counts the instructions of an inference on an emulated Pi, with a plugin of the emulator.

All instructions between two marks that the program sets are counted, those of Python too, and what the same
marks count around nothing is taken off. With no hash seed left to chance LiteRT's counts repeat to the last
instruction and ONNX Runtime's mostly do, else to a quarter of a percent; each is made twice, to show it.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median

from emulation import EmulatedPi
from emulation_parts import part

from edgefashion.errors import BadInput, RuntimeCrash

HERE = Path(__file__).resolve().parent
PLUGIN = HERE / "instruction_counter.c"
GUEST = HERE / "counting_guest.py"
COMPILERS = ("cc", "gcc", "clang")
INFERENCES = 5
RUNS = 2
Report = Callable[[str], None]


@dataclass(frozen=True)
class Count:
    """Instructions of an inference of a file on a processor.

    median: of INFERENCES inferences. spread: between the medians of RUNS runs, 0 where they are equal.
    """

    median: int
    spread: int
    runtime: str
    runtime_version: str


def plugin(report: Report) -> Path:
    """The plugin, compiled in the user's cache. Raises BadInput where no compiler is installed or fails."""
    return part("counter", [PLUGIN], _compile, report) / "counter.so"


def version(pi: EmulatedPi) -> str:
    """The emulator's name and version."""
    done = subprocess.run([*pi.qemu, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0].strip()


def _compile(folder: Path, report: Report) -> None:
    compiler = next((name for name in COMPILERS if shutil.which(name)), None)
    if compiler is None:
        raise BadInput("no C compiler is installed to build the emulator's plugin: apt install gcc libc6-dev")
    report("compiling the emulator's plugin")
    words = [compiler, "-O2", "-Wall", "-shared", "-fPIC", "-o", str(folder / "counter.so"), str(PLUGIN)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or "no word").splitlines()[0]
        raise BadInput(f"{compiler} cannot build the emulator's plugin ({reason}): apt install gcc libc6-dev")


def count(path: Path, pi: EmulatedPi, counter: Path) -> Count:
    """Count with the plugin `counter`. Raises RuntimeCrash where the file cannot be run there."""
    with ThreadPoolExecutor(RUNS) as pool:
        runs = list(pool.map(partial(_run, path, pi), [counter] * RUNS))
    medians = [number for number, _ in runs]
    return Count(min(medians), max(medians) - min(medians), **runs[0][1])


def _run(path: Path, pi: EmulatedPi, counter: Path) -> tuple[int, dict[str, str]]:
    """Instructions of an inference, and the runtime."""
    with tempfile.TemporaryDirectory() as folder:
        marks = Path(folder) / "marks"
        words = ["python", str(GUEST), str(path.resolve()), str(INFERENCES)]
        command = pi.command(words, ["-plugin", f"{counter},out={marks}"])
        variables = {**pi.environment(os.environ), "PYTHONHASHSEED": "0"}
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        counts = [int(line) for line in marks.read_text().split()] if marks.is_file() else []
    if done.returncode or len(counts) != 2 * (INFERENCES + 1):
        reason = (done.stderr.strip() or "no word").splitlines()[-1]
        raise RuntimeCrash(f"{path} cannot be counted on an emulated {pi.board.cpu}: {reason}")
    return inference(counts), json.loads(done.stdout.splitlines()[-1])


def inference(marks: list[int]) -> int:
    """Instructions of an inference, from the counts at the marks that `counting_guest` sets."""
    half = len(marks) // 2
    around_nothing, around_inferences = (
        median(after - before for before, after in pairwise(part)) for part in (marks[:half], marks[half:])
    )
    return int(around_inferences - around_nothing)
