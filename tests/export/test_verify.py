from dataclasses import replace
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
        (
            {"mean_logit_error": 0.04},
            "has a mean logit error of 13.3% of the deviation of its logits; at most 10.0% is allowed",
        ),
        (
            {"class_entropy_bits": 2.0},
            "predicts too few of the classes: 2.00 bits of entropy, the run's model 3.32; at least 90% of "
            "that is required",
        ),
        (
            {"accuracy": 0.94},
            "has an accuracy of 94.00%, the run's model 100.00%; a difference of at most 5.00% is allowed",
        ),
    ],
)
def test_a_figure_beyond_its_limit_is_named(changed: dict[str, float], words: str) -> None:
    limits = Limits(0.95, 0.1, accuracy=0.05)
    figures = compare(ALIKE, ALIKE, LABELS)
    assert failure(figures, limits, 100) is None
    assert failure({**figures, "mcnemar_p": 0.001, **changed}, limits, 100) == words


@pytest.mark.parametrize("precision", verify.LIMITS)
def test_what_fails_is_an_error_and_what_passes_has_its_limits_beside_it(
    precision: str, splits: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    unseen = splits.validation.take(np.arange(100))
    answers: list[Any] = [ALIKE, np.tile(ALIKE[:20], (5, 1))]
    monkeypatch.setattr(verify, "run_content", lambda *_: (answers.pop(0), "runtime 1"))
    found = verify.verify(b"", "a.tflite", precision, unseen, ALIKE)["verification"]
    assert found["limits"]["agreement"] == verify.limits_on(precision, ALIKE).agreement
    assert "agrees with float on 100.00% of 100 validation images (>= 9" in verify.describe(found)
    with pytest.raises(VerificationError, match=r"a\.tflite agrees on 20\.0%.*: no file was kept") as caught:
        verify.verify(b"", "a.tflite", precision, unseen, ALIKE)
    said = str(caught.value)
    assert ("what helps is edgefashion train --qat" in said) == (precision == "int8")
    assert ("or training for longer" in said) == (precision == "int8")
    assert ("what may help is edgefashion train --qat with more --epochs" in said) == (
        precision == "int8-qat"
    )
    answers.append(np.tile(ALIKE[:20], (5, 1)))
    with pytest.raises(VerificationError) as caught:
        verify.verify(b"", "a.tflite", precision, unseen, ALIKE, imported=True)
    assert "training for longer" not in str(caught.value)


def test_a_model_that_gives_every_image_one_class_is_described(
    splits: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = np.tile(np.arange(10, dtype=np.float32), (100, 1))
    monkeypatch.setattr(verify, "run_content", lambda *_: (one, "runtime 1"))
    found = verify.verify(b"", "a.tflite", "int8", splits.validation.take(np.arange(100)), one)[
        "verification"
    ]
    assert "logit error 0.00%" in verify.describe(found)
    assert found["class_entropy_bits"] == found["keras_class_entropy_bits"] == 0


# Small sets


@pytest.mark.parametrize("precision", verify.LIMITS)
def test_from_1000_images_on_the_limits_are_as_they_are(precision: str) -> None:
    assert verify.limits_on(precision, np.tile(ALIKE, (10, 1))) == verify.LIMITS[precision]


def test_fewer_images_may_miss_them_by_what_chance_does() -> None:
    found = [verify.limits_on("int8", np.tile(ALIKE, (10, 1))[:count]) for count in (500, 100, 50, 15)]
    assert [limits.agreement for limits in found] == pytest.approx([0.944, 0.91, 0.9, 0.8])
    assert all(0 < limits.entropy <= 0.9 for limits in found)


def test_of_15_images_one_of_another_class_is_no_collapse() -> None:
    """The only image that the Keras model gives the second class is given the first."""
    two = np.eye(2, dtype=np.float32)[[0] * 14 + [1]]
    labels, other = two.argmax(axis=1), np.eye(2, dtype=np.float32)[[0] * 15]
    figures = compare(other, two, labels) | {"mean_logit_error": 0.0}
    assert failure(figures, verify.limits_on("int8", two), 15) is None
    assert failure(figures, verify.LIMITS["int8"], 15)
    half = np.eye(2, dtype=np.float32)[[0] * 8 + [1] * 7]
    figures = compare(other, half, half.argmax(axis=1)) | {"mean_logit_error": 0.0}
    assert "agrees on 53.3%" in str(failure(figures, verify.limits_on("int8", half), 15))


def test_a_difference_of_accuracies_that_chance_explains_is_allowed_on_few_images() -> None:
    figures = compare(ALIKE, ALIKE, LABELS) | {"accuracy": 0.97}
    assert failure(figures | {"mcnemar_p": 0.25}, Limits(0.9, 0.1, accuracy=0.003), 100) is None
    assert "accuracy" in str(failure(figures | {"mcnemar_p": 0.001}, Limits(0.9, 0.1, accuracy=0.003), 100))
    assert "accuracy" in str(failure(figures | {"mcnemar_p": 0.25}, Limits(0.9, 0.1, accuracy=0.003), 1000))


@pytest.mark.parametrize("quantized", [False, True])
def test_at_least_50_images_are_compared_where_there_are_so_many(quantized: bool, splits: Splits) -> None:
    few = replace(splits, validation=splits.validation.take(np.arange(15)))
    found, split = verify.verification_images(few, quantized)
    assert (len(found), split) == (50, "validation and training")
    assert np.array_equal(found.images[:15], few.validation.images)
    found, split = verify.verification_images(replace(few, train=splits.train.take(np.arange(20))), quantized)
    assert len(found) == 35
    found, split = verify.verification_images(splits, quantized)
    assert (len(found), split) == (len(splits.validation), "validation")
