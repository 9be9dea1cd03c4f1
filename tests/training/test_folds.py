"""Several models of folds: their answers together, and the last model's record."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgefashion.cli._folds import classes_of, sentence
from edgefashion.errors import VerificationError
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
