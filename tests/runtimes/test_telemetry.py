"""Nothing that is measured or imported here reports to its maker."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "tests/files/models/tiny-float32.onnx"
IN_A_CHILD = f"""
from pathlib import Path
from edgefashion.runtimes.process import ModelProcess
with ModelProcess(Path({str(MODEL)!r}), 1) as model:
    model.warm_up(seconds=0.5)
"""
IN_THIS_PROCESS = f"""
import {{first}}
import os, time, onnxruntime
before = len(os.listdir("/proc/self/task"))
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession({str(MODEL)!r}, options, providers=["CPUExecutionProvider"])
time.sleep(0.5)
print(len(os.listdir("/proc/self/task")) - before)
"""


def run_in_an_empty_home(script: str, folder: Path) -> str:
    """What the script prints; it must have left no file behind."""
    places = {name: str(folder / name) for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TMPDIR")}
    for place in places.values():
        Path(place).mkdir()
    variables = {**os.environ, **places, "PYTHONPATH": str(ROOT)}
    variables.pop("ORT_DISABLE_TELEMETRY", None)
    done = subprocess.run(
        [sys.executable, "-c", script], env=variables, check=True, capture_output=True, text=True
    )
    assert [str(path) for place in places.values() for path in Path(place).rglob("*")] == []
    return done.stdout.strip()


def test_a_measured_onnx_file_leaves_nothing_on_the_machine(tmp_path: Path) -> None:
    run_in_an_empty_home(IN_A_CHILD, tmp_path)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc")
@pytest.mark.parametrize("first", ["edgefashion", "edgefashion.export"])
def test_onnx_runtime_starts_no_thread_that_reports(first: str, tmp_path: Path) -> None:
    assert run_in_an_empty_home(IN_THIS_PROCESS.format(first=first), tmp_path) == "0"


def test_no_tool_imports_onnx_runtime_without_what_silences_it() -> None:
    for path in (ROOT / "tools").rglob("*"):
        if (
            path.is_file()
            and path.suffix != ".pyc"
            and re.search(r"^\s*(import|from) onnxruntime", path.read_text(), re.MULTILINE)
        ):
            assert re.search(r"^(import|from) edgefashion", path.read_text(), re.MULTILINE), path
