"""The rewritten model computes what the quantizer made, in integers."""

from typing import Any

import numpy as np
import onnx as onnx_package
import onnxruntime
import pytest
from onnx.helper import make_node
from onnx.numpy_helper import from_array, to_array

from edgefashion.data import Splits
from edgefashion.errors import VerificationError
from edgefashion.export.graph.graph import Graph
from edgefashion.export.onnx import activation_ranges, integer_io, onnx_model
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.models.mobilenetv2 import MOBILENETV2


@pytest.fixture(scope="module")
def quantized(graph: Graph, calibration: RepresentativeDataset) -> onnx_package.ModelProto:
    """What the quantizer made of the CNN."""
    model = onnx_model.prepare(graph)
    return onnx_model.quantize(
        model, graph, activation_ranges.measure_ranges(model, calibration.images, ["min-max"])["min-max"]
    )


def copied(model: onnx_package.ModelProto) -> onnx_package.ModelProto:
    other = onnx_package.ModelProto()
    other.CopyFrom(model)
    return other


def run(model: onnx_package.ModelProto, images: Any) -> Any:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {session.get_inputs()[0].name: images})[0]


def test_the_integers_stay_the_same(quantized: onnx_package.ModelProto, graph: Graph, splits: Splits) -> None:
    pixels = splits.validation.images
    model = copied(quantized)
    expected = run(model, np.asarray(graph.normalization(pixels)))
    assert integer_io.take_pixels(model, "image", (28, 28, 1), (28, 28), (26, 26)) == pytest.approx(
        (1 / 255, 0)
    )
    assert np.array_equal(run(model, pixels), expected)
    integer_io.keep_logits(model, "logits")
    scale = next(to_array(t) for t in quantized.graph.initializer if t.name == "logits_scale")
    found = run(model, pixels)
    inside = np.abs(found - expected) <= 0.51 * scale
    assert inside.mean() > 0.99
    onnx_package.checker.check_model(model, full_check=True)


def test_the_first_layer_reads_pixels_and_the_last_gives_sums(quantized: onnx_package.ModelProto) -> None:
    model = copied(quantized)
    integer_io.take_pixels(model, "image", (28, 28, 1), (28, 28), (26, 26))
    integer_io.keep_logits(model, "logits")
    assert [node.op_type for node in model.graph.node[:2]] == ["Slice", "Transpose"]
    assert model.graph.node[0].input[0] == "image"
    assert model.graph.input[0].type.tensor_type.elem_type == onnx_package.TensorProto.UINT8
    assert model.graph.node[-1].op_type == "Gemm"


@pytest.mark.parametrize("shape", [(28, 28, 1), (40, 24, 3), (31, 37, 3)], ids=str)
def test_the_image_is_resized_in_integers_to_within_a_pixel(shape: tuple[int, int, int]) -> None:
    """As of MobileNetV2: by two products of integers, each of which rounds. 31 and 37 have weights of up to
    191.
    """
    pixels = np.random.default_rng(0).integers(0, 256, (20, *shape), np.uint8)
    found = run(resizing("Identity", shape), pixels)
    expected = np.asarray(MOBILENETV2.resize(pixels.astype(np.float32)))
    assert found.dtype == np.uint8
    error = found.transpose(0, 2, 3, 1) - expected
    assert np.abs(error).max() <= 1.01
    assert abs(error.mean()) < 0.01


def test_what_8_bits_cannot_resize_is_refused() -> None:
    with pytest.raises(VerificationError, match="28x28 cannot be resized to 28x257 in integers of 8 bits"):
        resizing("Identity", (28, 28, 1), (28, 257))


def test_what_computes_before_it_quantizes_is_refused() -> None:
    words = "the int8 ONNX model computes Relu before it quantizes its input: no file was kept"
    with pytest.raises(VerificationError, match=words):
        resizing("Relu", (28, 28, 1))


def test_what_a_model_crops_by_itself_is_refused(quantized: onnx_package.ModelProto) -> None:
    with pytest.raises(VerificationError, match="crops or pads its input itself: no file was kept"):
        integer_io.take_pixels(copied(quantized), "image", (28, 28, 1), (28, 28), (28, 28))


def resizing(
    before: str, shape: tuple[int, int, int], resized: tuple[int, int] = (96, 96)
) -> onnx_package.ModelProto:
    """A model that resizes pixels of `shape` for a convolution, which is then taken away."""
    last = "flat" if before == "Identity" else "same"
    nodes = [
        make_node("QuantizeLinear", ["image", "scale", "zero"], ["q1"]),
        make_node("DequantizeLinear", ["q1", "scale", "zero"], ["d1"]),
        make_node("Transpose", ["d1"], ["flat"], perm=integer_io.TO_NCHW),
        *([make_node(before, ["flat"], ["same"])] if last == "same" else []),
        make_node("QuantizeLinear", [last, "scale", "zero"], ["pixels"]),
        make_node("DequantizeLinear", ["pixels", "scale", "zero"], ["d2"]),
        make_node("Conv", ["d2", "kernel"], ["logits"], kernel_shape=[1, 1]),
    ]
    constants = {
        "scale": np.float32(1 / 127.5),
        "zero": np.uint8(127),
        "kernel": np.ones((1, shape[2], 1, 1), np.float32),
    }
    value = onnx_package.helper.make_tensor_value_info
    graph = onnx_package.helper.make_graph(
        nodes,
        "resizing",
        [value("image", onnx_package.TensorProto.FLOAT, ["N", *shape])],
        [value("logits", onnx_package.TensorProto.FLOAT, None)],
        [from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    opset = onnx_package.helper.make_opsetid("", onnx_model.OPSET)
    model = onnx_package.helper.make_model(graph, opset_imports=[opset], ir_version=8)
    assert integer_io.take_pixels(model, "image", shape, resized, resized) == pytest.approx((1 / 127.5, 127))
    del model.graph.node[-2:]
    model.graph.output[0].CopyFrom(value("pixels", onnx_package.TensorProto.UINT8, None))
    return model
