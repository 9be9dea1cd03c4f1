"""The tools that show what the benchmark adds, how far it repeats, and how long a recipe needs: that they
compare what they say.
"""

import json
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image, ImageDraw

from edgefashion.cli import main
from edgefashion.data import Dataset
from edgefashion.models import residual

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "tests/files/models"


def run(tool: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "tools/bench" / tool, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def here(command: list[object], **_: object) -> subprocess.CompletedProcess[str]:
    """A command of edgefashion in this process, where TensorFlow is open."""
    assert command[:3] == [sys.executable, "-m", "edgefashion"]
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in command[3:]])
    return subprocess.CompletedProcess([], int(ended.value.code or 0))


@pytest.fixture
def main_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Callable[[], object]]:
    """main_of("overhead", file): the tool's `main` for this process, which has typed these words."""

    def found(tool: str, *words: object) -> Callable[[], object]:
        monkeypatch.syspath_prepend(ROOT / "tools/bench")
        monkeypatch.setattr("sys.argv", [tool, *map(str, words)])
        begin: Callable[[], object] = runpy.run_path(str(ROOT / "tools/bench" / tool))["main"]
        return begin

    return found


Main = Callable[..., Callable[[], object]]


def ended_with(begin: Callable[[], object]) -> int:
    """The exit code."""
    with pytest.raises(SystemExit) as ended:
        begin()
    return int(ended.value.code or 0)


def test_repeatability_has_every_row_of_every_run(
    main_of: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.json"
    names = [MODELS / "tiny-int8.tflite", MODELS / "tiny-float32.onnx"]
    tool = main_of("repeatability", *names, "--threads", "1", "--seconds", "0.01", "--json", path)
    monkeypatch.setitem(tool.__globals__, "subprocess", SimpleNamespace(run=here, DEVNULL=None, PIPE=None))
    code = ended_with(tool)
    rows = json.loads(path.read_text())["rows"]
    assert [row["path"] for row in rows] == list(map(str, names))
    for row in rows:
        low, high = sorted(row["p50_us"])
        assert row["spread"] == pytest.approx(high / low - 1)
    worst = max(row["spread"] for row in rows)
    assert code == (worst > 0.03)
    assert f"largest: {worst:.1%} over 2 runs" in capsys.readouterr().out


def test_overhead_compares_the_same_work(
    main_of: Main, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, names = tmp_path / "o.json", ("tiny-int8.tflite", "tiny-float32.onnx")
    files = [MODELS / name for name in names]
    tool = main_of("overhead", *files, "--rounds", 3, "--seconds", 0.02, "--json", path)
    tool.__globals__["WARM_UP_S"] = 0.02
    code = ended_with(tool)
    rows, beyond = json.loads(path.read_text())["rows"], 0
    for row in rows:
        assert {len(medians) for medians in row["rounds"].values()} == {3}
        assert 0.2 < row["ours_over_plain"] < 5  # of the same model, whatever the machine does meanwhile
        apart = abs(row["ours_over_plain"] - 1)
        beyond += apart > 0.02 and apart * row["plain_us"] > 2
    assert code == (beyond > 0)
    said = capsys.readouterr().out
    assert len(rows) == 2 and all(name in said for name in names)


def test_bad_input_is_one_line() -> None:
    for tool in ("repeatability", "overhead"):
        done = run(tool, "notes.txt")
        assert done.returncode != 0 and "Traceback" not in done.stderr
        assert "notes.txt" in done.stderr.splitlines()[-1]
    assert run("repeatability", "a.onnx", "--runs", 1).returncode == 2


def test_time_to_accuracy_trains_each_recipe_and_compares_it_with_the_first(
    main_of: Main,
    sample_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "t.json"
    options = ("--data", sample_folder, "--runs", tmp_path / "runs", "--limit", 200, "--json", path)
    monkeypatch.setattr(residual, "_block", lambda tensor, *_: tensor)
    tool = main_of("time_to_accuracy", "cnn", "cnn-64k", *options)
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
    done = run("fuzz", "--seconds", "1", "--seed", "1")
    assert done.returncode == 0, done.stdout
    assert ", 0 findings, " in done.stdout


def test_pictures_compares_what_is_equal(
    main_of: Main, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--count", 60, "--edge", 40, "--size", 32, "--repeats", 1, "--seconds", 0.01)
    monkeypatch.setenv("XDG_CACHE_HOME", "the tool's own")
    tool = main_of("pictures", *options)
    monkeypatch.setitem(tool.__globals__, "ProcessPoolExecutor", ThreadPoolExecutor)
    tool()
    printed = capsys.readouterr().out
    assert "60 files of 40x40 pixels, images of 32x32" in printed
    assert "pixels are 0.00 apart on average" in printed
    for line in ("opening: ", "decoding, ", "pipeline, cnn"):
        assert f"\n{line}" in printed


def test_rejection_tells_pictures_of_other_things_from_those_of_the_classes(
    main_of: Main,
    sample: Dataset,
    sample_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, cross = tmp_path / "other", Image.new("L", (90, 90), 255)
    folder.mkdir()
    Image.fromarray(sample.test.images[0, ..., 0]).save(folder / "clothing.png")
    for line in ((15, 80, 75, 10), (15, 10, 75, 80)):
        ImageDraw.Draw(cross).line(line, fill=0, width=8)
    cross.save(folder / "cross.png")
    main_of("rejection", "zoo:cnn-64k-int8-qat.tflite", "--other", folder, "--data", sample_folder)()
    *_, test, others = filter(None, capsys.readouterr().out.splitlines())
    assert test.startswith("| cnn-64k-int8-qat.tflite | test (400) | ")
    assert others.startswith("| cnn-64k-int8-qat.tflite | other (2) | 50.0 (")
