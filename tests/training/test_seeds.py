"""Several seeds of one recipe: the spread, and the best of them under the name asked for."""

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from edgefashion.cli._group import cli
from edgefashion.errors import RunError
from edgefashion.recipes import RECIPES
from edgefashion.training import runs
from edgefashion.training.runs import Run
from edgefashion.training.seeds import summary

OPTIONS = ["--limit", "100", "--epochs", "1", "--batch-size", "25", "--seeds", "2"]


@pytest.fixture
def command(sample_folder: Path, tmp_path: Path) -> list[str]:
    return ["train", *OPTIONS, "--name", "two", "--data", str(sample_folder), "--runs", str(tmp_path)]


def test_two_seeds_and_the_best_of_them(command: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, command, catch_exceptions=False)
    each = [runs.read(tmp_path / f"two-seed-{seed}") for seed in (0, 1)]
    accuracies = [run.info.validation_accuracy for run in each]
    assert each[0].id != each[1].id
    best = each[accuracies.index(max(accuracies))]
    found = runs.read(tmp_path / "two")
    assert (found.id, found.info.name, found.info.seed_run) == (best.id, "two", best.name)
    figures = json.loads((tmp_path / "two-seeds.json").read_text())
    assert figures["mean"] == pytest.approx(statistics.mean(accuracies))
    assert figures["deviation"] == pytest.approx(statistics.stdev(accuracies))
    assert [entry["id"] for entry in figures["runs"]] == [run.id for run in each]
    assert f"2 seeds: mean validation accuracy {figures['mean']:.4f}, standard dev" in done.stderr
    again = CliRunner().invoke(cli, command)
    assert isinstance(again.exception, RunError)
    assert "choose another --name" in str(again.exception)


def test_an_interrupted_row_of_seeds_goes_on(
    command: list[str], tmp_path: Path, stopped: Callable[[], Any]
) -> None:
    with stopped():
        try:
            cli.main(command, standalone_mode=False)
        except click.Abort as error:
            raise KeyboardInterrupt from error
    first = runs.staging(tmp_path / "two-seed-0")
    assert first.exists()
    done = CliRunner().invoke(cli, [*command, "--resume"], catch_exceptions=False)
    assert "resuming after epoch 1" in done.stderr
    once = runs.read(tmp_path / "two").id
    more = [*command[:-1], str(tmp_path), "--resume", "--seeds", "3"]
    done = CliRunner().invoke(cli, more, catch_exceptions=False)
    assert done.stderr.count("reusing") == 2
    figures = json.loads((tmp_path / "two-seeds.json").read_text())
    assert len(figures["runs"]) == 3
    assert once in [entry["id"] for entry in figures["runs"]]


def test_equally_good_seeds_and_a_single_one(trained: Run) -> None:
    equal = summary(RECIPES["cnn"], [trained, trained])
    assert (equal.best, equal.deviation) == (0, 0)
    assert summary(RECIPES["cnn"], [trained]).deviation is None
