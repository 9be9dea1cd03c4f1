"""A first convolution computed in blocks gives the same integers."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info
from onnx.numpy_helper import from_array

from edgefashion.export.debug.probe import unblock
from edgefashion.export.graph.kernel_copies import copy_kernels
from edgefashion.export.onnx.blocked_convolution import compute_blocks
from edgefashion.export.onnx.integer_io import TO_NCHW, tidy

OPSET = 17


def first_layers(
    size: int,
    stride: int,
    pads: tuple[int, ...],
    pooling: list[onnx.NodeProto],
    channels: int = 1,
    **others: Any,
) -> onnx.ModelProto:
    """Pixels, a quantized convolution of 3x3 and six channels, and `pooling`, from `a` to `b`."""
    random = np.random.default_rng(0)
    nodes = [
        make_node("Transpose", ["image"], ["moved"], perm=TO_NCHW),
        make_node("DequantizeLinear", ["moved", "scale", "zero"], ["pixels"]),
        make_node("DequantizeLinear", ["kernel", "scales", "zeros"], ["weights"], axis=0),
        make_node("DequantizeLinear", ["shift", "shift_scales", "shift_zeros"], ["bias"], axis=0),
        make_node(
            "Conv",
            ["pixels", "weights", "bias"],
            ["sums"],
            kernel_shape=[3, 3],
            strides=[stride] * 2,
            **({} if "auto_pad" in others else {"pads": pads}),
            **others,
        ),
        make_node("QuantizeLinear", ["sums", "scale", "zero"], ["q"]),
        make_node("DequantizeLinear", ["q", "scale", "zero"], ["a"]),
        *pooling,
        make_node("QuantizeLinear", ["b" if pooling else "a", "scale", "zero"], ["found"]),
    ]
    scales = np.linspace(0.001, 0.002, 6, dtype=np.float32)
    constants: dict[str, Any] = {
        "scale": np.float32(1 / 64),
        "zero": np.uint8(3),
        "kernel": random.integers(-64, 65, (6, channels // others.get("group", 1), 3, 3)).astype(np.int8),
        "scales": scales,
        "zeros": np.zeros(6, np.int8),
        "shift": random.integers(-2000, 2000, 6).astype(np.int32),
        "shift_scales": scales / 64,
        "shift_zeros": np.zeros(6, np.int32),
    }
    graph = make_graph(
        nodes,
        "first",
        [make_tensor_value_info("image", onnx.TensorProto.UINT8, ["N", size, size, channels])],
        [make_tensor_value_info("found", onnx.TensorProto.UINT8, ["N", 6, "H", "W"])],
        [from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = make_model(graph, opset_imports=[make_opsetid("", OPSET)], ir_version=8)
    tidy(model)
    return model


def pool(kind: str = "MaxPool", size: int = 2, stride: int = 2, **others: Any) -> list[onnx.NodeProto]:
    return [make_node(kind, ["a"], ["b"], kernel_shape=[size] * 2, strides=[stride] * 2, **others)]


def run(model: onnx.ModelProto) -> Any:
    """Its answer to the same three images, by kernels that nothing fuses."""
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    images = np.random.default_rng(1).integers(0, 256, (3, *shape[1:]), dtype=np.uint8)
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"image": images})[0]


def strides_of(model: onnx.ModelProto) -> list[int]:
    node = next(node for node in model.graph.node if node.op_type == "Conv")
    return next(list(entry.ints) for entry in node.attribute if entry.name == "strides")


def channels_of(model: onnx.ModelProto) -> int:
    """Of the kernel of its convolution."""
    return int(next(tensor.dims[1] for tensor in model.graph.initializer if tensor.name == "kernel"))


PIXELS = [
    (28, 1, (0, 0, 0, 0), [], [1, 2]),  # 26 columns
    (34, 1, (0, 0, 0, 0), [], [1, 4]),  # 32
    (29, 1, (0, 0, 0, 0), [], [1, 3]),  # 27
    (31, 1, (0, 0, 0, 0), [], [1, 1]),  # 29
    (36, 3, (0, 0, 0, 0), [], [3, 12]),
    (30, 1, (1, 1, 1, 1), [], [1, 3]),
    (29, 1, (0, 0, 0, 0), pool(), [1, 3]),  # reads all but an odd row and column
    (29, 1, (0, 0, 0, 0), pool(size=3, stride=3), [3, 3]),
    (28, 1, (0, 0, 0, 0), pool(size=3, stride=2), [1, 2]),  # windows that overlap
    (29, 1, (0, 0, 0, 0), pool(ceil_mode=1), [1, 3]),
    (28, 1, (0, 0, 0, 0), pool(pads=[1, 1, 1, 1]), [1, 2]),
    (28, 1, (0, 0, 0, 0), pool("AveragePool"), [1, 2]),
]
GROUPS = [
    (28, 1, (1, 1, 1, 1), [], [1, 1]),
    (28, 1, (1, 5, 1, 5), [], [1, 1]),
    (96, 2, (0, 0, 1, 1), [], [2, 1]),
    (32, 2, (1, 1, 0, 0), [], [2, 1]),
    (32, 4, (0, 0, 0, 0), [], [4, 1]),
    (28, 1, (0, 0, 0, 0), pool(), [1, 1]),
    (28, 1, (1, 1, 1, 1), pool(), [1, 1]),
    (28, 1, (1, 5, 1, 5), pool(), [1, 1]),
    (28, 2, (0, 0, 1, 1), pool(), [2, 2]),
    (34, 1, (0, 0, 0, 0), pool(size=4, stride=4), [2, 2]),
]
CASES = [*((*case, 1) for case in PIXELS), *((*case, 4) for case in GROUPS)]


@pytest.mark.parametrize(("size", "stride", "pads", "pooling", "strides", "channels"), CASES)
def test_blocks_give_the_same_integers(
    size: int,
    stride: int,
    pads: tuple[int, ...],
    pooling: list[onnx.NodeProto],
    strides: list[int],
    channels: int,
) -> None:
    model = first_layers(size, stride, pads, pooling)
    expected = run(model)
    compute_blocks(model)
    onnx.checker.check_model(model, full_check=True)
    assert (strides_of(model), channels_of(model)) == (strides, channels)
    found = run(model)
    assert found.std() > 1
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("channels", "others"),
    [(3, {}), (3, {"group": 3}), (1, {"dilations": [2, 2]}), (1, {"auto_pad": "SAME_UPPER"})],
    ids=str,
)
def test_any_other_convolution_stays_as_it_is(channels: int, others: dict[str, Any]) -> None:
    model = first_layers(28, 1, (0, 0, 0, 0), pool(), channels, **others)
    before = model.SerializeToString(deterministic=True)
    compute_blocks(model)
    assert model.SerializeToString(deterministic=True) == before


def test_a_convolution_whose_sums_are_read_twice_stays_as_it_is() -> None:
    model = first_layers(28, 1, (0, 0, 0, 0), pool())
    model.graph.node.append(make_node("QuantizeLinear", ["sums", "scale", "zero"], ["more"]))
    before = model.SerializeToString(deterministic=True)
    compute_blocks(model)
    assert model.SerializeToString(deterministic=True) == before


def test_each_copy_of_a_kernel_lies_where_its_place_does() -> None:
    kernel = np.arange(1, 5, dtype=np.int8).reshape(1, 1, 2, 2)
    copies = copy_kernels(kernel, (2, 2), (1, 2))
    assert copies.shape == (4, 1, 3, 4)
    assert copies[0, 0].tolist() == [[1, 2, 0, 0], [3, 4, 0, 0], [0, 0, 0, 0]]
    assert copies[3, 0].tolist() == [[0, 0, 0, 0], [0, 0, 1, 2], [0, 0, 3, 4]]


def test_blocks_are_put_in_their_places_again() -> None:
    """As the probe of `edgefashion debug` reads them."""
    values: npt.NDArray[Any] = np.arange(2 * 6 * 4 * 3).reshape(2, 6, 4, 3)
    blocks = values.reshape(2, 3, 2, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 3, 2, 12)
    assert np.array_equal(unblock(blocks, (6, 4, 3)), values)
    assert np.array_equal(unblock(values, (6, 4, 3)), values)
    assert unblock(blocks, (6, 4, 4)) is blocks
    assert unblock(blocks, (5, 4, 3)) is blocks
