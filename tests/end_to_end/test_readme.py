"""README keeps its word: its Python runs, again too, and what it says to install can be installed."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import edgefashion as ef

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_python_block_runs_as_it_is_and_where_it_ran_before(
    trained: ef.Run,
    sample_folder: Path,
    sample: ef.Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGEFASHION_DATA", str(sample_folder))
    shutil.copytree(trained.folder, "runs/mine")
    Image.fromarray(255 - sample.test.images[0, ..., 0]).resize((280, 280)).save("shoe.jpg")
    quick = replace(ef.BenchmarkOptions().lasting(0.01), samples=1, rounds=1, in_process=True)
    monkeypatch.setattr("edgefashion.api.measure.BenchmarkOptions", lambda: quick)
    ef.benchmark("zoo:cnn-64k", threads=[1], options=quick).save("pi.json")
    capfd.readouterr()
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
    out, err = capfd.readouterr()
    assert "int8" in out and "shoe.jpg" in out and sample.task.classes[0] in out
    assert err == ""


def test_nothing_is_to_be_installed_by_a_name_that_no_index_has() -> None:
    text = README + "".join(path.read_text() for path in (ROOT / "edgefashion").rglob("*.py"))
    assert not re.findall(r"pip install [^\n]*(?<![./\w-])edgefashion(?![-./\w])", text)
    assert "edgefashion[" not in README


def test_what_the_first_lines_need_is_said() -> None:
    start = README.partition("## Five commands")[0]
    assert ". .venv/bin/activate" in start
    assert "sudo apt install git python3-venv" in start.replace("\n", " ")
