"""The first convolution of an int8 ONNX model, computed in blocks of neighboring outputs: the same integers.

before    kernels of one channel, which leave most lanes of a dot product empty, at every place
after     wider kernels, each with a shifted copy of its weights, at every block of places; what they
          give lies in memory, channels last, as the columns of the output do, or, where windows of
          max pooling follow, as these do
"""

import math
from typing import Any

import numpy as np
import onnx
from onnx.helper import get_attribute_value, make_attribute, make_node
from onnx.numpy_helper import from_array

from edgefashion.export.graph.kernel_copies import Pair, copy_kernels
from edgefashion.export.onnx.integer_io import TO_NCHW, TO_NHWC, constants, insert_behind, replace, tidy

COLUMNS = (4, 3, 2)
"""How many columns are computed at once where no pooling follows: the first of these that divides them."""
BLOCKS = "/blocks"
"""Ends the names of tensors in which a block is not spread yet."""


def compute_blocks(model: onnx.ModelProto) -> None:
    """Rewrite the first convolution of a QDQ model and what follows.

    One that reads several channels stays as it is, and so does one that was left in float, one of several
    groups or with gaps in its windows, and a model without any.
    """
    makers = {node.output[0]: node for node in model.graph.node}
    convolution = next((node for node in model.graph.node if node.op_type == "Conv"), None)
    if convolution is None or not _reads_one_channel(model, convolution, makers):
        return
    quantize, *others = _readers(model, convolution.output[0])
    if others or quantize.op_type != "QuantizeLinear":
        return
    channels, height, width = _sizes(model, convolution.output[0])
    pool = _pooling(model, quantize, (height, width))
    if pool is None:
        block = (1, next((number for number in COLUMNS if width % number == 0), 1))
    else:
        rows, columns = _attributes(pool)["kernel_shape"]
        block = (rows, columns)
    _widen(model, convolution, makers, block)
    if pool is None:
        _spread_columns(model, quantize, (height, width, channels))
    else:
        _pool_blocks(model, quantize, pool, (height // block[0], width // block[1], channels))
    tidy(model)


def _reads_one_channel(
    model: onnx.ModelProto, convolution: onnx.NodeProto, makers: dict[str, onnx.NodeProto]
) -> bool:
    """Whether it computes in integers, from whole windows of one channel."""
    settings = _attributes(convolution)
    whole = settings.get("group", 1) == 1 and set(settings.get("dilations", (1,))) == {1}
    explicit = "strides" in settings and settings.get("auto_pad", b"NOTSET") == b"NOTSET"
    if convolution.input[1] not in makers or not whole or not explicit:
        return False
    return bool(constants(model)[makers[convolution.input[1]].input[0]].shape[1] == 1)


def _widen(
    model: onnx.ModelProto, convolution: onnx.NodeProto, makers: dict[str, onnx.NodeProto], block: Pair
) -> None:
    integers = constants(model)
    kernel, *of_kernel = makers[convolution.input[1]].input
    of_bias = [name for bias in convolution.input[2:] for name in makers[bias].input]
    strides = _attributes(convolution)["strides"]
    wider = copy_kernels(integers[kernel], block, strides)
    replace(model, kernel, wider)
    for name in (*of_kernel, *of_bias):
        if integers[name].ndim:
            replace(model, name, np.tile(integers[name], block[0] * block[1]))
    changed = {"strides": [strides[0] * block[0], strides[1] * block[1]], "kernel_shape": wider.shape[2:]}
    for entry in convolution.attribute:
        if entry.name in changed:
            entry.CopyFrom(make_attribute(entry.name, changed[entry.name]))


def _spread_columns(model: onnx.ModelProto, quantize: onnx.NodeProto, shape: tuple[int, int, int]) -> None:
    """Have a block's columns side by side behind `quantize`: [N, channels, height, width] as it was."""
    output = quantize.output[0]
    quantize.output[0] = output + BLOCKS
    insert_behind(model, quantize, _reshaped(model, quantize.output[0], output, shape))


def _pool_blocks(
    model: onnx.ModelProto, quantize: onnx.NodeProto, pool: onnx.NodeProto, shape: tuple[int, int, int]
) -> None:
    """Have the pooling take the maximum over each block, whose places lie side by side as columns.

    `shape` is that of what it gives: height, width, channels.
    """
    (dequantize,) = _readers(model, quantize.output[0])
    height, width, channels = shape
    places = math.prod(_attributes(pool)["kernel_shape"])
    beside = quantize.output[0] + "/beside"
    quantize.output[0] += BLOCKS
    nodes = _reshaped(model, quantize.output[0], beside, (height, width * places, channels))
    insert_behind(model, quantize, nodes)
    dequantize.input[0] = beside
    for entry in pool.attribute:
        if entry.name in ("kernel_shape", "strides"):
            entry.CopyFrom(make_attribute(entry.name, [1, places]))


def _reshaped(
    model: onnx.ModelProto, source: str, target: str, shape: tuple[int, ...]
) -> list[onnx.NodeProto]:
    """Nodes that read [N, channels, height, width] with channels last as if it were of another `shape`."""
    last, other, size = (f"{target}/{part}" for part in ("last", "other", "size"))
    model.graph.initializer.append(from_array(np.array([-1, *shape], np.int64), size))
    return [
        make_node("Transpose", [source], [last], perm=TO_NHWC),
        make_node("Reshape", [last, size], [other]),
        make_node("Transpose", [other], [target], perm=TO_NCHW),
    ]


def _pooling(model: onnx.ModelProto, quantize: onnx.NodeProto, size: Pair) -> onnx.NodeProto | None:
    """The max pooling of windows side by side that alone reads all of what `quantize` gives, of this size,
    or None.
    """
    readers = [
        node
        for dequantize in _readers(model, quantize.output[0])
        for node in _readers(model, dequantize.output[0])
    ]
    if [node.op_type for node in readers] != ["MaxPool"]:
        return None
    settings = _attributes(readers[0])
    window = settings["kernel_shape"]
    plain = window == settings.get("strides") and not any(settings.get("pads", ()))
    whole = not any(edge % length for edge, length in zip(size, window, strict=True))
    return readers[0] if plain and whole else None


def _readers(model: onnx.ModelProto, tensor: str) -> list[onnx.NodeProto]:
    return [node for node in model.graph.node if tensor in node.input]


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {entry.name: get_attribute_value(entry) for entry in node.attribute}


def _sizes(model: onnx.ModelProto, tensor: str) -> tuple[int, int, int]:
    """Channels, height and width of a tensor."""
    value = next(value for value in model.graph.value_info if value.name == tensor)
    channels, height, width = (dim.dim_value for dim in value.type.tensor_type.shape.dim[1:])
    return channels, height, width
