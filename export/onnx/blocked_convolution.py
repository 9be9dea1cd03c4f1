"""The first convolution of an int8 ONNX model, several neighboring outputs at once: the same integers.

before    kernels of one channel, at every place, whose windows ONNX Runtime copies byte for byte
after     wider kernels, each with a shifted copy of its weights, at every block of places. What they give
          lies in memory, channels last, as the columns of the output do, or, where windows of max pooling
          follow, as these do. Where their number allows, four pixels are read as one of four channels, side
          by side or a cell of 2x2: for these ONNX Runtime has kernels that copy nothing
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx.helper import get_attribute_value, make_attribute, make_node
from onnx.numpy_helper import from_array

from edgefashion.export.graph.kernel_copies import Pair, copy_kernels
from edgefashion.export.onnx.integer_io import TO_NCHW, TO_NHWC, constants, insert_behind, replace, tidy

GROUP = 4
"""The pixels that are read as one."""
COLUMNS = (4, 3, 2)
"""How many columns are computed at once of single pixels without pooling: the first of these that divides
them.
"""
BLOCKS = "/blocks"
"""Ends the names of tensors in which a block is not spread yet."""


@dataclass(frozen=True)
class Axis:
    """Rows or columns.

    block: how many are computed at once.
    group: how many pixels are read as one.
    stride: from block to block, in groups.
    shift: the pixels of the first group that lie before its window.
    taps: the groups that a kernel reads.
    pads: groups of zeros before and behind.
    """

    block: int
    group: int
    stride: int
    shift: int
    taps: int
    pads: Pair


def compute_blocks(model: onnx.ModelProto) -> None:
    """Rewrite the first convolution of a QDQ model and what is beside it.

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
    pixels = makers[convolution.input[0]]
    pool = _pooling(model, quantize, (height, width))
    axes = _plan(_attributes(convolution), _sizes(model, pixels.output[0])[1:], (height, width), pool)
    _widen(model, convolution, makers, axes)
    _read_groups(model, pixels, axes)
    if pool is None:
        _spread_columns(model, quantize, (height, width, channels))
    else:
        rows, columns = (axis.block for axis in axes)
        _pool_blocks(model, quantize, pool, (height // rows, width // columns, channels))
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


def _plan(
    settings: dict[str, Any], read: Pair, given: Pair, pool: onnx.NodeProto | None
) -> tuple[Axis, Axis]:
    """Rows and columns of a convolution with these `settings`, from an image of the size `read` to one of the
    size `given`: the first way that is possible.
    """
    for blocks, groups in _ways(settings["strides"][1], given[1], pool):
        axes = [
            _axis(settings, number, read[number], given[number], blocks[number], groups[number])
            for number in (0, 1)
        ]
        if (rows := axes[0]) and (columns := axes[1]):
            return rows, columns
    raise AssertionError("single pixels can always be read")


def _ways(stride: int, width: int, pool: onnx.NodeProto | None) -> Iterator[tuple[Pair, Pair]]:
    """Blocks and groups that may be, the fastest first."""
    if pool is not None:
        rows, columns = _attributes(pool)["kernel_shape"]
        yield (rows, columns), (2, 2)
        yield (rows, columns), (1, 1)
        return
    if GROUP % stride == 0:
        yield (1, GROUP // stride), (1, GROUP)
    yield (1, next((number for number in COLUMNS if width % number == 0), 1)), (1, 1)


def _axis(
    settings: dict[str, Any], number: int, read: int, given: int, block: int, group: int
) -> Axis | None:
    """That of this number, 0 for rows; None where what it reads or gives is not of whole groups or blocks."""
    length, stride = settings["kernel_shape"][number], settings["strides"][number]
    before = (settings.get("pads") or (0, 0))[number]
    if read % group or given % block or stride * block % group:
        return None
    empty = -(-before // group)
    shift = empty * group - before
    taps = -(-(shift + stride * (block - 1) + length) // group)
    step = stride * block // group
    behind = (given // block - 1) * step + taps - empty - read // group
    if behind <= -step:  # it would give one more
        return None
    return Axis(block, group, step, shift, taps, (empty, max(behind, 0)))


def _widen(
    model: onnx.ModelProto,
    convolution: onnx.NodeProto,
    makers: dict[str, onnx.NodeProto],
    axes: tuple[Axis, Axis],
) -> None:
    """Give a convolution the kernels of a block."""
    integers = constants(model)
    kernel, *of_kernel = makers[convolution.input[1]].input
    of_bias = [name for bias in convolution.input[2:] for name in makers[bias].input]
    rows, columns = axes
    copies = copy_kernels(integers[kernel], (rows.block, columns.block), _attributes(convolution)["strides"])
    replace(model, kernel, _grouped(copies, axes))
    for name in (*of_kernel, *of_bias):
        if integers[name].ndim:
            replace(model, name, np.tile(integers[name], rows.block * columns.block))
    changed = {
        "strides": [axis.stride for axis in axes],
        "kernel_shape": [axis.taps for axis in axes],
        "pads": [axis.pads[side] for side in (0, 1) for axis in axes],
    }
    kept = [entry for entry in convolution.attribute if entry.name not in changed]
    del convolution.attribute[:]
    convolution.attribute.extend([*kept, *(make_attribute(name, value) for name, value in changed.items())])


def _grouped(kernels: npt.NDArray[np.int8], axes: tuple[Axis, Axis]) -> npt.NDArray[np.int8]:
    """[channels, 1, height, width] over groups of pixels: [channels, pixels, rows, columns]."""
    margins = [
        (axis.shift, axis.taps * axis.group - axis.shift - length)
        for axis, length in zip(axes, kernels.shape[2:], strict=True)
    ]
    rows, columns = axes
    whole = np.pad(kernels, ((0, 0), (0, 0), *margins))
    cells = whole.reshape(-1, rows.taps, rows.group, columns.taps, columns.group).transpose(0, 2, 4, 1, 3)
    return np.ascontiguousarray(cells.reshape(-1, rows.group * columns.group, rows.taps, columns.taps))


def _read_groups(model: onnx.ModelProto, pixels: onnx.NodeProto, axes: tuple[Axis, Axis]) -> None:
    """Have what `pixels` dequantizes be groups of pixels, as channels."""
    rows, columns = axes
    if rows.group * columns.group == 1:
        return
    makers = {node.output[0]: node for node in model.graph.node}
    image = pixels.input[0]
    while image in makers and makers[image].op_type in ("Transpose", "Reshape"):  # of one channel: no matter
        model.graph.node.remove(makers[image])
        image = makers[image].input[0]
    _, height, width = _sizes(model, pixels.output[0])
    shape = (height // rows.group, width // columns.group, rows.group * columns.group)
    nodes = []
    if rows.group > 1:
        apart = (shape[0], rows.group, shape[1], columns.group)
        nodes = [_reshape(model, image, "groups/apart", apart)]
        nodes.append(make_node("Transpose", ["groups/apart"], ["groups/beside"], perm=(0, 1, 3, 2, 4)))
    nodes.append(_reshape(model, "groups/beside" if nodes else image, "groups", shape))
    nodes.append(make_node("Transpose", ["groups"], [pixels.input[0]], perm=TO_NCHW))
    insert_behind(model, makers.get(image), nodes)


def _spread_columns(model: onnx.ModelProto, quantize: onnx.NodeProto, shape: tuple[int, int, int]) -> None:
    """Have a block's columns side by side behind `quantize`: [N, channels, height, width] as it was."""
    output = quantize.output[0]
    quantize.output[0] = output + BLOCKS
    insert_behind(model, quantize, _spread(model, quantize.output[0], output, shape))


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
    nodes = _spread(model, quantize.output[0], beside, (height, width * places, channels))
    insert_behind(model, quantize, nodes)
    dequantize.input[0] = beside
    for entry in pool.attribute:
        if entry.name in ("kernel_shape", "strides"):
            entry.CopyFrom(make_attribute(entry.name, [1, places]))


def _spread(model: onnx.ModelProto, source: str, target: str, shape: tuple[int, ...]) -> list[onnx.NodeProto]:
    """Nodes that read [N, channels, height, width] with channels last as if it were of another `shape`."""
    last, other = f"{target}/last", f"{target}/other"
    return [
        make_node("Transpose", [source], [last], perm=TO_NHWC),
        _reshape(model, last, other, shape),
        make_node("Transpose", [other], [target], perm=TO_NCHW),
    ]


def _reshape(model: onnx.ModelProto, source: str, target: str, shape: tuple[int, ...]) -> onnx.NodeProto:
    """The node that gives each image another shape."""
    size = f"{target}/size"
    model.graph.initializer.append(from_array(np.array([-1, *shape], np.int64), size))
    return make_node("Reshape", [source, size], [target])


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
