"""The light install with the lowest versions that pyproject.toml admits, and with the newest there are."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
MODELS = [ROOT / "tests/files/models" / name for name in ("tiny-int8.tflite", "tiny-float32.onnx")]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
Run = Callable[..., list[str]]


def requirements(*extras: str) -> Iterator[Requirement]:
    """What an installation with `extras` depends on directly, with this Python."""
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
    for found in map(Requirement, chain.from_iterable(lists)):
        if found.name == "edgefashion":
            yield from requirements(*found.extras)
        elif found.marker is None or found.marker.evaluate():
            yield found


def lowest(requirement: Requirement) -> str:
    """The lower bound of a requirement, which each has."""
    (bound,) = (each.version for each in requirement.specifier if each.operator == ">=")
    return f"{requirement.name}=={bound}"


@pytest.fixture(scope="module", params=["lowest", "newest"])
def run(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    wanting_downloads: Callable[[], AbstractContextManager[None]],
    verbs: str,
) -> Run:
    """run(["inspect", file], …): what verbs of a fresh environment with those versions print, one after the
    other in one process, where there is no data set.
    """
    folder = tmp_path_factory.mktemp(request.param)
    bounds = folder / "constraints.txt"
    bounds.write_text("\n".join(map(lowest, requirements("pi"))) if request.param == "lowest" else "")
    with wanting_downloads():
        parts = import_module("emulation_parts")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
        if shutil.which("uv"):
            words = ["uv", "pip", "install", "--python", str(folder / "venv")]
        else:
            words = [sys.executable, "-m", "pip", "--python", str(folder / "venv"), "install", "--no-compile"]
        words += ["--only-binary", ":all:", "--constraint", str(bounds)]
        parts.run([*words, f"edgefashion[pi] @ {parts.wheel().as_uri()}"], "the packages cannot be installed")
    hidden = ("PYTHONPATH", "EDGEFASHION_DATA")
    variables = {name: value for name, value in os.environ.items() if name not in hidden}
    variables |= {"XDG_CACHE_HOME": str(folder), "PATH": str(folder)}

    def run(*commands: list[object]) -> list[str]:
        typed = json.dumps([list(map(str, words)) for words in commands])
        command = [folder / "venv/bin/python", "-c", verbs, typed]
        done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.split("ended\n")[:-1]

    return run


def test_the_light_install_does_all_it_is_for(run: Run) -> None:
    usage, inspected, measured, classified = run(
        ["--help"],
        ["inspect", *MODELS],
        ["bench", "zoo:cnn-64k", "--in-process", "--threads", 1, "--seconds", 0.05],
        ["predict", "zoo:cnn-64k", "--index", 3, "--json"],
    )
    assert "Usage: edgefashion" in usage
    assert inspected.count("parameters  1,490") == 2
    assert "cnn-64k" in measured
    (image,) = json.loads(classified)["images"]
    assert [each["top"][0]["class"] for each in image["predictions"]] == [image["class"]] * 2


@pytest.mark.parametrize("extra", sorted(PROJECT["optional-dependencies"].keys() - {"gpu"}))
def test_every_dependency_has_a_lower_bound(extra: str) -> None:
    """But `gpu`, whose TensorFlow is that of `train`."""
    for found in requirements(extra):
        assert lowest(found).startswith(found.name)
