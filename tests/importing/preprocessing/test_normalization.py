"""Whatever a model does with pixels becomes one scale and zero point, and the same answers."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from edgefashion.importing.network.imported import Preprocessing
from edgefashion.importing.preprocessing.normalization import NAME, normalized
from edgefashion.models.imported import Drawing, build
from edgefashion.tensorflow import keras

TORCH = Preprocessing((0.0171, 0.0175, 0.0174), (-2.118, -2.036, -1.804))
WAYS = {
    "none": Preprocessing((1.0,), (0.0,)),
    "unit": Preprocessing((1 / 255,), (0.0,)),
    "tf": Preprocessing((1 / 127.5,), (-1.0,)),
    "torch": TORCH,
    "torch, BGR": Preprocessing(TORCH.scale, TORCH.offset, bgr=True),
    "caffe": Preprocessing((1.0,), (-103.9, -116.8, -123.7), bgr=True),
    "negative": Preprocessing((-1 / 255,), (1.0,)),
    "far off": Preprocessing((1 / 255,), (3.0,)),
}
KERNEL = {"filters": 5, "kernel_size": [3, 3]}
FRONTS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "valid": [("Conv2D", KERNEL)],
    "same, without a bias": [("Conv2D", {**KERNEL, "padding": "same", "use_bias": False})],
    "padded": [("ZeroPadding2D", {"padding": [[1, 1], [1, 1]]}), ("Conv2D", KERNEL)],
    "dense": [("Flatten", {}), ("Dense", {"units": 7})],
    "pool": [("MaxPooling2D", {"pool_size": [2, 2], "strides": [2, 2]}), ("Conv2D", KERNEL)],
}


@cache
def drawn(front: str) -> keras.Model:
    drawing = Drawing((8, 8, 3))
    tensor = drawing.image
    for kind, config in FRONTS[front]:
        tensor = drawing.draw(kind, tensor, config)
    tensor = drawing.draw("Flatten", tensor) if front != "dense" else tensor
    model = drawing.model(drawing.draw("Dense", tensor, {"units": 4}))
    chance = np.random.default_rng(0)
    model.set_weights([chance.normal(size=weight.shape) for weight in model.get_weights()])
    return model


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("name", WAYS)
def test_the_answers_stay(front: str, name: str) -> None:
    way, model = WAYS[name], drawn(front)
    pixels = np.random.default_rng(1).integers(0, 256, (4, 8, 8, 3)).astype(np.uint8)
    ordered = pixels[..., ::-1] if way.bgr else pixels
    wanted = model(np.float32(ordered * np.float32(way.scale) + np.float32(way.offset))).numpy()
    found, normalization = normalized(model, way)
    assert normalization.scale > 0
    assert 0 <= normalization.zero_point <= 255
    near = name == "tf" and front in ("same, without a bias", "padded")
    answers = found(normalization(pixels)).numpy()
    np.testing.assert_allclose(answers, wanted, atol=(0.02 if near else 2e-4) * np.abs(wanted).max())
    exact = front in ("valid", "dense") or name in ("none", "unit", "tf", "negative")
    assert not exact or front == "pool" or not any(NAME in layer.name for layer in found.layers)
    assert build(found.get_config()).count_params() == found.count_params()


def layers(front: str, name: str) -> list[str]:
    return [layer.name for layer in normalized(drawn(front), WAYS[name])[0].layers]


def test_a_padded_border_keeps_its_color() -> None:
    assert layers("padded", "torch")[1] == layers("same, without a bias", "caffe")[1] == NAME
    kinds = [type(layer).__name__ for layer in normalized(drawn("padded"), WAYS["caffe"])[0].layers]
    assert kinds[1] == "DepthwiseConv2D"
    assert type(normalized(drawn("pool"), WAYS["caffe"])[0].layers[1]).__name__ == "Conv2D"


def test_what_needs_nothing_stays_as_it_is() -> None:
    model = drawn("padded")
    assert normalized(model, WAYS["unit"])[0] is model
