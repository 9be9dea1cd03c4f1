"""What an ONNX file need not say is left out, and nothing else."""

import copy

import numpy as np
import onnx
import pytest

from edgefashion.export.graph.fused_layers import find_step, steps_of
from edgefashion.export.graph.graph import Graph
from edgefashion.export.onnx import activation_ranges, last_bias, onnx_model
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.runtimes.content import run_content


@pytest.fixture(scope="module")
def whole(graph: Graph, calibration: RepresentativeDataset) -> onnx.ModelProto:
    """The int8 model as it is without it."""
    model = onnx_model.prepare(graph)
    found = activation_ranges.measure_ranges(model, calibration.images, ["min-max"])["min-max"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_model, "compact", lambda model: None)
        return onnx.load_from_string(onnx_model.int8(model, graph, found))


@pytest.fixture(scope="module")
def compacted(whole: onnx.ModelProto) -> onnx.ModelProto:
    made = copy.deepcopy(whole)
    onnx_model.compact(made)
    onnx.checker.check_model(made, full_check=True)
    return made


def test_it_gives_the_same_logits_in_fewer_bytes(
    whole: onnx.ModelProto, compacted: onnx.ModelProto, calibration: RepresentativeDataset
) -> None:
    before, after = whole.SerializeToString(), compacted.SerializeToString()
    assert len(after) < len(before) - 6000
    logits = [run_content(each, "a.onnx", calibration.pixels)[0] for each in (before, after)]
    np.testing.assert_array_equal(*logits)
    assert [node.op_type for node in compacted.graph.node] == [node.op_type for node in whole.graph.node]


def test_layers_are_found_by_the_same_names(
    whole: onnx.ModelProto, compacted: onnx.ModelProto, graph: Graph
) -> None:
    steps = steps_of(graph)
    found, wanted = (
        [find_step(node.input[0], steps) for node in model.graph.node if node.op_type == "QuantizeLinear"]
        for model in (compacted, whole)
    )
    assert found == wanted
    assert len({*found} - {None}) > 3


def test_every_name_is_that_of_one_tensor(compacted: onnx.ModelProto) -> None:
    made = [name for node in compacted.graph.node for name in node.output]
    names = [*made, *(tensor.name for tensor in compacted.graph.initializer), "image"]
    assert len({*names}) == len(names)
    assert {name for node in compacted.graph.node for name in node.input} <= {*names}
    called = [node.name for node in compacted.graph.node if node.name]
    assert len({*called}) == len(called)


def test_what_an_operator_does_without_being_told_is_not_said(compacted: onnx.ModelProto) -> None:
    """A kernel's shape is said: not every reader finds that of weights which are behind an operator."""
    told = [(node.op_type, {each.name for each in node.attribute}) for node in compacted.graph.node]
    assert [names for kind, names in told if kind == "Conv"] == [{"kernel_shape", "pads"}, {"kernel_shape"}]
    assert [names for kind, names in told if kind == "Gemm"] == [set()] * 2
    assert {"axis"} in [names for kind, names in told if kind == "DequantizeLinear"]


def test_zeros_of_32_bits_take_a_byte_each(compacted: onnx.ModelProto) -> None:
    constants = {tensor.name: tensor for tensor in compacted.graph.initializer}
    makers = {node.output[0]: node for node in compacted.graph.node}
    for node in (each for each in compacted.graph.node if each.op_type in ("Conv", "Gemm")):
        zeros = constants[makers[node.input[2]].input[2]]
        assert not onnx.numpy_helper.to_array(zeros).any()
        assert zeros.ByteSize() <= zeros.dims[0] + 16


def test_an_operator_that_the_standard_does_not_know_stays_as_it_is(whole: onnx.ModelProto) -> None:
    model = copy.deepcopy(whole)
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    made = onnx.helper.make_node("Own", ["logits"], ["x"], domain="com.microsoft", strides=[1])
    model.graph.node.append(made)
    onnx_model.compact(model)
    assert list(model.graph.node[-1].attribute) == list(made.attribute)
    assert {opset.domain for opset in model.opset_import} == {"", "com.microsoft"}


def test_a_bias_of_zeros_is_no_zero_point(compacted: onnx.ModelProto) -> None:
    """It may be corrected, which would move both."""
    model = copy.deepcopy(compacted)
    (logits,) = (node for node in model.graph.node if node.op_type == "Gemm" and node.output[0] == "logits")
    makers = {node.output[0]: node for node in model.graph.node}
    integers, _, zero_point = makers[logits.input[2]].input
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    zeros = onnx.numpy_helper.to_array(constants[zero_point])
    constants[integers].CopyFrom(onnx.numpy_helper.from_array(zeros, integers))
    onnx_model.compact(model)
    content = last_bias.replace_bias(model.SerializeToString(), np.ones(10, np.float32))
    changed = onnx.load_from_string(content)
    before, after = (
        {tensor.name: tensor.SerializeToString() for tensor in each.graph.initializer}
        for each in (model, changed)
    )
    assert sum(before[name] != after[name] for name in before) == 1
