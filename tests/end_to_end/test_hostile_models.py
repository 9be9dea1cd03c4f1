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
    options = ["--threads", "1", "--seconds", "0.1", "--at-most", "4", "--json", str(path)]
    begin = time.monotonic()
    done = subprocess.run([*COMMAND, str(MATRIX), *options], cwd=ROOT, capture_output=True, text=True)
    assert time.monotonic() - begin < 50  # two processes start meanwhile, on a busy machine
    assert done.returncode == 0, done.stderr
    [row] = json.loads(path.read_text())["results"]
    assert "cut at the 4 s that a row may take" in row["note"]
    assert row["latency_us"]["p50"] and row["latency_us"]["samples"] < 1000


LOOK = """
import sys
from pathlib import Path
from edgefashion.artifacts import artifact, inspection
from edgefashion.errors import ArtifactError
from edgefashion.evaluation import rows
rows.file(artifact.read(Path(sys.argv[2])))
for path in map(Path, sys.argv[1:]):
    for step in artifact.read, inspection.inspect:
        try:
            step(path)
        except ArtifactError as error:
            print(error)
print(*(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
"""Prints what is wrong with files, of which the second is sound, then the most KiB that this took."""


def padded(name: str, path: Path, unknown: bytes, size: int) -> Path:
    """A sound model behind which there is nothing for so many bytes, on the disk neither."""
    path.write_bytes((ROOT / "tests/files/models" / name).read_bytes() + unknown)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + size)
    return path


def test_a_large_file_comes_into_memory_in_pieces_or_not_at_all(tmp_path: Path) -> None:
    large, huge = 256 << 20, 3 << 30
    field_99 = bytes([0x9A, 0x06, 0x80, 0x80, 0x80, 0x80, 0x01])  # of 1 << 28 bytes
    sound = padded("tiny-float32.onnx", tmp_path / "sound.onnx", field_99, large)
    refused = [padded("tiny-int8.tflite", tmp_path / "huge.tflite", b"", huge)]
    refused += [padded("tiny-float32.onnx", tmp_path / "huge.onnx", b"", huge)]
    done = subprocess.run(
        [sys.executable, "-c", LOOK, refused[0], sound, refused[1]], cwd=ROOT, capture_output=True, text=True
    )
    *lines, peak = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert len(lines) >= 2 and all("huge" in line and "has more than" in line for line in lines)
    assert int(peak) < 160 << 10
