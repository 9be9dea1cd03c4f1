"""Tests of edgefashion.models.batch_norm_folding, for any model; ours are in test_quantization_aware."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edgefashion.models.batch_norm_folding import fold_batch_norms
from edgefashion.tensorflow import keras

layers = keras.layers
Chain = Callable[[], list[keras.layers.Layer]]


def norm(**options: Any) -> keras.layers.Layer:
    return layers.BatchNormalization(name="norm", **options)


# What becomes of the normalization: part of another layer, or a layer of its own.
INTO: dict[str, Chain] = {
    "a convolution before it": lambda: [layers.Conv2D(6, 3, padding="same"), norm()],
    "a dense layer before it": lambda: [layers.Flatten(), layers.Dense(6), norm(), layers.ReLU()],
    "a convolution behind it": lambda: [layers.ReLU(), norm(), layers.Conv2D(6, 2, use_bias=False)],
    "one of several groups": lambda: [layers.ReLU(), norm(), layers.Conv2D(6, 2, groups=2)],
    "a depthwise one": lambda: [norm(scale=False), layers.DepthwiseConv2D(3, depth_multiplier=2)],
    "one of 1x1": lambda: [norm(center=False), layers.Conv2D(6, 1, padding="same", activation="relu")],
    "a dense layer behind it": lambda: [layers.GlobalMaxPooling2D(), norm(), layers.Dense(6)],
}
ALONE: dict[str, Chain] = {
    "before a ReLU": lambda: [layers.MaxPooling2D(), norm(), layers.ReLU(), layers.Conv2D(6, 1)],
    "before a convolution that pads": lambda: [norm(), layers.Conv2D(6, 3, padding="same")],
    "behind an activation": lambda: [layers.Conv2D(6, 1, activation="relu"), norm()],
    "of a vector": lambda: [layers.Flatten(), norm(), layers.ReLU()],
}


def chain(made: list[keras.layers.Layer]) -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential([layers.Input((5, 6, 4)), *made])


def folded(model: keras.Model) -> keras.Model:
    """The folded model, which gives what the model does although its normalizations are not trivial."""
    random = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    result = fold_batch_norms(model)
    images = random.normal(size=(4, *model.input_shape[1:])).astype(np.float32)
    np.testing.assert_allclose(result(images), model(images, training=False), atol=1e-5)
    assert not any(isinstance(layer, layers.BatchNormalization) for layer in result.layers)
    return result


@pytest.mark.parametrize("case", INTO)
def test_a_normalization_becomes_part_of(case: str) -> None:
    model = chain(INTO[case]())
    assert "norm" not in [layer.name for layer in folded(model).layers]


@pytest.mark.parametrize("case", ALONE)
def test_a_normalization_is_a_depthwise_convolution(case: str) -> None:
    own = folded(chain(ALONE[case]())).get_layer("norm")
    assert isinstance(own, layers.DepthwiseConv2D) and own.kernel_size == (1, 1)


def test_a_convolution_that_another_layer_reads_keeps_its_values() -> None:
    image = keras.Input((5, 6, 4))
    plain = layers.Conv2D(4, 1, name="conv")(image)
    model = keras.Model(image, layers.Add()([plain, layers.ReLU()(norm()(plain))]))
    assert folded(model).get_layer("norm").kernel_size == (1, 1)


def test_a_normalization_becomes_part_of_all_that_read_it() -> None:
    image = keras.Input((5, 6, 4))
    normal = norm()(layers.ReLU()(image))
    sides = [layers.Conv2D(3, 1, name=name)(normal) for name in ("left", "right")]
    assert len(folded(keras.Model(image, layers.Concatenate()(sides))).layers) == 5
