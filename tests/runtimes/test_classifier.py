"""The sizes of a classifier are those of its file: any height and width, gray or RGB, 2 to 1,000 classes."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edgefashion.errors import ArtifactError
from edgefashion.runtimes.classifier import Tensor, classifier
from edgefashion.runtimes.model import open_model

SIZES = [((5, 3, 3), 2), ((4, 6, 1), 1000)]
Write = Callable[[Path, NDArray[np.float32], tuple[int, ...]], None]


def write_onnx(path: Path, weights: NDArray[np.float32], shape: tuple[int, ...]) -> None:
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["floats"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
    ]
    given = helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", *shape])
    made = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", weights.shape[1]])
    constants = [numpy_helper.from_array(weights, "weights")]
    graph = helper.make_graph(nodes, "classifier", [given], [made], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)


def write_tflite(path: Path, weights: NDArray[np.float32], shape: tuple[int, ...]) -> None:
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([None, *shape], tf.uint8)])  # type: ignore[untyped-decorator]
    def logits(images: Any) -> Any:
        flat = tf.reshape(tf.cast(images, tf.float32), [-1, math.prod(shape)])
        return tf.matmul(flat, weights)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([logits.get_concrete_function()])
    path.write_bytes(converter.convert())


@pytest.mark.parametrize("write", [write_onnx, write_tflite])
@pytest.mark.parametrize(("shape", "classes"), SIZES)
def test_a_model_of_any_size_predicts_and_refuses_other_images(
    write: Write, shape: tuple[int, ...], classes: int, tmp_path: Path
) -> None:
    path = tmp_path / f"model.{write.__name__.removeprefix('write_')}"
    random = np.random.default_rng(0)
    weights = random.normal(size=(math.prod(shape), classes)).astype(np.float32)
    write(path, weights, shape)
    images = random.integers(0, 256, (40, *shape), dtype=np.uint8)
    with open_model(path, 2) as model:
        logits = model.predict(images, classes=classes)
        np.testing.assert_allclose(logits, images.reshape(40, -1) @ weights, rtol=1e-3, atol=0.05)
        assert model.predict(images[:0]).shape == (0, classes)
        model.warm_up(images, 0)
        sizes = "x".join(map(str, shape))
        with pytest.raises(ArtifactError, match=f"takes images of {sizes}, and these are 28x28x1"):
            model.predict(np.zeros((1, 28, 28, 1), np.uint8))
        with pytest.raises(ArtifactError, match=f"takes images of {sizes}, and these are 28x28x1"):
            model.warm_up(np.zeros((1, 28, 28, 1), np.uint8), 0)
        with pytest.raises(ArtifactError, match=f"gives {classes} logits an image, .* of 10 classes"):
            model.predict(images, classes=10)


IMAGES, LOGITS = Tensor("uint8", (None, 5, 3, 3)), Tensor("float32", (None, 7))


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ([IMAGES, IMAGES], [LOGITS]),
        ([IMAGES], [LOGITS, LOGITS]),
        ([Tensor("float32", IMAGES.shape)], [LOGITS]),
        ([Tensor("uint8", (None, 5, 3))], [LOGITS]),
        ([Tensor("uint8", (None, None, 3, 3))], [LOGITS]),
        ([Tensor("uint8", ())], [LOGITS]),
        ([IMAGES], [Tensor("uint8", (None, 7))]),
        ([IMAGES], [Tensor("float32", (None, 1))]),
        ([IMAGES], [Tensor("float32", (None, None))]),
        ([IMAGES], [Tensor("float32", (None, 1, 7))]),
    ],
    ids=str,
)
def test_what_is_no_classifier_is_refused_with_what_it_takes_and_gives(
    inputs: list[Tensor], outputs: list[Tensor]
) -> None:
    with pytest.raises(ArtifactError) as caught:
        classifier(Path("a.onnx"), inputs, outputs)
    assert str(inputs[0]) in str(caught.value) and str(outputs[0]) in str(caught.value)


def test_a_batch_may_be_open_or_one() -> None:
    found = classifier(Path("a.onnx"), [Tensor("uint8", (1, 5, 3, 3))], [Tensor("int8", (1, 7))])
    assert (found.image_shape, found.classes) == ((5, 3, 3), 7)
    with pytest.raises(ArtifactError, match="found a batch fixed at 20 images"):
        classifier(Path("a.onnx"), [Tensor("uint8", (20, 5, 3, 3))], [LOGITS])
