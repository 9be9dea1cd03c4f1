import gc
from dataclasses import replace

import numpy as np
import onnx as onnx_package
import pytest
from onnx import TensorProto

from edgefashion.errors import VerificationError
from edgefashion.export.graph.graph import Graph
from edgefashion.export.onnx import activation_ranges, onnx_model
from edgefashion.export.quantization.calibration import RepresentativeDataset


@pytest.fixture(scope="module")
def int8(graph: Graph, calibration: RepresentativeDataset) -> onnx_package.ModelProto:
    return int8_of(graph, calibration)


def int8_of(graph: Graph, calibration: RepresentativeDataset) -> onnx_package.ModelProto:
    model = onnx_model.prepare(graph)
    found = activation_ranges.measure_ranges(model, calibration.images, ["min-max"])["min-max"]
    return onnx_package.load_from_string(onnx_model.int8(model, graph, found))


@pytest.fixture(scope="module")
def float32(graph: Graph) -> onnx_package.ModelProto:
    return onnx_package.load_from_string(onnx_model.float32(graph))


@pytest.mark.parametrize("kind", ["float32", "int8"])
def test_names_shapes_and_opset_are_the_contract(kind: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(kind)
    (image,), (logits,) = model.graph.input, model.graph.output
    assert (image.name, logits.name) == ("image", "logits")
    assert (image.type.tensor_type.elem_type, logits.type.tensor_type.elem_type) == (
        TensorProto.UINT8,
        TensorProto.FLOAT,
    )
    shapes = [
        [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (image, logits)
    ]
    assert shapes == [["N", 28, 28, 1], ["N", 10]]
    assert {entry.domain: entry.version for entry in model.opset_import}[""] == onnx_model.OPSET


def test_every_layer_that_multiplies_is_quantized(int8: onnx_package.ModelProto) -> None:
    kinds = [node.op_type for node in int8.graph.node if node.op_type in onnx_model.COMPUTING]
    assert kinds == ["Conv", "Conv", "Gemm", "Gemm"]
    onnx_model.check_quantized(int8)


def test_weights_keep_to_seven_bits_and_have_a_scale_for_each_channel(int8: onnx_package.ModelProto) -> None:
    tensors = {tensor.name: onnx_package.numpy_helper.to_array(tensor) for tensor in int8.graph.initializer}
    read = [node.input for node in int8.graph.node if node.op_type == "DequantizeLinear"]
    weights = [(tensors[name], scale) for name, scale, _ in read if name in tensors]
    kernels = [(array, scale) for array, scale in weights if array.ndim == 4]
    assert {array.shape for array, _ in kernels} == {(128, 4, 2, 2), (64, 32, 3, 3)}
    for array, scale in kernels:
        assert np.abs(array.astype(int)).max() <= 64
        assert len(tensors[scale]) == len(array)


def test_every_layer_that_multiplies_runs_in_an_integer_kernel(
    int8: onnx_package.ModelProto, float32: onnx_package.ModelProto
) -> None:
    onnx_model.check_integer_kernels(int8.SerializeToString())
    with pytest.raises(VerificationError, match="in float: no file was kept"):
        onnx_model.check_integer_kernels(float32.SerializeToString())


def test_the_cnn_takes_twelve_kernels(int8: onnx_package.ModelProto) -> None:
    assert onnx_model.kernels(int8.SerializeToString()) == {
        **{"Slice": 1, "QLinearConv": 2, "NhwcMaxPool": 2, "QGemm": 2},
        **{"Transpose": 1, "Reshape": 4},  # two for cells of pixels, one for blocks, one to flatten
    }


def test_nothing_of_a_residual_model_is_left_in_float(
    residual: Graph, calibration: RepresentativeDataset
) -> None:
    model = onnx_model.prepare(residual)
    found = onnx_model.kernels(
        onnx_model.int8(
            model,
            residual,
            activation_ranges.measure_ranges(model, calibration.images, ["min-max"])["min-max"],
        )
    )
    assert found["QLinearConv"] == 5
    assert (found["QLinearMatMul"], found["QLinearAdd"], found["QLinearGlobalAveragePool"]) == (2, 1, 1)
    left_out = {"Relu", "Clip", "Resize", "QuantizeLinear", "DequantizeLinear", "Transpose", "Squeeze"}
    assert not left_out & found.keys()


def test_depthwise_kernels_keep_eight_bits() -> None:
    make = onnx_package.helper.make_node
    nodes = [
        make("Conv", ["image", "pointwise"], ["between"]),
        make("Conv", ["between", "depthwise"], ["logits"], group=16),
    ]
    model = onnx_package.helper.make_model(onnx_package.helper.make_graph(nodes, "two", [], []))
    assert onnx_model.depthwise_weights(model) == ["depthwise"]


def test_a_layer_left_in_float_is_named(float32: onnx_package.ModelProto) -> None:
    with pytest.raises(VerificationError, match="4 of 4 layers in float"):
        onnx_model.check_quantized(float32)


def test_pixels_are_their_own_quantized_values_whatever_calibration_saw(
    graph: Graph, calibration: RepresentativeDataset
) -> None:
    model = int8_of(graph, replace(calibration, images=calibration.images * np.float32(0.5)))
    tensors = {tensor.name: onnx_package.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    (pixels,) = [node for node in model.graph.node if first.input[0] in node.output]
    assert tensors[pixels.input[1]] == np.float32(graph.normalization.scale)
    assert tensors[pixels.input[2]] == graph.normalization.zero_point


def test_logits_are_not_rounded_to_256_steps(int8: onnx_package.ModelProto) -> None:
    (last,) = [node for node in int8.graph.node if "logits" in node.output]
    assert last.op_type == "Gemm"


def test_what_a_caller_froze_stays_so(graph: Graph) -> None:
    before = gc.get_freeze_count()
    onnx_model.float32(graph)
    assert gc.get_freeze_count() > 0.9 * before > 0
