"""Several models of folds: their answers together, and the last model's record."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgefashion.cli import main
from edgefashion.cli._folds import classes_of, sentence
from edgefashion.errors import VerificationError
from edgefashion.training import runs
from edgefashion.training.folds import pool


def test_answers_of_all_folds_are_one_figure() -> None:
    labels = [np.array([0, 0, 1]), np.array([0, 1])]
    answers = [{"int8": np.array([0, 1, 1])}, {"int8": np.array([0, 0])}]
    found = pool(labels, answers)["int8"]
    assert (found.right, found.pictures, found.accuracy) == (3, 5, 0.6)
    assert found.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found.accuracy_ci95 == pytest.approx((0.231, 0.882), abs=1e-3)


def test_the_pooled_figures_of_an_uneven_set_are_those_of_counting_by_hand() -> None:
    draw = np.random.default_rng(3)
    labels = [draw.choice(3, size, p=[0.8, 0.15, 0.05]) for size in (41, 40, 39)]
    answers = [np.where(draw.random(len(own)) < 0.7, own, draw.integers(0, 3, len(own))) for own in labels]
    pairs = [pair for own, said in zip(labels, answers, strict=True) for pair in zip(own, said, strict=True)]
    recalls = []
    for label in range(3):
        own = [said == label for wanted, said in pairs if wanted == label]
        recalls.append(sum(own) / len(own))
    found = pool(labels, [{"int8": said} for said in answers])["int8"]
    assert found.accuracy == pytest.approx(sum(wanted == said for wanted, said in pairs) / 120)
    assert found.balanced_accuracy == pytest.approx(sum(recalls) / 3)
    assert found.accuracy != pytest.approx(found.balanced_accuracy, abs=0.005)


def test_a_precision_that_a_fold_lacks_has_no_figure() -> None:
    labels = [np.array([0, 1])] * 2
    answers = [{"float32": labels[0], "int8": labels[0]}, {"float32": labels[0]}]
    assert list(pool(labels, answers)) == ["float32"]
    assert sentence("int8", None, 2) == "int8: no figure, since not every model of 2 has such a file"


def test_folds_that_rounding_changes_too_much_are_judged_in_float(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def export(_run: Any, _fold: Any, _formats: Any, precisions: Any, **_: Any) -> list[Any]:
        if "int8" in precisions:
            raise VerificationError("int8 disagrees")
        return [SimpleNamespace(precision=precision) for precision in precisions]

    answers = SimpleNamespace(logits=np.eye(2, dtype=np.float32))
    monkeypatch.setattr("edgefashion.export.export.export_model", export)
    monkeypatch.setattr("edgefashion.evaluation.predictions.predict", lambda *_, **__: answers)
    fold: Any = SimpleNamespace(
        test=SimpleNamespace(images=None), task=SimpleNamespace(classes=("cat", "dog"))
    )
    found = classes_of(SimpleNamespace(), fold)  # type: ignore[arg-type] # export is not asked what it is
    assert {name: each.tolist() for name, each in found.items()} == {"float32": [0, 1]}
    assert "warning: int8 disagrees" in capsys.readouterr().err


def test_folds_are_trained_and_measured_in_float_and_int8_and_a_last_model_on_all(
    sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "--limit", "200", "--epochs", "2", "--batch-size", "20", "--folds", "2"]
    command += ["--data", str(sample_folder), "--runs", str(tmp_path), "--name", "small"]
    with pytest.raises(SystemExit) as stopped:
        main(command)
    said = capsys.readouterr().err
    assert not stopped.value.code, said
    figures: dict[str, Any] = json.loads((tmp_path / "small-folds.json").read_text())
    whole = runs.read(tmp_path / "small").info
    assert whole.folds
    for precision in ("float32", "int8"):
        together = figures["pooled"][precision]
        assert together["right"] == sum(each["right"][precision] for each in figures["runs"])
        assert together["pictures"] == 1200
        assert whole.folds[precision].accuracy == together["accuracy"]
        assert f"{precision}: {together['right']} of 1,200 pictures right, each by the model of 2" in said
    assert [each["run"] for each in figures["runs"]] == ["small-fold-1", "small-fold-2"]
    with pytest.raises(SystemExit):
        main([*command, "--resume"])
    said = capsys.readouterr().err
    assert said.count("trained with the same recipe on the same data") == 3
    assert runs.read(tmp_path / "small").info.folds == whole.folds
    with pytest.raises(SystemExit) as stopped:
        main([*command, "--seeds", "2"])
    assert stopped.value.code == 2
