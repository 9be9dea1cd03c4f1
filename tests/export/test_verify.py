import numpy as np
import pytest

from edgefashion.data import Splits
from edgefashion.errors import VerificationError
from export import verify
from export.verify import class_entropy

ALIKE = np.repeat(np.eye(10, dtype=np.float32), 10, axis=0)


def test_equal_shares_have_the_entropy_of_ten_classes() -> None:
    assert class_entropy(ALIKE) == pytest.approx(np.log2(10))
    assert class_entropy(ALIKE[:20]) == pytest.approx(1.0)
    assert class_entropy(ALIKE[:10]) == 0


def test_predictions_that_collapse_are_refused(splits: Splits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "run_content", lambda *_: (np.tile(ALIKE[:20], (5, 1)), "runtime 1"))
    monkeypatch.setitem(verify.MINIMUM_AGREEMENT, "int8", 0.0)
    unseen = splits.validation.take(np.arange(100))
    with pytest.raises(VerificationError, match=r"collapsed to few classes: 1\.00 bits .* has 3\.32"):
        verify.verify(b"", "a.tflite", "int8", unseen, ALIKE)
