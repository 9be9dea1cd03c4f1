"""Trainings on other machines, as far as no machine is needed: what is checked and said here."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edgefashion.cli import _workers, main
from edgefashion.data import FASHION_MNIST
from edgefashion.errors import HostError
from edgefashion.recipes import RECIPES, changed
from edgefashion.shelf.training import Training
from edgefashion.training import checkpoints, runs
from edgefashion.training.cluster import Cluster


@pytest.fixture(autouse=True)
def unfinished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training of 30 epochs that came home after the first; no machine can be reached."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGEFASHION_SSH", "false")
    recipe = changed(RECIPES["cnn"], epochs=30)
    state = checkpoints.begin(runs.staging(Path("runs/x")), recipe, {}, task=FASHION_MNIST.to_record())
    state.add_epoch({"x": np.zeros(1)}, {"val_accuracy": 0.5, "seconds": 1.0})


def said_of(capfd: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["train", "--name=x", *words])
    assert ended.value.code
    return capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "(epochs 30 → 5)"),
        (["--epochs=30", "--flip"], "flip"),
        (["--recipe=auto", "--epochs=5"], "30 → 5"),
    ],
)
def test_another_recipe_is_refused_before_any_machine_is_asked(
    words: list[str], why: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Training, "run", lambda *_: pytest.fail("a machine was asked"))
    said = said_of(capfd, "--workers=a,b", "--resume", *words)
    assert "the interrupted training has another recipe" in said and why in said


def test_a_worker_says_who_has_the_run(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    joining = SimpleNamespace(follow=lambda *_, **__: None)  # in place of TensorFlow
    monkeypatch.setitem(sys.modules, "edgefashion.training.joining", joining)
    cluster = Cluster(("a:1", "b:2"), 1, names=("pi@a", "b"))
    _workers.follow(RECIPES["cnn"], None, tmp_path / "x", None, cluster)  # type: ignore[arg-type]
    assert capfd.readouterr().err == "done; pi@a has the run\n"


def test_where_a_machine_is_lost_the_whole_command_to_go_on_is_said(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object) -> None:
        raise HostError("b", "it was switched off", "switch it on")

    monkeypatch.setattr(Training, "run", lose)
    said = said_of(capfd, "--workers", "a,b", "--resume", "--epochs=30")
    assert said.startswith("the data: each host finds or fetches its own; --data names a folder there\n")
    again = "edgefashion train --name=x --workers a,b --epochs=30 --resume"
    assert f"what has come home is kept; next, also with other --workers: {again}\n" in said
