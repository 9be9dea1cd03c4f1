"""tools/reproduce_zoo, in its short form."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgefashion import zoo
from edgefashion.errors import RunError
from edgefashion.recipes import NAMED_RECIPES
from edgefashion.training import runs
from edgefashion.training.runs import Run

TOOL = Path(__file__).parents[2] / "tools/reproduce_zoo"


Reproduce = Callable[..., tuple[str, str]]


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the tool's source defines."""
    monkeypatch.syspath_prepend(TOOL.parent)
    return runpy.run_path(str(TOOL))


@pytest.fixture
def reproduce(
    tool: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Reproduce:
    """reproduce(zoo_folder, "--smoke"): what the tool prints, and what it says on stderr or ends with."""

    def call(folder: Path, *words: object) -> tuple[str, str]:
        monkeypatch.setenv("EDGEFASHION_ZOO", str(folder))
        ended = ""
        try:
            tool["main"]([str(word) for word in words])
        except SystemExit as error:
            ended = str(error)
        printed, said = capsys.readouterr()
        return printed, said + ended

    return call


@pytest.fixture
def few_images(tool: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> int:
    """So many images does the short form train on, for whoever only asks what is done with the models."""
    monkeypatch.setitem(tool["main"].__globals__, "SMOKE_IMAGES", 100)
    return 100


def test_it_is_a_command(sample_folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, TOOL, "--data", sample_folder, "--runs", tmp_path / "runs"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "EDGEFASHION_ZOO": str(tmp_path)}
    )
    assert done.returncode == 1
    assert "comes without models" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "runs").exists()


def test_the_models_are_trained_again_and_compared(
    reproduce: Reproduce, few_images: int, zoo_folder: Path, sample_folder: Path, tmp_path: Path
) -> None:
    options = ("--smoke", "--data", sample_folder, "--runs", tmp_path)
    printed, _ = reproduce(zoo_folder, *options)
    (name,) = zoo.open_zoo(zoo_folder).names
    run = runs.read(tmp_path / "cnn")
    recipe = zoo.open_zoo(zoo_folder).runs(name)[0].recipe
    assert run.recipe == replace(recipe, epochs=2, limit=few_images, ema=0.0)
    for shipped in zoo.open_zoo(zoo_folder).artifacts(name):
        again = run.artifacts / shipped.path.name
        sizes = rf"{shipped.path.stat().st_size:,} +{again.stat().st_size:,}"
        assert re.search(rf"cnn +{shipped.format} +{sizes} +\d+\.\d\d +\d+\.\d\d +\d", printed)
    assert "not to be compared" in printed
    assert "reusing" in reproduce(zoo_folder, *options)[1]


def test_the_teacher_is_trained_first(
    tool: dict[str, Any],
    reproduce: Reproduce,
    few_images: int,
    zoo_folder: Path,
    sample_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The files are not made again: above they are."""
    shipped = zoo.open_zoo(zoo_folder).artifacts("cnn")
    monkeypatch.setitem(tool["main"].__globals__, "export_variants", lambda *_, **__: shipped)
    folder = Path(shutil.copytree(zoo_folder, tmp_path / "zoo"))
    info = json.loads((folder / "zoo.json").read_text())
    (story,) = info["models"]["cnn"]["runs"]
    learned = {"teacher": "master", "teacher_id": "0123", "distillation": 0.5, "temperature": 3.0}
    taught = {**story, "recipe": {**story["recipe"], **learned}}
    info["models"]["cnn"]["runs"] = [taught, {**story, "name": "master", "id": "0123"}]
    (folder / "zoo.json").write_text(json.dumps(info))
    reproduce(folder, "--smoke", "--data", sample_folder, "--runs", tmp_path / "runs")
    master = runs.read(tmp_path / "runs/master")
    assert runs.read(tmp_path / "runs/cnn").recipe.teacher_ids == (master.id,)

    info["models"]["cnn"]["runs"] = [taught]
    (folder / "zoo.json").write_text(json.dumps(info))
    _, said = reproduce(folder, "--smoke", "--data", sample_folder, "--runs", tmp_path / "others")
    assert "does not tell how the run 0123 was trained" in said.splitlines()[-1]


def test_each_comes_after_those_that_it_came_from(tool: dict[str, Any], trained: Run) -> None:
    def story(id: str, **parents: Any) -> Any:
        return SimpleNamespace(id=id, recipe=replace(trained.recipe, **parents))

    pupil = story("pupil", teacher_id="old", other_teacher_ids=("new",))
    new, old = story("new", base_run_id="old"), story("old", teacher_id="gone")
    for stories in ([pupil, new, old], [pupil, old, new]):
        assert tool["in_order"](stories) == [old, new, pupil]
    with pytest.raises(RunError, match="the zoo says that the run a came of itself"):
        tool["in_order"]([story("a", base_run_id="b"), story("b", teacher_id="a")])


def test_only_what_began_with_pretrained_weights_is_given_those_named(tool: dict[str, Any]) -> None:
    recipe = NAMED_RECIPES["mobilenetv2"]
    expected = {"imagenet": "file.h5", "no_top.h5": "file.h5", "none": "none", None: None}
    for weights, given in expected.items():
        assert tool["with_new_runs"](replace(recipe, weights=weights), {}, "file.h5").weights == given


def test_the_short_form_caps_epochs_and_images(tool: dict[str, Any]) -> None:
    for name, images, epochs, limit in (("cnn-64k", 60_000, 4, 6000), ("mobilenetv2-fast", 1200, 2, 1200)):
        recipe = NAMED_RECIPES[name]
        assert tool["shortened"](recipe, images) == replace(recipe, epochs=epochs, limit=limit, ema=0.0)


def test_an_unknown_name_is_told_a_known_one(
    reproduce: Reproduce, zoo_folder: Path, sample_folder: Path, tmp_path: Path
) -> None:
    _, said = reproduce(zoo_folder, "cnm", "--data", sample_folder, "--runs", tmp_path / "runs")
    assert "unknown model zoo:cnm: did you mean cnn?" in said.splitlines()[-1]
    assert not (tmp_path / "runs").exists()
