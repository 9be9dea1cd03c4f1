"""`edgefashion inspect`, as a user types it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgefashion.training.runs import Run

MODELS = Path(__file__).parents[1] / "files/models"


def inspect(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgefashion", "inspect", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_an_export_without_its_manifest_is_described_in_full(exported: Run, tmp_path: Path) -> None:
    made = [exported.artifacts / f"cnn-int8{suffix}" for suffix in (".tflite", ".onnx")]
    lone = [Path(shutil.copy(path, tmp_path / f"lone{path.suffix}")) for path in made]
    done = inspect(*lone)
    text = done.stdout
    assert "next: edgefashion evaluate " in done.stderr
    assert text.count("4 of the 4 that multiply") == 2
    assert text.count("2,215,168 for one image") == 2
    assert text.count(exported.id) == 2
    assert "Ankle boot" in text
    first, second = json.loads(inspect(*lone, "--json").stdout)
    assert (first["format"], second["format"]) == ("tflite", "onnx")
    assert first["parameters"] == second["parameters"] == 226_890
    assert first["metadata"]["run_id"] == exported.id


def test_any_model_is_described_and_the_next_step_is_named() -> None:
    done = inspect(*sorted(MODELS.iterdir()))
    assert done.stdout.count("parameters  1,490") == len(list(MODELS.iterdir()))
    assert "metadata" not in done.stdout
    assert "next: edgefashion bench " in done.stderr


def test_bad_files_are_one_line_and_the_good_one_is_shown_all_the_same(tmp_path: Path) -> None:
    photo, cut = tmp_path / "photo.tflite", tmp_path / "cut.onnx"
    photo.write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(500))
    cut.write_bytes((MODELS / "tiny-float32.onnx").read_bytes()[:3000])
    good = MODELS / "tiny-int8.tflite"
    done = inspect(photo, cut, tmp_path / "gone.onnx", good, code=2)
    (line,) = done.stderr.splitlines()
    assert line.startswith("edgefashion: ")
    assert all(name in line for name in ("photo.tflite", "cut.onnx", "gone.onnx"))
    assert "2 of the 2 that multiply" in done.stdout
    assert inspect(cut, code=2).stdout == ""


def test_a_run_stands_for_what_was_exported_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exports = tmp_path / "runs/cnn/artifacts"
    exports.mkdir(parents=True)
    shutil.copy(MODELS / "tiny-float32.onnx", exports)
    assert "tiny-float32.onnx" in inspect(exports.parent).stdout
    monkeypatch.chdir(tmp_path)
    assert "tiny-float32.onnx" in inspect("cnn").stdout
    done = inspect("cnn", "--runs", Path("../", tmp_path.name, "runs"))
    assert f"next: edgefashion bench ../{tmp_path.name}/runs/cnn" in done.stderr
    assert "there is no run runs/cn: make it with edgefashion train" in inspect("cn", code=2).stderr


def test_each_field_of_the_metadata_has_a_line_of_its_own() -> None:
    lines = [" ".join(line.split()) for line in inspect("zoo:cnn-64k").stdout.splitlines()]
    assert "input.shape N, 28, 28, 1" in lines
    assert "small_run no" in lines
    assert "kept_float –" in lines
