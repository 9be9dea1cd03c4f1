"""Convolutions side by side become one: the same function, in one layer less for each."""

from dataclasses import replace

import numpy as np
import pytest

from edgefashion.data import FASHION_MNIST
from edgefashion.models import ARCHITECTURES, residual
from edgefashion.tensorflow import keras

layers = keras.layers
CNN = ARCHITECTURES["cnn-64k-v2"]


def randomized(model: keras.Model) -> keras.Model:
    chance = np.random.default_rng(0)
    for layer in model.layers:
        low = 0.5 if isinstance(layer, layers.BatchNormalization) else -0.5
        layer.set_weights([chance.uniform(low, 1.5, weight.shape) for weight in layer.get_weights()])
    return model


def difference(model: keras.Model, other: keras.Model) -> float:
    """The largest, as a share of the largest number that the first gives."""
    images = np.random.default_rng(1).normal(size=(2, *model.input_shape[1:])).astype(np.float32)
    wanted = model(images, training=False).numpy()
    return float(np.abs(other(images) - wanted).max() / np.abs(wanted).max())


@pytest.mark.parametrize("shape", [(28, 28, 1), (96, 96, 3), (25, 31, 1), (41, 96, 3)], ids=str)
def test_the_cnn_with_branches_is_deployed_as_the_one_without(
    shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = replace(FASHION_MNIST, image_shape=shape)
    model = randomized(CNN.build(task, None))
    deployed = CNN.fold(model, task)
    assert difference(model, deployed) < 1e-6
    plain = replace(residual.SHAPES[CNN.name], branches=False)
    monkeypatch.setitem(residual.SHAPES, CNN.name, plain)
    assert CNN.fold(CNN.build(task, None), task).get_config() == deployed.get_config()


@pytest.mark.parametrize("shape", [(28, 28, 1), (25, 30, 1)], ids=str)
def test_a_branch_of_1x1_is_the_center_of_the_kernel(shape: tuple[int, int, int]) -> None:
    model = CNN.build(replace(FASHION_MNIST, image_shape=shape), None)
    for name in ("conv1", "conv2", "conv3"):
        kernel = model.get_layer(name).get_weights()[0]
        model.get_layer(name).set_weights([np.zeros_like(kernel)])
        merged = CNN.fold(model, FASHION_MNIST).get_layer(name).get_weights()[0]
        assert np.argwhere(np.abs(merged).sum(axis=(2, 3))).tolist() == [[1, 1]], name
