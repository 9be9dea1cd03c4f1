"""Convolutions that are only added become one: the same function in fewer layers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.data import FASHION_MNIST
from edgefashion.models import ARCHITECTURES, Normalization, imported, residual
from edgefashion.models.branches import merge_branches
from edgefashion.models.imported import Drawing
from edgefashion.tensorflow import keras

CNN = ARCHITECTURES["cnn-64k-v2"]
IMPORTED = imported.architecture(Normalization(1, 0), Path("nowhere"))
CHANNELS = 4


def randomized(model: keras.Model) -> keras.Model:
    """Weights, and statistics of batch normalizations, that are not those of a new model."""
    chance = np.random.default_rng(0)
    for layer in model.layers:
        low = 0.5 if isinstance(layer, keras.layers.BatchNormalization) else -0.5
        layer.set_weights([chance.uniform(low, 1.5, weight.shape) for weight in layer.get_weights()])
    return model


def difference(model: keras.Model, other: keras.Model) -> float:
    """The largest, as a share of the largest number that the first gives."""
    images = np.random.default_rng(1).normal(size=(2, *model.input_shape[1:])).astype(np.float32)
    wanted = model(images, training=False).numpy()
    return float(np.abs(other(images) - wanted).max() / np.abs(wanted).max())


@pytest.mark.parametrize("shape", [(28, 28, 1), (96, 96, 3), (25, 31, 1)], ids=str)
def test_a_cnn_of_branches_is_deployed_as_one_without(shape: tuple[int, int, int]) -> None:
    task = replace(FASHION_MNIST, image_shape=shape)
    model = randomized(CNN.build(task, None))
    deployed = CNN.fold(model, task)
    assert difference(model, deployed) < 1e-6
    plain = residual.build(replace(residual.SHAPES[CNN.name], branches=False), task)
    assert len(model.layers) > len(plain.layers)
    assert CNN.fold(plain, task).get_config() == deployed.get_config()


def test_a_branch_of_1x1_is_the_center_of_the_kernel() -> None:
    """Of even and odd edges: the convolutions of stride 2 read 25x30 and 13x15 pixels."""
    task = replace(FASHION_MNIST, image_shape=(25, 30, 1))
    model, names = CNN.build(task, None), ("conv1", "conv2", "conv3")
    for layer in map(model.get_layer, names):
        layer.set_weights([np.zeros_like(layer.get_weights()[0])])
    deployed = CNN.fold(model, task)
    for name in names:
        kernel = deployed.get_layer(name).get_weights()[0]
        assert np.argwhere(np.abs(kernel).sum(axis=(2, 3))).tolist() == [[1, 1]], name


class Block:
    """Draws branches that read one tensor."""

    def __init__(self, edge: int = 9) -> None:
        self.drawing = Drawing((edge, edge + 1, CHANNELS))
        self.input = self.drawing.draw("ReLU", self.drawing.image)

    def convolution(self, edge: int | tuple[int, int], read: Any = None, **config: Any) -> Any:
        size = (edge, edge) if isinstance(edge, int) else edge
        told = {"filters": CHANNELS, "kernel_size": size, "padding": "same", **config}
        kind = "DepthwiseConv2D" if "depth_multiplier" in config else "Conv2D"
        return self.drawing.draw(kind, self.input if read is None else read, told)

    def padded(self, edge: int, zeros: int, **config: Any) -> Any:
        """As PyTorch pads, on all sides alike."""
        read = self.drawing.draw("ZeroPadding2D", self.input, {"padding": [[zeros, zeros]] * 2})
        return self.convolution(edge, read, padding="valid", **config)

    def normalized(self, tensor: Any) -> Any:
        return self.drawing.draw("BatchNormalization", tensor)

    def added(self, *tensors: Any) -> Any:
        return self.drawing.draw("Add", list(tensors))

    def merged(self, sum: Any) -> keras.Model:
        """What is deployed of it with a ReLU behind, which computes the same."""
        model = randomized(self.drawing.model(self.drawing.draw("ReLU", sum)))
        deployed = IMPORTED.fold(model, FASHION_MNIST)
        assert difference(model, deployed) < 1e-6
        return deployed


def names(model: keras.Model) -> list[str]:
    return [type(layer).__name__ for layer in model.layers[2:-1]]


def repvgg(block: Block) -> Any:
    branches = block.padded(3, 1, use_bias=False), block.convolution(1, use_bias=False), block.input
    return block.added(block.added(*map(block.normalized, branches[:2])), block.normalized(branches[2]))


def repvgg_halving(block: Block) -> Any:
    return block.added(
        *map(block.normalized, (block.padded(3, 1, strides=(2, 2)), block.convolution(1, strides=(2, 2))))
    )


def mobileone(block: Block) -> Any:
    kernels = [block.convolution(edge, depth_multiplier=1) for edge in (3, 1, 3)]
    return block.added(*map(block.normalized, [*kernels, block.input]))


def asymmetric(block: Block) -> Any:
    """Ding et al. 2019."""
    return block.added(*(block.convolution(edge) for edge in ((1, 3), (3, 3), (3, 1))))


def in_groups(block: Block) -> Any:
    return block.added(*(block.convolution(edge, groups=2) for edge in (5, 3)), block.normalized(block.input))


def dilated(block: Block) -> Any:
    return block.added(block.convolution(5, dilation_rate=(2, 2)), block.convolution(3, dilation_rate=(2, 2)))


MERGED: dict[str, tuple[Callable[[Block], Any], list[str]]] = {
    "RepVGG": (repvgg, ["ZeroPadding2D", "Conv2D"]),
    "RepVGG, halving": (repvgg_halving, ["ZeroPadding2D", "Conv2D"]),
    "MobileOne": (mobileone, ["DepthwiseConv2D"]),
    "rows and columns": (asymmetric, ["Conv2D"]),
    "in groups": (in_groups, ["Conv2D"]),
    "dilated": (dilated, ["Conv2D"]),
}


@pytest.mark.parametrize("kind", MERGED)
def test_branches_of_an_imported_model_are_merged(kind: str) -> None:
    draw, left = MERGED[kind]
    block = Block()
    assert names(block.merged(draw(block))) == left


def test_what_else_is_added_stays() -> None:
    """The input as it is, and other branches of another tensor, which become one of their own."""
    block = Block(edge=8)
    other = block.drawing.draw("MaxPooling2D", block.drawing.image, {"pool_size": (1, 1), "strides": (1, 1)})
    branches = [block.convolution(edge, read) for read in (block.input, other) for edge in (3, 1)]
    assert sorted(names(block.merged(block.added(*branches, block.input)))) == [
        *("Add", "Conv2D", "Conv2D", "MaxPooling2D")
    ]


def kept_apart(block: Block) -> Sequence[Any]:
    """Sums of two that cannot be one convolution."""
    read, before = block.convolution(1), block.drawing.image
    return [
        block.added(block.convolution(3), block.convolution(1, activation="relu")),
        block.added(read, block.convolution(3)),
        block.drawing.draw("ReLU", read),
        block.added(block.convolution((1, 3)), block.convolution((3, 1))),
        block.added(block.convolution(3, groups=2), block.convolution(1)),
        block.added(block.convolution(3, depth_multiplier=1), block.convolution(1)),
        block.added(block.convolution(5), block.convolution(3, dilation_rate=(2, 2))),
        block.added(block.convolution(3), block.convolution(3, before)),
    ]


def test_what_is_no_single_convolution_stays_as_it_is() -> None:
    block = Block()
    sums = kept_apart(block)
    model = block.drawing.model(block.drawing.draw("Concatenate", sums))
    assert merge_branches(model) is model
