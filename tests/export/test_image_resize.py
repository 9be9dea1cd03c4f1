"""A resize as products of integers gives the same image, to within the rounding of each."""

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from edgefashion.export.graph.graph import Graph
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.export.tflite import packing, tflite_model
from edgefashion.export.tflite.image_resize import multiply_resize
from edgefashion.tensorflow import tf

Shape = tuple[int, int, int]
GRAY = (28, 28, 1)


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        *((GRAY, (96, 96)), ((40, 24, 1), (96, 96)), ((36, 60, 1), (24, 40))),
        *(((64, 120, 1), (96, 120)), ((120, 64, 1), (120, 96))),
    ],
    ids=str,
)
def test_the_image_is_resized_to_within_a_pixel(shape: Shape, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, *shape), np.uint8)
    content = multiply_resize(resizing(shape, size))
    assert "RESIZE_BILINEAR" not in kinds(content)
    assert kinds(content).count("FULLY_CONNECTED") == sum(
        a != b for a, b in zip(shape[:2], size, strict=True)
    )
    error = run(content, pixels) + 128.0 - np.asarray(tf.image.resize(pixels.astype(np.float32), size))
    assert np.abs(error).max() <= 1.01
    assert abs(error.mean()) < 0.02


@pytest.mark.parametrize("level", [0, 1, 100, 255])
def test_a_gray_image_stays_what_it_is(level: int) -> None:
    pixels = np.full((1, *GRAY), level, np.uint8)
    assert (run(multiply_resize(resizing(GRAY, (96, 96))), pixels) == level - 128).all()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: resizing((28, 28, 3), (96, 96)), id="several channels"),
        pytest.param(lambda: resizing((120, 120, 1), (96, 96)), id="a large image"),
        pytest.param(lambda: resizing((31, 28, 1), (96, 96)), id="weights of more than 7 bits"),
        pytest.param(lambda: resizing(GRAY, (96, 96), halfPixelCenters=False), id="other centers"),
        pytest.param(lambda: resizing(GRAY, (96, 96), alignCorners=True), id="aligned corners"),
        pytest.param(lambda: resizing(GRAY, (96, 96), scale=0.5), id="another scale"),
        pytest.param(lambda: without_first(resizing(GRAY, (96, 96))), id="not of the image"),
    ],
)
def test_any_other_resize_stays_as_it_is(content: Any) -> None:
    made = content()
    assert multiply_resize(made) == made


def test_an_exported_model_has_the_products_and_answers_the_same(
    residual: Graph, calibration: RepresentativeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(tflite_model, "multiply_resize", lambda content: content)
        before = tflite_model.int8(residual, calibration)
    after = multiply_resize(before)
    assert kinds(after).count("FULLY_CONNECTED") == kinds(before).count("FULLY_CONNECTED") + 2
    tflite_model.check_integer(after, residual)
    old, new = (run(content, calibration.pixels).astype(int) for content in (before, after))
    assert np.abs(new - old).mean() < 1
    assert (new.argmax(axis=1) == old.argmax(axis=1)).mean() > 0.95


def kinds(content: bytes) -> list[str]:
    model = packing.unpack(content)
    return [packing.operator_kind(model, operator) for operator in model.subgraphs[0].operators]


def run(content: bytes, pixels: Any) -> Any:
    interpreter = Interpreter(model_content=content)
    (image,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(image["index"], pixels.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(image["index"], pixels)
    interpreter.invoke()
    return interpreter.get_tensor(output["index"])


def resizing(shape: Shape, size: tuple[int, int], scale: float = 1.0, **options: Any) -> bytes:
    """A model that quantizes pixels and resizes them, as TensorFlow's converter writes it."""
    model = schema.ModelT(version=3, operatorCodes=[], buffers=[schema.BufferT()])
    graph = schema.SubGraphT(inputs=[0], outputs=[2], operators=[])
    graph.tensors = [
        tensor("image", shape, schema.TensorType.UINT8, 1.0, 0),
        tensor("pixels", shape, schema.TensorType.INT8, 1.0, -128),
        tensor("resize/ResizeBilinear", (*size, shape[2]), schema.TensorType.INT8, scale, -128),
        schema.TensorT(name="size", type=schema.TensorType.INT32, shape=[2], buffer=1),
    ]
    model.buffers.append(schema.BufferT(data=np.frombuffer(np.array(size, np.int32).tobytes(), np.uint8)))
    model.subgraphs = [graph]
    choice = schema.ResizeBilinearOptionsT(**{"halfPixelCenters": True, **options})
    for kind, inputs, output in (("QUANTIZE", [0], 1), ("RESIZE_BILINEAR", [1, 3], 2)):
        operator = schema.OperatorT(inputs=inputs, outputs=[output])
        operator.opcodeIndex = packing.operator_code(model, kind, 3 if kind == "RESIZE_BILINEAR" else 1)
        if kind == "RESIZE_BILINEAR":
            operator.builtinOptionsType = schema.BuiltinOptions.ResizeBilinearOptions
            operator.builtinOptions = choice
        graph.operators.append(operator)
    return packing.pack(model)


def without_first(content: bytes) -> bytes:
    """The model without QUANTIZE: its resize reads the input itself."""
    model = packing.unpack(content)
    model.subgraphs[0].inputs = [1]
    del model.subgraphs[0].operators[0]
    return packing.pack(model)


def tensor(name: str, shape: Shape, kind: int, scale: float, zero_point: int) -> Any:
    return schema.TensorT(
        name=name.encode(),
        type=kind,
        shape=[1, *shape],
        shapeSignature=[-1, *shape],
        quantization=schema.QuantizationParametersT(
            scale=np.array([scale], np.float32), zeroPoint=np.array([zero_point])
        ),
    )
