"""Tests of edgefashion.models.activations."""

import numpy as np
import pytest

from edgefashion.models.activations import HardSigmoid, HardSwish
from edgefashion.tensorflow import keras

VALUES = np.float32([[-4, -3, -1.5, 0, 1.5, 3, 4]])


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (HardSigmoid, [0, 0, 0.25, 0.5, 0.75, 1, 1]),
        (HardSwish, [0, 0, -0.375, 0, 1.125, 3, 4]),
    ],
)
def test_an_activation_is_that_of_mobilenetv3_and_keras_reads_it_back(
    layer: type[keras.layers.Layer], expected: list[float]
) -> None:
    model = keras.Sequential([keras.Input((7,)), layer(name="hard")])
    copy = keras.models.clone_model(model)
    read = keras.layers.deserialize(keras.layers.serialize(model.layers[-1]))
    np.testing.assert_allclose(copy(VALUES), [expected], atol=1e-6)
    assert type(read) is layer and read.name == "hard"
