"""tools/emulation/instruction_count, with a stand-in for the emulator, and once with it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edgefashion.errors import BadInput, RuntimeCrash

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "tests/files/models/tiny-int8.tflite"
MARKS = [100, 110, 130, 140, 150, 160, 5000, 6000, 7010, 8010, 9010, 9999]
"""Around nothing 10, 20, 10, 10, 10; around inferences 1000, 1010, 1000, 1000, 989."""


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "tools/emulation")
    return import_module("counting")


@pytest.fixture
def stand_in(counting: ModuleType, tmp_path: Path) -> Callable[[str], Any]:
    """Makes a Pi whose emulator is a script; in it, $marks is the file that the plugin writes."""
    emulation = import_module("emulation")

    def make(script: str) -> Any:
        emulator = tmp_path / "qemu"
        marks = "for word; do case $word in plugin.so,out=*) marks=${word#*=};; esac; done"
        emulator.write_text(f"#!/bin/sh\n{marks}\n{script}\n")
        emulator.chmod(0o755)
        return emulation.EmulatedPi(emulation.BOARDS["pi4"], (str(emulator),), tmp_path, tmp_path, ())

    return make


def marking(marks: list[int]) -> str:
    lines = "\\n".join(map(str, marks))
    said = json.dumps({"runtime": "LiteRT", "runtime_version": "2.3.0"})
    return f"printf '{lines}\\n' > $marks\necho hello\necho '{said}'"


def test_what_is_counted_around_nothing_is_taken_off(
    counting: ModuleType, stand_in: Callable[[str], Any]
) -> None:
    count = counting.count(MODEL, stand_in(marking(MARKS)), Path("plugin.so"))
    assert (count.median, count.spread) == (990, 0)
    assert (count.runtime, count.runtime_version) == ("LiteRT", "2.3.0")


def test_runs_that_differ_say_by_how_much(
    counting: ModuleType, stand_in: Callable[[str], Any], tmp_path: Path
) -> None:
    """Only one of two can make a file."""
    first, second = marking(MARKS), marking([mark * 2 for mark in MARKS])
    script = f"if (set -C; : > {tmp_path}/first) 2>/dev/null; then\n{first}\nelse\n{second}\nfi"
    count = counting.count(MODEL, stand_in(script), Path("plugin.so"))
    assert (count.median, count.spread) == (990, 990)


@pytest.mark.parametrize("script", ["echo illegal instruction >&2; exit 132", "echo illegal instruction >&2"])
def test_a_program_that_dies_or_does_not_mark(
    counting: ModuleType, stand_in: Callable[[str], Any], script: str
) -> None:
    with pytest.raises(RuntimeCrash, match="on an emulated cortex-a72: illegal instruction"):
        counting.count(MODEL, stand_in(script), Path("plugin.so"))


@pytest.mark.parametrize(
    ("compiler", "said"),
    [(None, "no C compiler is installed"), ("echo cannot find stdio.h >&2; exit 1", "cannot find stdio.h")],
)
def test_a_compiler_that_is_missing_or_fails(
    counting: ModuleType,
    compiler: str | None,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    if compiler:
        (tmp_path / "cc").write_text(f"#!/bin/sh\n{compiler}\n")
        (tmp_path / "cc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(BadInput, match=rf"{said}.*: apt install gcc libc6-dev"):
        counting.plugin(print)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.onnx"], "gone.onnx does not exist"),
        (["gone.zip"], "gone.zip"),
        ([MODEL, "--board", "pi4,pi6"], "no board pi6: choose pi3, pi4, pi5"),
    ],
)
def test_bad_input(arguments: list[object], said: str, tmp_path: Path) -> None:
    done = run(arguments, {"XDG_CACHE_HOME": str(tmp_path)})
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("instruction_count: ") and said in done.stderr


def test_counts_on_an_emulated_pi(
    counting: ModuleType, wanting_downloads: Callable[[], AbstractContextManager[None]], tmp_path: Path
) -> None:
    """The dot product of the Pi 5 makes its number the smaller one; a file without a model is left out."""
    (tmp_path / "no-model.tflite").write_bytes(b"no model")
    with wanting_downloads():
        import_module("emulation").prepare("pi4", "bookworm")
    if not any(map(shutil.which, counting.COMPILERS)):
        pytest.skip("no C compiler is installed")
    done = run([MODEL, tmp_path / "no-model.tflite", "--json", tmp_path / "counts.json"], {})
    assert done.returncode == 1, done.stderr
    assert "no-model.tflite cannot be counted on an emulated cortex-a72: " in done.stderr
    (row,) = json.loads((tmp_path / "counts.json").read_text())["results"]
    counts, spread = row["instructions_per_inference"], row["spread"]
    assert 1000 < counts["cortex-a76"] < counts["cortex-a72"] < 10_000_000
    assert all(spread[cpu] < counts[cpu] / 1000 for cpu in counts)
    assert row["runtime"] == "LiteRT"
    assert f"{counts['cortex-a72']:,}" in done.stdout
    assert "A proxy, not a latency." in done.stdout


def run(arguments: list[Any], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the tool."""
    words = [sys.executable, str(ROOT / "tools/emulation/instruction_count"), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
