"""Rewrites of an int8 ONNX model once its integers are settled: the same model in fewer and fuller kernels.

quantized    image → dequantize → reshape, resize in float → quantize → convolution of one channel
rewritten    image → resize in integers → convolution of neighbouring columns at once
"""

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx.helper import get_attribute_value, make_attribute, make_node
from onnx.numpy_helper import from_array, to_array

from edgefashion.errors import VerificationError

MOVING = {"QuantizeLinear", "DequantizeLinear", "Reshape", "Transpose", "Resize"}
TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
COLUMNS = (4, 3, 2)
"""How many columns of the first convolution's output are computed at once: the first that divides them."""
RESIZED, SPREAD_FROM = "resize/large", "/columns"
"""The image resized, [N, height, width], and what the output of the first convolution is called, as a
suffix, before its columns lie side by side.
"""


def take_pixels(model: onnx.ModelProto, name: str, size: tuple[int, int], resized: int) -> tuple[float, int]:
    """Make raw pixels, uint8 [N, height, width, 1], the model's input `name`, and resize them in integers to
    `resized` rows and columns for the first convolution. Returns the scale and zero point of the pixels.

    Until then normalised images are quantized on their way to it: with the normalisation as scale and zero
    point, what that gives is the pixel. Raises VerificationError where something computes with them before.
    """
    makers = {node.output[0]: node for node in model.graph.node}
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    dequantize = makers[first.input[0]]
    if dequantize.op_type != "DequantizeLinear":
        raise VerificationError("the int8 ONNX model does not quantize its input first: no file was kept")
    pixels, *parameters = dequantize.input
    for node in _before(pixels, makers):
        if node.op_type not in MOVING:
            raise VerificationError(f"the int8 ONNX model computes {node.op_type} first: no file was kept")
        model.graph.node.remove(node)
    steps = [make_node("Transpose", [name], [pixels], perm=TO_NCHW)]
    if size != (resized, resized):
        constants, steps = _resize(name, pixels, size, resized, parameters)
        model.graph.initializer.extend(constants)
    for node in reversed(steps):
        model.graph.node.insert(0, node)
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    _tidy(model)
    scale, zero_point = (_constants(model)[parameter] for parameter in parameters)
    return float(scale), int(zero_point)


def interpolation(size: int, resized: int) -> tuple[npt.NDArray[np.int64], int]:
    """Bilinear interpolation with half-pixel centres as integers [resized, size], and what they are
    multiples of: each row, divided by it, sums to 1.
    """
    ratio = Fraction(size, resized)
    sources = [(index + Fraction(1, 2)) * ratio - Fraction(1, 2) for index in range(resized)]
    whole = max(source.denominator for source in sources)
    weights = np.zeros((resized, size), np.int64)
    for row, source in zip(weights, sources, strict=True):
        left = source.numerator // source.denominator
        share = int((source - left) * whole)
        row[min(max(left, 0), size - 1)] += whole - share
        row[min(max(left + 1, 0), size - 1)] += share
    return weights, whole


def _resize(
    source: str, target: str, size: tuple[int, int], resized: int, parameters: list[str]
) -> tuple[list[onnx.TensorProto], list[onnx.NodeProto]]:
    """Constants and nodes that resize: columns, then rows, each a product with the integers of
    `interpolation`, which are exact and too small for any sum to overflow.
    """
    (rows, row_whole), (columns, column_whole) = (interpolation(length, resized) for length in size)
    constants = {
        "resize/rows": rows.astype(np.uint8),
        "resize/row_scale": np.float32(1 / row_whole),
        "resize/row_zero_point": np.uint8(0),
        "resize/columns": columns.T.astype(np.int8),
        "resize/column_scale": np.float32(1 / column_whole),
        "resize/column_zero_point": np.int8(0),
        "resize/plane": np.array([-1, *size], np.int64),
        "resize/image": np.array([-1, 1, resized, resized], np.int64),
    }
    by_rows = ["resize/rows", "resize/row_scale", "resize/row_zero_point"]
    by_columns = ["resize/columns", "resize/column_scale", "resize/column_zero_point"]
    wide = ["resize/wide", *parameters]
    nodes = [
        make_node("Reshape", [source, "resize/plane"], ["resize/narrow"]),
        make_node("QLinearMatMul", ["resize/narrow", *parameters, *by_columns, *parameters], wide[:1]),
        make_node("QLinearMatMul", [*by_rows, *wide, *parameters], [RESIZED]),
        make_node("Reshape", [RESIZED, "resize/image"], [target]),
    ]
    return [from_array(np.asarray(value), name) for name, value in constants.items()], nodes


def widen_first_convolution(model: onnx.ModelProto, size: int) -> None:
    """Have the first convolution, of `size` rows and columns of one channel, compute neighbouring columns of
    its output as channels of their own: the same integers.

    A kernel of one channel leaves most of the lanes of a dot product empty. Shifted copies of it, side by
    side in one that is as much wider, fill them, and the output in memory, with channels last, is the same.
    """
    makers = {node.output[0]: node for node in model.graph.node}
    convolution = next(node for node in model.graph.node if node.op_type == "Conv")
    quantize = next(node for node in model.graph.node if convolution.output[0] in node.input)
    settings = {entry.name: get_attribute_value(entry) for entry in convolution.attribute}
    height, width = _output_size(size, settings)
    count = next((number for number in COLUMNS if width % number == 0), 1)

    integers = _constants(model)
    kernel, *of_kernel = makers[convolution.input[1]].input
    channels, _, kernel_height, kernel_width = integers[kernel].shape
    row_stride, stride = settings["strides"]
    extra = stride * (count - 1)
    margins = [(stride * column, extra - stride * column) for column in range(count)]
    copies = [np.pad(integers[kernel], ((0, 0), (0, 0), (0, 0), margin)) for margin in margins]
    _replace(model, kernel, np.concatenate(copies))
    of_bias = [name for bias in convolution.input[2:] for name in makers[bias].input]
    for name in (*of_kernel, *of_bias):
        if integers[name].ndim:
            _replace(model, name, np.tile(integers[name], count))
    _set(
        convolution, strides=(row_stride, stride * count), kernel_shape=(kernel_height, kernel_width + extra)
    )
    _spread(model, quantize, (height, width, channels))
    _tidy(model)


def keep_logits(model: onnx.ModelProto, name: str) -> None:
    """Give the sums of the last layer, the output `name`, as they are: its integer kernel can, and to round
    them to 8 bits would be one kernel more.
    """
    makers = {node.output[0]: node for node in model.graph.node}
    dequantize = makers[name]
    quantize = makers[dequantize.input[0]]
    makers[quantize.input[0]].output[0] = name
    for node in (quantize, dequantize):
        model.graph.node.remove(node)
    _tidy(model)


def _spread(model: onnx.ModelProto, quantize: onnx.NodeProto, shape: tuple[int, int, int]) -> None:
    """Turn channels of neighbouring columns back into columns, behind `quantize`."""
    output = quantize.output[0]
    names = [output + suffix for suffix in (SPREAD_FROM, "/last", "/spread")]
    quantize.output[0] = names[0]
    model.graph.initializer.append(from_array(np.array([-1, *shape], np.int64), f"{output}/shape"))
    nodes = [
        make_node("Transpose", names[:1], names[1:2], perm=TO_NHWC),
        make_node("Reshape", [names[1], f"{output}/shape"], names[2:]),
        make_node("Transpose", names[2:], [output], perm=TO_NCHW),
    ]
    place = list(model.graph.node).index(quantize)
    for node in reversed(nodes):
        model.graph.node.insert(place + 1, node)


def _output_size(size: int, settings: dict[str, Any]) -> tuple[int, int]:
    pads = settings.get("pads", (0, 0, 0, 0))
    height, width = (
        (size + pads[axis] + pads[axis + 2] - settings["kernel_shape"][axis]) // settings["strides"][axis] + 1
        for axis in (0, 1)
    )
    return height, width


def _before(tensor: str, makers: dict[str, onnx.NodeProto]) -> list[onnx.NodeProto]:
    """The nodes that the tensor comes from."""
    node = makers.get(tensor)
    if node is None:
        return []
    return [node, *(other for name in node.input for other in _before(name, makers))]


def _tidy(model: onnx.ModelProto) -> None:
    """Leave no constant that nothing uses, and no shape that is no longer true."""
    used = {name for node in model.graph.node for name in node.input}
    for tensor in [tensor for tensor in model.graph.initializer if tensor.name not in used]:
        model.graph.initializer.remove(tensor)
    del model.graph.value_info[:]
    model.CopyFrom(onnx.shape_inference.infer_shapes(model, strict_mode=True))


def _constants(model: onnx.ModelProto) -> dict[str, npt.NDArray[Any]]:
    return {tensor.name: to_array(tensor) for tensor in model.graph.initializer}


def _set(node: onnx.NodeProto, **values: tuple[int, ...]) -> None:
    for entry in node.attribute:
        if entry.name in values:
            entry.CopyFrom(make_attribute(entry.name, values[entry.name]))


def _replace(model: onnx.ModelProto, name: str, value: npt.NDArray[Any]) -> None:
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == name)
    tensor.CopyFrom(from_array(value, name))
