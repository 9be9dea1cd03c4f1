"""`edgefashion compare`, as a user types it."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgefashion.evaluation import results
from edgefashion.installation import pip_install

SLOWER = 1000
"""So much that no noise of the machine can hide it."""
MODELS = Path(__file__).parents[1] / "files/models"


def edgefashion(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgefashion", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, sample_folder: Path) -> Path:
    """What `evaluate` writes of two small models on this machine."""
    path = tmp_path_factory.mktemp("results") / "here.json"
    models = [MODELS / "tiny-float32.tflite", MODELS / "tiny-int8.tflite"]
    quick = ("--seconds", 0.01, "--threads", 1, "--in-process")
    edgefashion("evaluate", *models, *quick, "--data", sample_folder, "--json", path)
    return path


@pytest.fixture
def there(here: Path, tmp_path: Path) -> Path:
    """The same, as a Raspberry Pi would have written it."""
    content = json.loads(here.read_text())
    content["device"]["board"] = "Raspberry Pi 5 Model B Rev 1.0"
    for row in content["results"]:
        row["raw_us"] = [SLOWER * sample for sample in row["raw_us"]]
        times = {name: row["latency_us"][name] for name in ("p50", "p90", "p99", "mean")}
        row["latency_us"] |= {name: value and SLOWER * value for name, value in times.items()}
    path = tmp_path / "there.json"
    path.write_text(json.dumps(content))
    return path


def test_two_devices_in_one_table(here: Path, there: Path, tmp_path: Path) -> None:
    forms = [tmp_path / f"compared.{kind}" for kind in ("json", "csv", "md", "png")]
    options = [part for kind, path in zip(("json", "csv", "markdown", "plot"), forms, strict=True)
               for part in (f"--{kind}", path)]  # fmt: skip
    done = edgefashion("compare", here, there, "--against", "pi 5", *options)
    assert "Raspberry Pi 5" in done.stdout
    assert all(f"{path}" in done.stderr for path in forms)
    found = json.loads(forms[0].read_text())
    assert found["against"] == 2
    ratios = [row["ratio"] for row in found["rows"]]
    assert ratios == [pytest.approx(1 / SLOWER), None] * 2
    assert [row["within_spread"] for row in found["rows"]] == [False, None] * 2
    with forms[1].open() as file:
        assert [float(row["ratio"]) for row in csv.DictReader(file) if row["ratio"]] == ratios[::2]
    assert "| (1)/(2) |" in forms[2].read_text()
    assert forms[3].read_bytes().startswith(b"\x89PNG")


def test_an_old_file_and_a_single_one(here: Path, tmp_path: Path) -> None:
    content = json.loads(here.read_text())
    old: dict[str, Any] = {name: content[name] for name in ("device", "dataset")}
    newer = {"round_samples", "flags", "loops", "macs", "sustained", "pinned"}
    kept = [{name: value for name, value in row.items() if name not in newer} for row in content["results"]]
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"schema": 1, **old, "results": kept}))
    done = edgefashion("compare", path)
    assert "next: edgefashion compare" in done.stderr
    assert "p50 µs" in done.stdout
    assert "/(1)" not in done.stdout


def test_bad_files_are_named_and_the_others_compared(here: Path, there: Path, tmp_path: Path) -> None:
    bad = {"empty.json": "", "foreign.json": "{}", "cut.json": here.read_text()[:1000]}
    bad["future.json"] = json.dumps({"schema": results.SCHEMA + 1})
    for name, text in bad.items():
        (tmp_path / name).write_text(text)
    files = [tmp_path / name for name in bad]
    done = edgefashion("compare", *files, here, there, here, code=2)
    said = [line for line in done.stderr.splitlines() if line.startswith("left out: ")]
    assert len(said) == 5
    assert all(any(name in line for line in said) for name in [*bad, "here.json is the same as"])
    assert done.stderr.splitlines()[-1] == "edgefashion: 4 of 7 files are left out: see above"
    assert "(2)/(1)" in done.stdout
    done = edgefashion("compare", here, there, tmp_path / "gone.json", code=2)
    [line] = done.stderr.splitlines()
    assert "gone.json cannot be read" in line
    assert "(2)/(1)" in done.stdout
    done = edgefashion("compare", *files, tmp_path / "gone.json", code=2)
    [line] = done.stderr.splitlines()
    assert all(name in line for name in [*bad, "gone.json"])
    assert done.stdout == ""


def test_bad_wishes_are_one_line_before_any_output(here: Path, there: Path, tmp_path: Path) -> None:
    for options, said in (
        (["--against", "pi 3"], "choose from 1 ("),
        (["--json", there], "is one of the files to read"),
        (["--plot", "a.bmp"], "end the name in .png, .svg or .pdf"),
    ):
        done = edgefashion("compare", here, there, *options, code=2)
        [line] = done.stderr.splitlines()
        assert said in line
        assert done.stdout == ""
    assert json.loads(there.read_text())["results"]


def test_without_matplotlib_only_the_picture_is_missing(here: Path, tmp_path: Path) -> None:
    absent = ["matplotlib", "ai_edge_litert", "onnxruntime", "onnx", "tensorflow"]
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({absent}))\nfrom edgefashion.cli import main; main()"
    )
    command = [sys.executable, "-c", code, "compare", str(here)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, "p50 µs" in done.stdout) == (0, True)
    done = subprocess.run([*command, "--plot", str(tmp_path / "a.png")], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert pip_install("plot") in done.stderr
