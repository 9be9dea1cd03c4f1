"""A first convolution over cells gives what it gives over pixels."""

from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from edgefashion.data import FASHION_MNIST, Splits
from edgefashion.export.graph.graph import Graph
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.export.tflite import tflite_model
from edgefashion.export.tflite.space_to_depth import compute_cells
from edgefashion.models.cnn import CNN
from edgefashion.models.quantization_aware import quantize
from edgefashion.tensorflow import keras, tf

PIXELS = np.random.default_rng(0).random((5, 28, 28, 1), np.float32)


def model(
    *,
    size: int = 28,
    width: int | None = None,
    channels: int = 1,
    kernel: int = 3,
    pool: Any = 2,
    **options: Any,
) -> keras.Model:
    keras.utils.set_random_seed(0)
    image = keras.Input((size, width or size, channels))
    options = {"activation": "relu", "bias_initializer": "uniform", **options}
    tensor = keras.layers.Conv2D(6, kernel, **options)(image)
    if pool:
        tensor = keras.layers.MaxPooling2D(**pool)(tensor) if isinstance(pool, dict) else pool_2(tensor)
    return keras.Model(image, keras.layers.Dense(10)(keras.layers.Flatten()(tensor)))


def pool_2(tensor: Any) -> Any:
    return keras.layers.MaxPooling2D(2)(tensor)


def answer(content: bytes, pixels: Any) -> Any:
    interpreter = Interpreter(model_content=content)
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], pixels.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_another_model_of_the_same_function(kernel: int) -> None:
    plain = model(kernel=kernel)
    cells = compute_cells(plain)
    assert cells is not plain
    assert np.allclose(cells(PIXELS), plain(PIXELS), atol=1e-5)
    first = next(layer for layer in cells.layers if isinstance(layer, keras.layers.Conv2D))
    assert first.input.shape[1:] == (14, 14, 4)


@pytest.mark.parametrize(("kernel", "read"), [(3, (13, 12, 8)), (1, (13, 13, 4)), (5, (13, 13, 4))])
def test_windows_of_two_cells_in_odd_columns_are_paired(kernel: int, read: tuple[int, int, int]) -> None:
    plain = model(size=26, kernel=kernel)
    cells = compute_cells(plain)
    assert np.allclose(cells(PIXELS[:, :26, :26]), plain(PIXELS[:, :26, :26]), atol=1e-5)
    first = next(layer for layer in cells.layers if isinstance(layer, keras.layers.Conv2D))
    assert first.input.shape[1:] == read


def test_images_need_not_be_square() -> None:
    plain = model(size=28, width=20)
    cells = compute_cells(plain)
    assert cells is not plain
    assert np.allclose(cells(PIXELS[:, :, :20]), plain(PIXELS[:, :, :20]), atol=1e-5)


def test_a_convolution_that_something_else_reads_too_stays_as_it_is() -> None:
    image = keras.Input((28, 28, 1))
    features = keras.layers.Conv2D(6, 3, activation="relu")(image)
    outputs = [keras.layers.Flatten()(tensor) for tensor in (pool_2(features), features)]
    plain = keras.Model(image, keras.layers.Concatenate()(outputs))
    assert compute_cells(plain) is plain


def test_strides_of_two() -> None:
    """As in MobileNetV2, without pooling."""
    plain = model(strides=2, padding="same", pool=None)
    cells = compute_cells(plain)
    first = next(layer for layer in cells.layers if isinstance(layer, keras.layers.Conv2D))
    assert (first.input.shape[1:], first.strides) == ((14, 14, 4), (1, 1))
    assert np.allclose(cells(PIXELS), plain(PIXELS), atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"size": 27},
        {"channels": 3},
        {"kernel": 2},
        {"strides": 2},
        {"strides": 3, "padding": "same"},
        {"strides": 2, "padding": "same", "kernel": 5},
        {"padding": "same"},
        {"width": 27},
        {"dilation_rate": 2},
        {"activation": "softmax"},
        {"size": 27, "strides": 2, "padding": "same", "pool": None},
        {"pool": None},
        {"pool": {"pool_size": 3}},
        {"pool": {"pool_size": 2, "strides": 1}},
        {"pool": {"pool_size": 2, "padding": "same"}},
    ],
    ids=str,
)
def test_a_model_of_other_layers_stays_as_it_is(options: dict[str, Any]) -> None:
    plain = model(**options)
    assert compute_cells(plain) is plain


def test_the_integers_stay_the_same(
    graph: Graph, calibration: RepresentativeDataset, splits: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = splits.validation.images
    found = answer(tflite_model.int8(graph, calibration), pixels)
    monkeypatch.setattr(tflite_model, "compute_cells", lambda model: model)
    assert np.array_equal(found, answer(tflite_model.int8(graph, calibration), pixels))


def test_a_quantization_aware_model_rounds_as_before() -> None:
    plain = quantize(CNN.build(FASHION_MNIST, None), CNN.normalization)
    plain(PIXELS, training=True)
    cells = compute_cells(plain)
    assert cells is not plain
    assert np.allclose(cells(PIXELS), plain(PIXELS), atol=1e-6)
    assert any("space_to_depth" in layer.name for layer in cells.layers)
    assert tf.reduce_max(tf.abs(cells(PIXELS))) > 0
