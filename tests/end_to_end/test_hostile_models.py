"""Model files that nobody means well: each is a row or a line, in little time and memory."""

import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED, OWN = ROOT.parent / "shared/data/cases", ROOT / "tests/files/cases"
MODELS = sorted(path for path in (SHARED / "hostile").glob("*") if path.suffix in (".onnx", ".tflite")) or [
    OWN / name for name in ("1gin.onnx", "circle1.onnx", "circle2.onnx")
]
MATRIX = OWN / "matmul_quant.tflite"
COMMAND = (sys.executable, "-m", "edgefashion", "bench")

PEAK = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
"""Runs a command, then prints the most KiB that it or a child of it held."""


def test_all_of_them_at_once_are_rows(tmp_path: Path) -> None:
    assert len(MODELS) >= 2
    path, sound = tmp_path / "results.json", ROOT / "tests/files/models/tiny-int8.tflite"
    arguments = [*map(str, MODELS), str(sound), "--threads", "1", "--seconds", "0.01", "--json", str(path)]
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert time.monotonic() - begin < 60 * len(MODELS)
    assert done.returncode in (1, 2) and "Traceback" not in done.stderr
    rows = json.loads(path.read_text())["results"]
    assert len(rows) == len(MODELS) + 1 and rows[-1]["status"] == "ok"
    assert all(row["error"] and "\n" not in row["error"] for row in rows if row["status"] != "ok")
    assert int(done.stdout.splitlines()[-1]) < 1 << 20


def test_a_model_slower_than_its_row_s_time_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    options = ["--threads", "1", "--seconds", "0.1", "--at-most", "10", "--json", str(path)]
    begin = time.monotonic()
    done = subprocess.run([*COMMAND, str(MATRIX), *options], cwd=ROOT, capture_output=True, text=True)
    assert time.monotonic() - begin < 50  # two processes start meanwhile, on a busy machine
    assert done.returncode == 0, done.stderr
    [row] = json.loads(path.read_text())["results"]
    assert "cut at the 10 s that a row may take" in row["note"]
    assert row["latency_us"]["p50"] and row["latency_us"]["samples"] < 1000
