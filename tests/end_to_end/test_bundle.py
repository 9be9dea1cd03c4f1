"""`edgefashion bundle`, as a user types it."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgefashion import bundle as bundles

MODELS = Path(__file__).parents[1] / "files/models"
FILES = [MODELS / name for name in ("tiny-float32.tflite", "tiny-int8.tflite", "tiny-float32.onnx")]


def bundle(
    *arguments: object, cwd: Path, code: int = 0, largest_file: int = resource.RLIM_INFINITY, **settings: str
) -> subprocess.CompletedProcess[str]:
    def start() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
        os.umask(int(settings.get("umask", "22"), 8))

    done = subprocess.run(
        [sys.executable, "-m", "edgefashion", "bundle", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        preexec_fn=start,
        env={**os.environ, "TZ": settings.get("zone", "UTC")},
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("edgefashion: ")]) == (code != 0)
    return done


def test_what_is_printed_is_what_was_written(sample_folder: Path, tmp_path: Path) -> None:
    done = bundle(*FILES, "-o", "tiny.zip", "--data", sample_folder, cwd=tmp_path)
    path = tmp_path / "tiny.zip"
    assert f"{path.stat().st_size:,}  tiny.zip, 9 members, SHA-256 " in done.stdout
    assert "400 test images" in done.stdout
    assert "written: tiny.zip" in done.stderr
    assert "edgefashion bench tiny.zip" in done.stderr
    with bundles.open_bundle(path) as found:
        for each in found.artifacts:
            right = np.mean(found.logits[each.path.name].argmax(axis=1) == found.labels)
            (line,) = [line for line in done.stdout.splitlines() if each.path.name in line]
            assert f"{each.path.stat().st_size:,}  " in line
            assert f"accuracy {100 * right:.2f} %" in line


def test_twice_the_same_bytes_wherever_and_however_it_runs(sample_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for file in FILES:
        shutil.copy(file, tmp_path)
    options = ["--data", sample_folder, "--images", 30]
    bundle(*FILES, "-o", "a.zip", *options, cwd=tmp_path)
    copies = [f"../{file.name}" for file in FILES]
    bundle(*copies, "-o", "b.zip", *options, cwd=tmp_path / "elsewhere", umask="077", zone="Asia/Kathmandu")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "elsewhere/b.zip").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([FILES[0]], "-o"),
        ([FILES[0], "-o", "tiny.tflite"], "is not a .zip file: call it tiny.zip"),
        ([FILES[0], "-o", "b.zip", "--images", "401"], "give 1 to 400"),
        ([FILES[0], "-o", "b.zip", "--images", "0"], "--images"),
        ([FILES[0], "-o", "b.zip", "--images", "some"], "--images"),
        (["nothing", "-o", "b.zip"], "nothing"),
        ([MODELS / "gone.onnx", "-o", "b.zip"], "gone.onnx does not exist"),
        ([MODELS / "float-input.onnx", "-o", "b.zip"], "float-input.onnx: expected uint8"),
        (["-o", "b.zip"], "there are no runs"),
    ],
)
def test_bad_input(
    sample_folder: Path, tmp_path: Path, arguments: list[object], said: str, nothing_along: None
) -> None:
    done = bundle(*arguments, "--data", sample_folder, cwd=tmp_path, code=2)
    assert said in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_bundle(sample_folder: Path, tmp_path: Path) -> None:
    options = ["-o", "b.zip", "--data", sample_folder]
    bundle(FILES[0], "--images", 10, *options, cwd=tmp_path)
    before = (tmp_path / "b.zip").read_bytes()
    done = bundle(*FILES, "--images", "all", *options, cwd=tmp_path, code=2, largest_file=325_000)
    assert "cannot write b.zip: File too large" in done.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"b.zip": before}
