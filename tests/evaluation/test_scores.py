"""What predictions are worth where classes are of different sizes, or missing."""

from pathlib import Path

import numpy as np
import pytest

from edgefashion.artifacts.artifact import Artifact
from edgefashion.evaluation.predictions import Candidate, LabeledImages, Predictions
from edgefashion.evaluation.scores import Score, recalls, score
from edgefashion.records.manifest import Manifest
from edgefashion.stats import balanced_accuracy, mean_interval, paired_balanced, wilson_interval
from edgefashion.task import Picture, Task

TASK = Task("pets", (2, 2, 1), ("cat", "dog", "newt"), Picture("crop", (255,), (0,)))
LABELS = np.repeat(np.arange(3, dtype=np.uint8), (20, 4, 0))


def answers(classes: np.ndarray) -> Predictions:
    return Predictions(np.eye(3, dtype=np.float32)[classes])


def scored(*predicted: np.ndarray) -> Score:
    """That of the first, beside a float32 file of the same run."""
    sample = LabeledImages(np.zeros((24, 2, 2, 1), np.uint8), LABELS, TASK)
    said = {"run": "r", "run_id": "r", "small_run": False, "sha256": "0" * 64}
    names = ("int8", "float32")[: len(predicted)]
    subjects = [
        Candidate(Artifact(Path(f"{name}.tflite"), Manifest(precision=name, **said)), name, sample)
        for name in names
    ]
    return score(subjects, [answers(classes) for classes in predicted], 0)


def test_float32_in_another_runtime_is_compared_with_that_in_the_first() -> None:
    sample = LabeledImages(np.zeros((24, 2, 2, 1), np.uint8), LABELS, TASK)
    manifest = Manifest(precision="float32", run="r", run_id="r", small_run=False, sha256="0" * 64)
    subjects = [
        Candidate(Artifact(Path(path), manifest), path, sample, runtime)
        for path, runtime in (("a.onnx", None), ("a.onnx", "Other"), ("b.onnx", None))
    ]
    found = [answers(LABELS), answers(np.zeros(24, int)), answers(LABELS)]
    assert [score(subjects, found, number).agreement for number in range(3)] == [None, 20 / 24, None]


def test_who_says_the_largest_class_of_everything_is_right_of_one_class_in_two() -> None:
    found = scored(np.zeros(24, int))
    assert found.accuracy == 20 / 24
    assert found.balanced_accuracy == 0.5
    assert found.balanced_accuracy_ci95 == mean_interval([(20, 20), (0, 4)])


def test_a_class_without_test_images_shifts_no_label_and_has_no_recall() -> None:
    cat, dog, newt = recalls(np.where(LABELS == 1, 2, LABELS), LABELS, TASK)
    assert (cat.name, cat.images, cat.right, cat.recall, cat.ci95) == (
        "cat",
        20,
        20,
        1,
        wilson_interval(20, 20),
    )
    assert (dog.name, dog.images, dog.right, dog.recall) == ("dog", 4, 0, 0)
    assert (newt.name, newt.images, newt.recall, newt.ci95) == ("newt", 0, None, None)


def test_a_difference_of_balanced_accuracy_has_its_p() -> None:
    worse, better = LABELS.copy(), LABELS.copy()
    worse[20:] = 0
    found = scored(worse, better)
    assert (found.accuracy_delta, found.balanced_accuracy_delta) == (pytest.approx(-4 / 24), -0.5)
    assert found.balanced_p == paired_balanced(worse == LABELS, better == LABELS, LABELS) > 0.05
    assert balanced_accuracy(better == LABELS, LABELS) == 1
