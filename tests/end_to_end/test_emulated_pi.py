"""edgefashion on an emulated Raspberry Pi: this checkout's wheel computes there what it computes here."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import edgefashion
from edgefashion import runtimes
from edgefashion.data import Dataset

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "tests/data/models"

PREDICT = """
import json, sys
from pathlib import Path
import numpy as np
import edgefashion
from edgefashion import device, runtimes

folder = Path(sys.argv[1])
images = np.load(folder / "images.npy")
for path in map(Path, sys.argv[2:]):
    runtime = runtimes.for_file(path)
    runtime.start()
    np.save(folder / f"{path.name}.npy", runtime.load(path, threads=1).predict(images))
print(json.dumps({"version": edgefashion.__version__, "file": edgefashion.__file__, **device.describe()}))
"""


def emulated_pi(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "tools/emulated_pi", *map(str, words)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module", autouse=True)
def built(wanting_downloads: Callable[[], AbstractContextManager[None]]) -> None:
    """What the boards share, so that a test that fails does so for another reason than a download."""
    with wanting_downloads():
        import_module("emulation").prepare("pi4", "bookworm")


@pytest.mark.parametrize(("board", "cpu"), [("pi4", "Cortex-A72"), ("pi5", "Cortex-A76")])
def test_predictions_are_those_of_this_machine(board: str, cpu: str, sample: Dataset, tmp_path: Path) -> None:
    """int8 TFLite to the bit; the package is that of this checkout, from its wheel."""
    files = [MODELS / name for name in ("tiny-int8.tflite", "tiny-float32.tflite", "tiny-float32.onnx")]
    images = sample.test.images[:100]
    np.save(tmp_path / "images.npy", images)
    done = emulated_pi("--board", board, "python", "-P", "-c", PREDICT, tmp_path, *files)
    machine = json.loads(done.stdout)
    assert machine["version"] == edgefashion.__version__
    assert not Path(machine["file"]).is_relative_to(ROOT)
    assert (machine["machine"], machine["cpu"]) == ("aarch64", cpu)
    assert machine["emulated"].startswith("qemu-aarch64")
    for path in files:
        runtime = runtimes.for_file(path)
        runtime.start()
        here = runtime.load(path, threads=1).predict(images)
        there = np.load(tmp_path / f"{path.name}.npy")
        np.testing.assert_allclose(there, here, atol=0 if "int8" in path.name else 1e-4)


def test_the_exit_code_and_the_words_are_those_of_the_command() -> None:
    done = emulated_pi("python", "-c", "import sys; print(sys.argv[1:]); sys.exit(7)", "--board", "x", code=7)
    assert done.stdout == "['--board', 'x']\n"
    said = emulated_pi("edgefashion", "inspect", "gone.tflite", code=2).stderr
    assert said.startswith("edgefashion: gone.tflite")


def test_the_doctor_finds_it_unfit_to_measure() -> None:
    done = emulated_pi("--board", "pi3", "edgefashion", "doctor", code=1)
    assert "problem emulated      qemu-aarch64 -cpu cortex-a53 imitates the processor" in done.stdout
    assert "Raspberry Pi 3 Model B Plus: Cortex-A53" in done.stdout
    assert done.stdout.count("not tried: no child process can be started here") == 2
