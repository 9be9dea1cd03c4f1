"""README keeps its word: its Python runs, again too, and what it says to install can be installed."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from edgefashion.recipes import RECIPES
from edgefashion.training.runs import Run

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_python_block_runs_where_it_ran_before(
    trained: Run,
    sample_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGEFASHION_DATA", str(sample_folder))
    monkeypatch.setitem(RECIPES, "cnn", replace(RECIPES["cnn"], epochs=2, batch_size=16))
    shutil.copytree(trained.folder, "runs/cnn")
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
    assert "int8" in capsys.readouterr().out


def test_nothing_is_to_be_installed_by_a_name_that_no_index_has() -> None:
    text = README + "".join(path.read_text() for path in (ROOT / "edgefashion").rglob("*.py"))
    assert not re.findall(r"pip install [^\n]*(?<![./\w-])edgefashion(?![-./\w])", text)
    assert "edgefashion[" not in README


def test_what_the_first_lines_need_is_said() -> None:
    start = README.partition("## Five commands")[0]
    assert ". .venv/bin/activate" in start
    assert "sudo apt install git python3-venv" in start.replace("\n", " ")
