"""tools/emulation/emulate_avx2, with a stand-in for the emulator."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODELS = [ROOT / "tests/files/models" / name for name in ("tiny-int8.tflite", "tiny-float32.onnx")]


def emulate(
    *arguments: object, folder: Path, emulator: str | None, code: int
) -> subprocess.CompletedProcess[str]:
    """Run the tool where `emulator` is the script behind the emulator's name, or there is none."""
    if emulator is not None:
        script = folder / "qemu-x86_64"
        script.write_text(f"#!/bin/sh\n{emulator}\n")
        script.chmod(0o755)
    done = subprocess.run(
        [sys.executable, ROOT / "tools/emulation/emulate_avx2", *map(str, arguments)],
        env={**os.environ, "PATH": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_a_processor_that_answers_the_same(tmp_path: Path, sample_folder: Path) -> None:
    options = ("--images", 20, "--data", sample_folder)
    done = emulate(*MODELS, *options, folder=tmp_path, emulator='shift 2; exec "$@"', code=0)
    assert [line.split(": ")[-1] for line in done.stdout.splitlines()] == ["the same to the bit"] * 2
    assert "logits of 20 images, here and on an emulated Haswell" in done.stdout


def test_a_processor_that_answers_otherwise(tmp_path: Path, sample_folder: Path) -> None:
    """It is given the other model."""
    other = f'shift 2; exec "$1" "$2" "$3" {MODELS[1]} "$5" "$6"'
    options = ("--images", 20, "--cpu", "Nehalem", "--data", sample_folder)
    done = emulate(MODELS[0], *options, folder=tmp_path, emulator=other, code=1)
    assert "an emulated Nehalem: up to " in done.stdout
    assert " other classes" in done.stdout


@pytest.mark.parametrize(
    ("emulator", "code", "said"),
    [
        (None, 2, "qemu-x86_64 is not installed: apt install qemu-user"),
        ("echo illegal instruction >&2; exit 132", 1, "-cpu Haswell: illegal instruction"),
    ],
)
def test_an_emulator_that_is_missing_or_dies(
    emulator: str | None, code: int, said: str, tmp_path: Path, sample_folder: Path
) -> None:
    options = ("--data", sample_folder)
    done = emulate(MODELS[0], *options, folder=tmp_path, emulator=emulator, code=code)
    assert said in done.stderr


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    done = emulate("gone.onnx", folder=tmp_path, emulator="exit 1", code=2)
    assert done.stderr == "emulate_avx2: gone.onnx: no such file\n"
