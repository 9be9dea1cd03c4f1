"""The tools that show what the benchmark adds, how far it repeats, and how long a recipe needs: that they
compare what they say.
"""

import json
import os
import runpy
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image, ImageDraw

from edgefashion.cli import main
from edgefashion.data import Dataset

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "tests/files/models"


def run(tool: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "tools/bench" / tool, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_repeatability_has_every_row_of_every_run(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    names = [MODELS / "tiny-int8.tflite", MODELS / "tiny-float32.onnx"]
    done = run("repeatability", *names, "--threads", "1", "--seconds", "0.01", "--json", path)
    rows = json.loads(path.read_text())["rows"]
    assert [row["path"] for row in rows] == list(map(str, names))
    for row in rows:
        low, high = sorted(row["p50_us"])
        assert row["spread"] == pytest.approx(high / low - 1)
    worst = max(row["spread"] for row in rows)
    assert done.returncode == (worst > 0.03)
    assert f"largest: {worst:.1%} over 2 runs" in done.stdout


@pytest.mark.parametrize("name", ["tiny-int8.tflite", "tiny-float32.onnx"])
def test_overhead_compares_the_same_work(name: str, tmp_path: Path) -> None:
    path = tmp_path / "o.json"
    done = run("overhead", MODELS / name, "--rounds", 3, "--seconds", 0.02, "--json", path)
    [row] = json.loads(path.read_text())["rows"]
    assert {len(medians) for medians in row["rounds"].values()} == {3}
    assert 0.2 < row["ours_over_plain"] < 5  # of the same model, whatever the machine does meanwhile
    apart = abs(row["ours_over_plain"] - 1)
    assert done.returncode == (apart > 0.02 and apart * row["plain_us"] > 2)
    assert name in done.stdout


def test_bad_input_is_one_line() -> None:
    for tool in ("repeatability", "overhead"):
        done = run(tool, "notes.txt")
        assert done.returncode != 0 and "Traceback" not in done.stderr
        assert "notes.txt" in done.stderr.splitlines()[-1]
    assert run("repeatability", "a.onnx", "--runs", 1).returncode == 2


def here(command: list[object]) -> subprocess.CompletedProcess[str]:
    """A command of edgefashion in this process, where TensorFlow is open."""
    assert command[:3] == [sys.executable, "-m", "edgefashion"]
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in command[3:]])
    return subprocess.CompletedProcess([], int(ended.value.code or 0))


def test_time_to_accuracy_trains_each_recipe_and_compares_it_with_the_first(
    sample_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "t.json"
    options = ("--data", sample_folder, "--runs", tmp_path / "runs", "--limit", 200, "--json", path)
    monkeypatch.syspath_prepend(ROOT / "tools/bench")
    monkeypatch.setattr("sys.argv", ["time_to_accuracy", "cnn", "cnn-64k", *map(str, options)])
    tool = runpy.run_path(str(ROOT / "tools/bench/time_to_accuracy"))["main"]
    monkeypatch.setitem(tool.__globals__, "subprocess", SimpleNamespace(run=here))
    monkeypatch.setitem(tool.__globals__, "children_seconds", time.process_time)
    tool()
    found = json.loads(path.read_text())
    for row, name in zip(found["rows"], ("cnn", "cnn-64k"), strict=True):
        info = json.loads((tmp_path / "runs" / name / "run.json").read_text())
        assert row["recipe"] == name and row["epochs"] == info["recipe"]["epochs"] == 1
        assert info["seconds"] < row["seconds"]  # with what comes before the first batch
        assert set(row["test_accuracy"]) == {"float32", "int8"}
    first, second = found["rows"]
    assert second["ratio"] == pytest.approx(second["seconds"] / first["seconds"])
    assert "--limit 200: a try, which measures nothing" in capfd.readouterr().out


def test_time_to_accuracy_knows_its_recipes() -> None:
    done = run("time_to_accuracy", "mobilenet")
    assert done.returncode == 2
    assert "unknown recipe mobilenet: there are cnn, " in done.stderr.splitlines()[-1]


def test_damaged_files_are_read_or_refused() -> None:
    done = run("fuzz", "--seconds", "2", "--seed", "1")
    assert done.returncode == 0, done.stdout
    assert ", 0 findings, " in done.stdout


def test_pictures_compares_what_is_equal() -> None:
    options = ("--count", 60, "--edge", 40, "--size", 32, "--repeats", 1, "--seconds", 0.01)
    done = run("pictures", *options)
    assert done.returncode == 0, done.stderr
    assert "60 files of 40x40 pixels, images of 32x32" in done.stdout
    assert "pixels are 0.00 apart on average" in done.stdout
    for line in ("opening: ", "decoding, ", "pipeline, cnn"):
        assert f"\n{line}" in done.stdout


def test_rejection_tells_pictures_of_other_things_from_those_of_the_classes(
    sample: Dataset, sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, cross = tmp_path / "other", Image.new("L", (90, 90), 255)
    folder.mkdir()
    Image.fromarray(sample.test.images[0, ..., 0]).save(folder / "clothing.png")
    for line in ((15, 80, 75, 10), (15, 10, 75, 80)):
        ImageDraw.Draw(cross).line(line, fill=0, width=8)
    cross.save(folder / "cross.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tools/bench")
        options = ("--other", folder, "--data", sample_folder)
        patch.setattr("sys.argv", ["rejection", "zoo:cnn-64k-int8-qat.tflite", *map(str, options)])
        runpy.run_path(str(ROOT / "tools/bench/rejection"))["main"]()
    *_, test, others = filter(None, capsys.readouterr().out.splitlines())
    assert test.startswith("| cnn-64k-int8-qat.tflite | test (400) | ")
    assert others.startswith("| cnn-64k-int8-qat.tflite | other (2) | 50.0 (")
