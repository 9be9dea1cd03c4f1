"""tools/reproduce_zoo, in its short form."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from edgefashion import zoo
from edgefashion.recipes import NAMED_RECIPES
from edgefashion.training import runs

TOOL = Path(__file__).parents[2] / "tools/reproduce_zoo"


def reproduce(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, TOOL, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "EDGEFASHION_ZOO": str(folder)},
    )


def test_the_models_are_trained_again_and_compared(
    zoo_folder: Path, sample_folder: Path, tmp_path: Path
) -> None:
    options = ("--smoke", "--data", sample_folder, "--runs", tmp_path)
    done = reproduce(zoo_folder, *options)
    assert done.returncode == 0, done.stderr
    (name,) = zoo.opened(zoo_folder).names
    run = runs.read(tmp_path / "cnn")
    recipe = zoo.opened(zoo_folder).runs(name)[0]["recipe"]
    assert run.info["recipe"] == {**recipe, "epochs": 2, "limit": 1200, "ema": 0.0}
    for shipped in zoo.opened(zoo_folder).artifacts(name):
        again = run.artifacts / shipped.path.name
        sizes = rf"{shipped.path.stat().st_size:,} +{again.stat().st_size:,}"
        assert re.search(rf"cnn +{shipped.format} +{sizes} +\d+\.\d\d +\d+\.\d\d +\d", done.stdout)
    assert "comparable with nothing" in done.stdout
    assert "reusing" in reproduce(zoo_folder, *options).stderr


def test_the_teacher_is_trained_first(zoo_folder: Path, sample_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(zoo_folder, tmp_path / "zoo"))
    info = json.loads((folder / "zoo.json").read_text())
    (story,) = info["models"]["cnn"]["runs"]
    learned = {"teacher": "master", "teacher_id": "0123", "distillation": 0.5, "temperature": 3.0}
    taught = {**story, "recipe": {**story["recipe"], **learned}}
    info["models"]["cnn"]["runs"] = [taught, {**story, "name": "master", "id": "0123"}]
    (folder / "zoo.json").write_text(json.dumps(info))
    done = reproduce(folder, "--smoke", "--data", sample_folder, "--runs", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    master = runs.read(tmp_path / "runs/master")
    assert runs.read(tmp_path / "runs/cnn").teacher_id == master.id

    info["models"]["cnn"]["runs"] = [taught]
    (folder / "zoo.json").write_text(json.dumps(info))
    done = reproduce(folder, "--smoke", "--data", sample_folder, "--runs", tmp_path / "others")
    assert done.returncode == 1
    assert "does not tell how the run 0123 was trained" in done.stderr.splitlines()[-1]


def test_only_what_began_with_pretrained_weights_is_given_those_named() -> None:
    with_new_runs = runpy.run_path(str(TOOL))["with_new_runs"]
    recipe = NAMED_RECIPES["mobilenetv2"]
    expected = {"imagenet": "file.h5", "no_top.h5": "file.h5", "none": "none", None: None}
    for weights, given in expected.items():
        assert with_new_runs(replace(recipe, weights=weights), {}, "file.h5").weights == given


def test_the_short_form_caps_epochs_and_images() -> None:
    shortened = runpy.run_path(str(TOOL))["shortened"]
    for name, images, epochs, limit in (("cnn-64k", 60_000, 4, 6000), ("mobilenetv2-fast", 1200, 2, 1200)):
        recipe = NAMED_RECIPES[name]
        assert shortened(recipe, images) == replace(recipe, epochs=epochs, limit=limit, ema=0.0)


def test_there_is_nothing_to_reproduce(zoo_folder: Path, sample_folder: Path, tmp_path: Path) -> None:
    for folder, words, said in (
        (tmp_path, [], "comes without models"),
        (zoo_folder, ["cnm"], "unknown model zoo:cnm: did you mean cnn?"),
    ):
        done = reproduce(folder, *words, "--data", sample_folder, "--runs", tmp_path / "runs")
        assert done.returncode == 1
        assert said in done.stderr.splitlines()[-1]
        assert not (tmp_path / "runs").exists()
