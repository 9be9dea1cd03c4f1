"""`pip install 'edgefashion[pi]'` into an empty environment: what comes, how big it is, what works."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path

import pytest

MODELS = Path(__file__).parent.parent / "data/models"
LIMIT_MB = 190
"""What the extra may take on a Raspberry Pi, in a million bytes."""
TOO_MUCH = {"tensorflow", "keras", "tf_keras", "onnx", "tf2onnx", "matplotlib", "scipy", "pandas", "PIL"}

Block = Callable[[], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wanting_downloads: Block) -> Path:
    """Folder of an environment that holds our wheel with [pi], and nothing else, not even pip."""
    with wanting_downloads():
        parts = import_module("emulation_parts")
        folder = tmp_path_factory.mktemp("light") / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        if shutil.which("uv"):
            words = ["uv", "pip", "install", "--python", str(folder), "--compile-bytecode"]
        else:
            words = [sys.executable, "-m", "pip", "--python", str(folder), "install"]
        words += ["--constraint", str(parts.CONSTRAINTS), f"edgefashion[pi] @ {parts.wheel().as_uri()}"]
        parts.run(words, "the environment cannot be filled")
        return folder


@pytest.fixture
def light(installed: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a program of that environment, in an empty folder: light("edgefashion", "--help", code=0)."""

    def run(program: str, *words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        command = [installed / "bin" / program, *map(str, words)]
        done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


def megabytes(folder: Path, bytecode: bool) -> float:
    """Millions of bytes in the files below a folder: of bytecode, or of all else."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files if (path.suffix == ".pyc") == bytecode) / 1e6


def site_packages(folder: Path) -> Path:
    return next(folder.glob("lib/python*/site-packages"))


def test_nothing_for_training_comes_along(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packages = site_packages(installed)
    found = {path.name for path in packages.iterdir()}
    assert {"edgefashion", "ai_edge_litert", "onnxruntime", "numpy"} <= found
    assert not TOO_MUCH & found
    assert "pip" not in found
    with capsys.disabled():
        print(
            f"\nedgefashion[pi] here: {megabytes(packages, bytecode=False):.0f} MB,"
            f" and {megabytes(packages, bytecode=True):.0f} MB of bytecode that pip compiles"
        )


def test_the_models_for_the_machine_s_limit_come_along(
    light: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    script = (
        "from edgefashion.runtimes.limit import FORMATS, matrix_product;"
        "print([matrix_product(f, i).path.is_file() for f in FORMATS for i in (False, True)])"
    )
    assert light("python", "-c", script).stdout.strip() == "[True, True, True, True]"


@pytest.mark.parametrize("system", ["bookworm", "trixie"])
def test_it_is_small_on_a_raspberry_pi(
    system: str, wanting_downloads: Block, capsys: pytest.CaptureFixture[str]
) -> None:
    """The wheels for 64-bit Arm, unpacked as pip does."""
    with wanting_downloads():
        emulation = import_module("emulation")
        folders = emulation.packages(system)
    size = sum(megabytes(folder, bytecode=False) for folder in folders)
    with capsys.disabled():
        print(f"\nedgefashion[pi] on Raspberry Pi OS {system}: {size:.0f} MB, at most {LIMIT_MB}")
    assert 100 < size <= LIMIT_MB


def test_files_are_inspected_and_evaluated(
    light: Callable[..., subprocess.CompletedProcess[str]], sample_folder: Path, tmp_path: Path
) -> None:
    files = [MODELS / "tiny-int8.tflite", MODELS / "tiny-float32.onnx"]
    assert light("edgefashion", "inspect", *files).stdout.count("parameters  1,490") == 2
    options = ("--data", sample_folder, "--limit", 100, "--threads", 1, "--json", tmp_path / "light.json")
    light("edgefashion", "evaluate", *files, *options)
    here = [sys.executable, "-m", "edgefashion", "evaluate", *files, *options[:-1], tmp_path / "here.json"]
    subprocess.run([*map(str, here)], check=True, capture_output=True)
    there, here = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("light", "here"))
    assert [row["accuracy"] for row in there["results"]] == [row["accuracy"] for row in here["results"]]


def test_the_other_verbs_name_the_extra_they_need(
    light: Callable[..., subprocess.CompletedProcess[str]], sample_folder: Path, tmp_path: Path
) -> None:
    data = ("--data", sample_folder)
    missing = {
        ("train", *data): "Training and exporting need tensorflow, which is not installed: pip install"
        " 'edgefashion[train]'",
        ("data", "--plot", "grid.png", *data): "Drawing needs matplotlib, which is not installed: pip install"
        " 'edgefashion[plot]'",
    }
    for words, line in missing.items():
        said = light("edgefashion", *words, code=1).stderr.splitlines()
        assert said[-1] == f"edgefashion: {line}"
