"""Which pictures no class fits."""

import numpy as np
import pytest

from edgefashion.evaluation.rejection import is_rejected, measure, scores
from edgefashion.runtimes.base import Logits

RANDOM = np.random.default_rng(0)


def answers(count: int, clearness: float = 8.0) -> Logits:
    """Logits of pictures of ten classes, of which the first ones are seen more clearly than the last."""
    labels = RANDOM.integers(0, 10, count)
    logits = RANDOM.normal(0, 1, (count, 10)).astype(np.float32)
    logits[np.arange(count), labels] += clearness + (9 - labels)
    return logits


def test_of_new_pictures_as_many_are_rejected_as_of_those_that_chose_the_threshold() -> None:
    known = measure(answers(5000), "validation")
    assert known
    assert (known.share, known.images, known.split) == (0.05, 5000, "validation")
    assert is_rejected(answers(20_000), known).mean() == pytest.approx(0.05, abs=0.01)


def test_where_no_class_stands_out_the_picture_is_rejected() -> None:
    known = measure(answers(1000), "validation")
    assert known
    assert is_rejected(answers(200, clearness=-4.0), known).mean() > 0.9


def test_a_class_that_is_seen_clearly_is_held_to_what_is_usual_for_it() -> None:
    known = measure(answers(1000), "validation")
    assert known
    one = np.zeros((2, 10), np.float32)
    one[0, 0] = one[1, 9] = 9.5  # usual for the last class, and little for the first
    assert is_rejected(one, known).tolist() == [True, False]
    assert scores(one, known)[0] < known.threshold < scores(one, known)[1]


def test_of_too_few_pictures_nothing_is_known() -> None:
    assert measure(answers(18), "validation") is None
    found = measure(answers(19), "validation")
    assert found
    assert len(found.medians) == 10


def test_a_class_that_no_picture_was_given_has_the_median_of_all() -> None:
    logits = answers(500)
    logits[:, 4] = -20
    found = measure(logits, "validation")
    assert found
    assert found.medians[4] == pytest.approx(np.median(np.logaddexp.reduce(logits, axis=1)), abs=1e-3)
