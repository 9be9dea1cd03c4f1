from typing import Any

import numpy as np
import pytest

from edgefashion.data import Splits
from edgefashion.errors import VerificationError
from edgefashion.export import verify
from edgefashion.export.agreement import class_entropy, compare
from edgefashion.export.verify import Limits, failure

LABELS = np.repeat(np.arange(10, dtype=np.uint8), 10)
ALIKE = np.eye(10, dtype=np.float32)[LABELS]


def test_equal_shares_have_the_entropy_of_ten_classes() -> None:
    assert class_entropy(ALIKE) == pytest.approx(np.log2(10))
    assert class_entropy(ALIKE[:20]) == pytest.approx(1.0)
    assert class_entropy(ALIKE[:10]) == 0


def test_the_figures_of_logits() -> None:
    moved = ALIKE.copy()
    moved[0] = [0, 2, 0, 0, 0, 0, 0, 0, 0, 0]
    figures = compare(moved, ALIKE, LABELS)
    assert figures["agreement"] == figures["accuracy"] == 0.99
    assert figures["keras_accuracy"] == 1
    assert figures["max_logit_error"] == 2
    assert figures["mean_logit_error"] == pytest.approx(3 / 1000)
    assert figures["keras_logit_deviation"] == pytest.approx(0.3)
    assert figures["class_entropy_bits"] < figures["keras_class_entropy_bits"] == pytest.approx(np.log2(10))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"agreement": 0.94}, "agrees on 94.0% of images; at least 95% is required"),
        ({"mean_logit_error": 0.04}, "has a mean logit error of 0.04; at most 0.03 is allowed"),
        (
            {"class_entropy_bits": 2.0},
            "predicts too few of the classes: 2.00 bits of entropy, the Keras model 3.32; at least 90% of "
            "that is required",
        ),
        (
            {"accuracy": 0.94},
            "has an accuracy of 94.00%, the Keras model 100.00%; a difference of at most 5.00% is allowed",
        ),
    ],
)
def test_a_figure_beyond_its_limit_is_named(changed: dict[str, float], words: str) -> None:
    limits = Limits(0.95, 0.1, accuracy=0.05)
    figures = compare(ALIKE, ALIKE, LABELS)
    assert failure(figures, limits, 100) is None
    assert failure({**figures, **changed}, limits, 100) == words


@pytest.mark.parametrize("precision", verify.LIMITS)
def test_what_fails_is_an_error_and_what_passes_has_its_limits_beside_it(
    precision: str, splits: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    unseen = splits.validation.take(np.arange(100))
    answers: list[Any] = [ALIKE, np.tile(ALIKE[:20], (5, 1))]
    monkeypatch.setattr(verify, "run_content", lambda *_: (answers.pop(0), "runtime 1"))
    found = verify.verify(b"", "a.tflite", precision, unseen, ALIKE)
    assert found["limits"]["agreement"] == verify.LIMITS[precision].agreement
    assert "agrees with Keras on 100.00% of 100 validation images (>= 9" in verify.describe(found)
    with pytest.raises(VerificationError, match=r"a\.tflite agrees on 20\.0%.*: no file was kept"):
        verify.verify(b"", "a.tflite", precision, unseen, ALIKE)


def test_a_model_that_gives_every_image_one_class_is_described(
    splits: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = np.tile(np.arange(10, dtype=np.float32), (100, 1))
    monkeypatch.setattr(verify, "run_content", lambda *_: (one, "runtime 1"))
    found = verify.verify(b"", "a.tflite", "int8", splits.validation.take(np.arange(100)), one)
    assert "class entropy 0.00 of 0.00 bits (>= 90%)" in verify.describe(found)
