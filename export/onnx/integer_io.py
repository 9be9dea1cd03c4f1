"""Rewrites of an int8 ONNX model once its integers are settled: where it begins and where it ends.

quantized    normalized image → quantize → resize in float → … → last layer → quantize → logits
rewritten    pixels → resize in integers → … → last layer → logits
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx.helper import make_node
from onnx.numpy_helper import from_array, to_array

from edgefashion.errors import VerificationError
from edgefashion.export.graph.bilinear import interpolation

MOVING = {"QuantizeLinear", "DequantizeLinear", "Reshape", "Transpose", "Resize", "Slice"}
TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
RESIZED = "resize/large"
"""The resized image, [N, height, width * channels]."""
MOST_WEIGHT = 255
"""What interpolation may multiply a pixel by."""
Size = tuple[int, int]


def take_pixels(
    model: onnx.ModelProto, name: str, shape: Sequence[int], resized: Size, read: Size
) -> tuple[float, int]:
    """Make raw pixels, uint8 [N, height, width, channels] of `shape`, the model's input `name`, resize them
    in integers to `resized` rows and columns, and give the first `read` of these to the first layer. Returns
    the scale and zero point of the pixels.

    Until then normalized images are quantized on their way to it: with the normalization as scale and zero
    point, what that gives is the pixel. Raises VerificationError where something computes with them before.
    """
    *size, channels = shape
    makers = {node.output[0]: node for node in model.graph.node}
    first = next(node for node in model.graph.node if node.op_type not in MOVING)
    dequantize = makers.get(first.input[0])
    if dequantize is None or dequantize.op_type != "DequantizeLinear":
        raise VerificationError(
            f"the int8 ONNX model computes {first.op_type} before it quantizes its input: no file was kept"
        )
    pixels, *parameters = dequantize.input
    sizes = _sizes(model, dequantize.output[0])
    if tuple(size) == resized and math.prod(sizes) != math.prod(read) * channels:
        raise VerificationError("the int8 ONNX model crops or pads its input itself: no file was kept")
    for node in _before(pixels, makers):
        model.graph.node.remove(node)
    image, steps = name, list[onnx.NodeProto]()
    if tuple(size) != resized:
        image, steps = _resize(model, image, shape, resized, parameters)
    if read != resized:
        image, crop = _crop(model, image, read)
        steps.append(crop)
    steps.append(_arrange(model, image, pixels, (*read, channels), len(sizes)))
    for node in reversed(steps):
        model.graph.node.insert(0, node)
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    tidy(model)
    scale, zero_point = (constants(model)[parameter] for parameter in parameters)
    return float(scale), int(zero_point)


def _sizes(model: onnx.ModelProto, tensor: str) -> list[int]:
    """The lengths of a tensor's axes after the first, 0 where one is not known."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    (found,) = (value for value in inferred.graph.value_info if value.name == tensor)
    return [axis.dim_value for axis in found.type.tensor_type.shape.dim[1:]]


def _arrange(
    model: onnx.ModelProto, image: str, pixels: str, shape: Sequence[int], axes: int
) -> onnx.NodeProto:
    """The node from an image of `shape`, [N, height, width, channels], to `pixels`: [N, channels, height,
    width] where these have three `axes` beside N, else [N, values].
    """
    if axes == 3:
        # ONNX Runtime, with channels last inside, drops a transposition where a reshape would need one.
        return make_node("Transpose", [image], [pixels], perm=TO_NCHW)
    model.graph.initializer.append(from_array(np.array([-1, math.prod(shape)], np.int64), "flatten/shape"))
    return make_node("Reshape", [image, "flatten/shape"], [pixels])


def _crop(model: onnx.ModelProto, image: str, size: Size) -> tuple[str, onnx.NodeProto]:
    """The name of the first rows and columns of an image [N, height, width, channels], and the node that
    gives them.
    """
    values = {"crop/starts": [0, 0], "crop/ends": list(size), "crop/axes": [1, 2]}
    for name, value in values.items():
        model.graph.initializer.append(from_array(np.array(value, np.int64), name))
    return "crop/last", make_node("Slice", [image, *values], ["crop/last"])


def _resize(
    model: onnx.ModelProto, image: str, shape: Sequence[int], resized: Size, parameters: list[str]
) -> tuple[str, list[onnx.NodeProto]]:
    """The name of a resized image [N, height, width, channels], and the nodes to there: columns, then rows,
    each a product with the integers of `interpolation`, which are exact and too small for a sum to overflow.
    """
    height, width, channels = shape
    rows, row_whole = interpolation(height, resized[0])
    columns, column_whole = interpolation(width, resized[1])
    if max(row_whole, column_whole) > MOST_WEIGHT:
        raise VerificationError(
            f"an image of {height}x{width} cannot be resized to {resized[0]}x{resized[1]} in integers of 8 "
            "bits: no file was kept"
        )
    # Kernels for unsigned weights are slower, and sum up in more bits.
    kind = np.int8 if column_whole <= np.iinfo(np.int8).max else np.uint8
    columns = np.kron(columns, np.eye(channels, dtype=np.int64))  # each channel from its own
    values = {
        "resize/rows": rows.astype(np.uint8),
        "resize/row_scale": np.float32(1 / row_whole),
        "resize/row_zero_point": np.uint8(0),
        "resize/columns": columns.T.astype(kind),
        "resize/column_scale": np.float32(1 / column_whole),
        "resize/column_zero_point": kind(0),
        "resize/plane": np.array([-1, height, width * channels], np.int64),
        "resize/image": np.array([-1, *resized, channels], np.int64),
    }
    by_rows = ["resize/rows", "resize/row_scale", "resize/row_zero_point"]
    by_columns = ["resize/columns", "resize/column_scale", "resize/column_zero_point"]
    wide = ["resize/wide", *parameters]
    nodes = [
        make_node("Reshape", [image, "resize/plane"], ["resize/narrow"]),
        make_node("QLinearMatMul", ["resize/narrow", *parameters, *by_columns, *parameters], wide[:1]),
        make_node("QLinearMatMul", [*by_rows, *wide, *parameters], [RESIZED]),
        make_node("Reshape", [RESIZED, "resize/image"], ["resize/last"]),
    ]
    model.graph.initializer.extend(from_array(np.asarray(value), name) for name, value in values.items())
    return "resize/last", nodes


def keep_logits(model: onnx.ModelProto, name: str) -> None:
    """Give the sums of the last layer, the output `name`, as they are: its integer kernel can, and to round
    them to 8 bits would be one kernel more. Sums of a layer left in float are not rounded to begin with.
    """
    makers = {node.output[0]: node for node in model.graph.node}
    dequantize = makers[name]
    if dequantize.op_type != "DequantizeLinear":
        return
    quantize = makers[dequantize.input[0]]
    makers[quantize.input[0]].output[0] = name
    for node in (quantize, dequantize):
        model.graph.node.remove(node)
    tidy(model)


def _before(tensor: str, makers: dict[str, onnx.NodeProto]) -> list[onnx.NodeProto]:
    """The nodes that the tensor comes from."""
    node = makers.get(tensor)
    if node is None:
        return []
    return [node, *(other for name in node.input for other in _before(name, makers))]


def tidy(model: onnx.ModelProto) -> None:
    """Leave no dequantized tensor and no constant that nothing uses, and no shape that is no longer true."""
    read = {name for node in model.graph.node for name in node.input}
    read |= {output.name for output in model.graph.output}
    for node in [node for node in model.graph.node if node.op_type == "DequantizeLinear"]:
        if node.output[0] not in read:
            model.graph.node.remove(node)
    used = {name for node in model.graph.node for name in node.input}
    for tensor in [tensor for tensor in model.graph.initializer if tensor.name not in used]:
        model.graph.initializer.remove(tensor)
    del model.graph.value_info[:]
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    model.graph.value_info.extend(inferred.graph.value_info)


def constants(model: onnx.ModelProto) -> dict[str, npt.NDArray[Any]]:
    """The constants of a model, by name."""
    return {tensor.name: to_array(tensor) for tensor in model.graph.initializer}


def replace(model: onnx.ModelProto, name: str, value: npt.NDArray[Any]) -> None:
    """Give a constant another value."""
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == name)
    tensor.CopyFrom(from_array(value, name))


def insert_behind(model: onnx.ModelProto, node: onnx.NodeProto | None, others: list[onnx.NodeProto]) -> None:
    """Put nodes into the order of computation, right behind one that is there, or before all."""
    place = list(model.graph.node).index(node) + 1 if node else 0
    for number, other in enumerate(others):
        model.graph.node.insert(place + number, other)
