"""Pixels that nothing reads are left out, and nothing else."""

from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from edgefashion.data import FASHION_MNIST, Task
from edgefashion.export.graph.graph import Graph
from edgefashion.export.graph.unread_pixels import crop_unread, rows_and_columns
from edgefashion.export.tflite import tflite_model
from edgefashion.export.tflite.space_to_depth import compute_cells
from edgefashion.models.cnn import CNN
from edgefashion.models.mobilenetv2 import MOBILENETV2
from edgefashion.models.quantization_aware import quantize
from edgefashion.tensorflow import keras

PIXELS = np.random.default_rng(0).random((5, 28, 28, 1), np.float32)


def model(*layers: keras.layers.Layer, size: int = 28) -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((size, size, 1)), *layers, keras.layers.Flatten()])


def convolution(length: int, **options: Any) -> keras.layers.Layer:
    return keras.layers.Conv2D(3, length, bias_initializer="uniform", **options)


def pooling(length: int, **options: Any) -> keras.layers.Layer:
    return keras.layers.MaxPooling2D(length, **options)


@pytest.mark.parametrize(
    ("layers", "read"),
    [
        ([convolution(3), pooling(2), convolution(3), pooling(2)], 26),
        ([convolution(3), pooling(3), convolution(3)], 26),
        ([convolution(3, strides=2), keras.layers.ReLU()], 27),
        ([convolution(5, strides=(3, 3)), pooling(2)], 26),
    ],
)
def test_the_same_function_of_fewer_pixels(layers: list[keras.layers.Layer], read: int) -> None:
    whole = model(*layers)
    part = crop_unread(whole)
    first = next(layer for layer in part.layers if isinstance(layer, keras.layers.Conv2D))
    assert first.input.shape[1:3] == (read, read)
    assert np.array_equal(part(PIXELS), whole(PIXELS))
    assert rows_and_columns(part) == (read, read)


def test_rows_and_columns_are_counted_each_for_themselves() -> None:
    whole = CNN.build(Task("signs", (40, 23, 3), ("stop", "go"), FASHION_MNIST.picture), None)
    part = crop_unread(whole)
    pixels = np.random.default_rng(1).random((2, 40, 23, 3), np.float32)
    assert rows_and_columns(part) == (38, 22)
    assert np.array_equal(part(pixels), whole(pixels))


def test_the_last_row_and_column_that_stay_are_read() -> None:
    part = crop_unread(CNN.build(FASHION_MNIST, None))
    rows, columns = rows_and_columns(part)
    assert (rows, columns) == (26, 26)
    for place in ((slice(None), rows - 1), (slice(None), slice(None), columns - 1)):
        changed = PIXELS.copy()
        changed[place] += 10
        assert not np.array_equal(part(changed), part(PIXELS))


@pytest.mark.parametrize(
    "layers",
    [
        [convolution(3)],
        [convolution(3), pooling(2)],
        [convolution(3, padding="same"), pooling(3, padding="same")],
        [keras.layers.ZeroPadding2D(2), convolution(3, strides=3)],
        [convolution(3, dilation_rate=2), keras.layers.ReLU(), pooling(5)],
    ],
)
def test_any_other_model_stays_as_it_is(layers: list[keras.layers.Layer]) -> None:
    whole = model(*layers)
    assert crop_unread(whole) is whole
    assert rows_and_columns(whole) == (28, 28)


def test_a_model_that_crops_by_itself_reads_all() -> None:
    whole = model(keras.layers.Cropping2D(((2, 2), (1, 1))), convolution(3))
    assert crop_unread(whole) is whole
    assert rows_and_columns(whole) == (28, 28)


def test_two_readers_may_need_different_rows() -> None:
    image = keras.Input((28, 28, 1))
    features = convolution(3)(image)
    outputs = [keras.layers.Flatten()(layer(features)) for layer in (pooling(4), pooling(5))]
    whole = keras.Model(image, keras.layers.Concatenate()(outputs))
    assert crop_unread(whole) is whole


def test_mobilenetv2_reads_all(short: None) -> None:
    folded = MOBILENETV2.fold(MOBILENETV2.build(FASHION_MNIST, None), FASHION_MNIST)
    assert crop_unread(folded) is folded


def test_a_quantization_aware_model_rounds_as_before() -> None:
    whole = quantize(CNN.build(FASHION_MNIST, None), CNN.normalization)
    whole(PIXELS, training=True)
    part = crop_unread(whole)
    assert rows_and_columns(part) == (26, 26)
    assert np.array_equal(part(PIXELS), whole(PIXELS))


def test_a_float_file_answers_as_before(graph: Graph, splits: Any) -> None:
    """It has one operator more, and smaller tensors."""
    pixels = splits.validation.images[:1]
    answers = []
    for deployed in (graph.deployed, graph.model):
        interpreter = Interpreter(model_content=tflite_model.float32(graph.with_deployed(deployed)))
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
        interpreter.invoke()
        answers.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    np.testing.assert_allclose(*answers, atol=1e-5)


def test_a_model_without_a_convolution_stays_as_it_is() -> None:
    image = keras.Input((28, 28, 1))
    model = keras.Model(image, keras.layers.Dense(10)(keras.layers.Flatten()(image)))
    assert crop_unread(model) is model
    assert compute_cells(model) is model
