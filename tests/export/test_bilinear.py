"""Images are resized as TensorFlow resizes them."""

import numpy as np
import pytest

from edgefashion.export.graph.bilinear import interpolation
from edgefashion.export.onnx.integer_io import MOST_WEIGHT
from edgefashion.tensorflow import tf


@pytest.mark.parametrize(("size", "resized"), [(28, 96), (28, 40), (28, 56), (6, 9), (40, 96), (31, 96)])
def test_interpolation_is_that_of_tensorflow(size: int, resized: int) -> None:
    weights, whole = interpolation(size, resized)
    assert (weights.sum(axis=1) == whole).all()
    assert weights.min() >= 0 and weights.max() <= MOST_WEIGHT
    expected = tf.image.resize(np.eye(size, dtype=np.float32)[:, :, None], (resized, size))
    assert np.allclose(weights / whole, expected[..., 0], atol=1e-5)
