"""Tests of edgefashion.models.hard_activations."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edgefashion.models.activations import HardSigmoid, HardSwish
from edgefashion.models.hard_activations import HARD, without_sixths
from edgefashion.tensorflow import keras

layers = keras.layers


def squeezed(image: Any) -> Any:
    """Factors of three hard activations meet in one product, whose reader takes over all of them."""
    found = HardSwish()(layers.Conv2D(4, 1, bias_initializer="ones")(image))
    means = layers.Dense(4, use_bias=False, name="gate")(layers.GlobalAveragePooling2D()(found))
    product = layers.Multiply()([found, layers.Reshape((1, 1, 4))(HardSigmoid()(means))])
    return layers.DepthwiseConv2D(3, name="last")(product)


def alone(image: Any) -> Any:
    return layers.Conv2D(3, 2)(HardSigmoid()(layers.ReLU()(image)))


WHOLE: dict[str, Callable[[Any], Any]] = {"squeeze and excite": squeezed, "no kernel before it": alone}
KEPT: dict[str, Callable[[Any], Any]] = {
    "a sum": lambda image: layers.Conv2D(3, 1)(layers.Add()([image, HardSwish()(image)])),
    "another activation": lambda image: layers.Conv2D(3, 1)(layers.ReLU(2.0)(HardSwish()(image))),
    "nothing but the output": HardSwish(),
}


def rewritten(draw: Callable[[Any], Any]) -> keras.Model:
    """The model without sixths, which gives what the model does."""
    keras.utils.set_random_seed(0)
    image = keras.Input((5, 6, 4))
    model = keras.Model(image, draw(image))
    result = without_sixths(model)
    images = np.random.default_rng(0).normal(0, 3, (8, 5, 6, 4)).astype(np.float32)
    np.testing.assert_allclose(result(images), model(images), rtol=1e-4, atol=1e-5)
    return result


@pytest.mark.parametrize("name", WHOLE)
def test_kernels_take_over_the_sixths_of(name: str) -> None:
    assert not any(isinstance(layer, HARD) for layer in rewritten(WHOLE[name]).layers)


@pytest.mark.parametrize("name", KEPT)
def test_a_hard_swish_stays_as_it_is_where_it_is_read_by(name: str) -> None:
    assert any(isinstance(layer, HardSwish) for layer in rewritten(KEPT[name]).layers)


def test_a_hard_sigmoid_behind_a_kernel_is_a_clamp() -> None:
    model = rewritten(squeezed)
    assert model.get_layer("gate").use_bias
    assert [layer.max_value for layer in model.layers if isinstance(layer, layers.ReLU)] == [6.0]
