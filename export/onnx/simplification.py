"""Nodes that tf2onnx makes and that a runtime need not compute.

Reshape to the shape that is there      left out: tf2onnx moves channels so where height and width are 1,
                                        and ONNX Runtime transposes before and behind each one
Pad with zeros, then MaxPool            MaxPool with pads, where nothing below 0 is read: ONNX Runtime
                                        pads in float
Squeeze of one pixel, [N, channels,     Transpose to channels last, then Reshape: where channels are last
1, 1], in an int8 model                 inside, ONNX Runtime computes the second alone
"""

import numpy as np
import onnx
from onnx.helper import get_attribute_value, make_attribute, make_node
from onnx.numpy_helper import from_array, to_array

from edgefashion.export.onnx.integer_io import TO_NHWC

RECTIFIED = ("Relu", "Clip", "Sigmoid", "HardSigmoid")
"""What these give is at least 0; Clip, where its first constant is."""


def simplify(model: onnx.ModelProto) -> None:
    """Rewrite a float model in place; it computes the same."""
    inferred = onnx.shape_inference.infer_shapes(model)
    shapes = {value.name: _shape(value) for value in (*inferred.graph.value_info, *inferred.graph.output)}
    outputs = {value.name for value in model.graph.output}
    for node in list(model.graph.node):
        (source, *_), (output, *_) = node.input or [""], node.output
        if node.op_type == "Reshape" and output not in outputs and _is_same(shapes, source, output):
            _replace(model, output, source)
            model.graph.node.remove(node)
    for node in [node for node in model.graph.node if node.op_type == "MaxPool"]:
        _pad_inside(model, node)


def flatten_pixels(model: onnx.ModelProto) -> None:
    """Rewrite each Squeeze of one pixel in a float model that is to be quantized; it computes the same."""
    inferred = onnx.shape_inference.infer_shapes(model)
    shapes = {value.name: _shape(value) for value in inferred.graph.value_info}
    for node in [node for node in model.graph.node if node.op_type == "Squeeze"]:
        channels, *pixel = shapes.get(node.input[0], [])[1:] or [0]
        if not channels or pixel != [1, 1] or len(shapes.get(node.output[0], [])) != 2:
            continue
        (output,) = node.output
        last, size = f"{output}/last", f"{output}/size"
        place = list(model.graph.node).index(node)
        model.graph.node.insert(place, make_node("Reshape", [last, size], [output], f"{output}/flat"))
        model.graph.node.insert(place, make_node("Transpose", node.input[:1], [last], last, perm=TO_NHWC))
        model.graph.node.remove(node)
        model.graph.initializer.append(from_array(np.array([-1, channels], np.int64), size))


def _shape(value: onnx.ValueInfoProto) -> list[int]:
    """Lengths of axes, 0 where one is not known."""
    return [axis.dim_value for axis in value.type.tensor_type.shape.dim]


def _is_same(shapes: dict[str, list[int]], one: str, other: str) -> bool:
    """Whether two tensors are of the same shape, which is that of one pixel, [N, channels, 1, 1]."""
    found = shapes.get(one, [])
    return found == shapes.get(other) and found[2:] == [1, 1] and found[1] > 0


def _pad_inside(model: onnx.ModelProto, pool: onnx.NodeProto) -> None:
    """Have a MaxPool pad for itself, where it alone reads what a Pad gives."""
    makers = {name: node for node in model.graph.node for name in node.output}
    constants = {tensor.name: to_array(tensor) for tensor in model.graph.initializer}
    pad = makers.get(pool.input[0])
    if (
        pad is None
        or pad.op_type != "Pad"
        or sum(pad.output[0] in node.input for node in model.graph.node) > 1
    ):
        return
    maker = makers.get(pad.input[0])
    given = {entry.name: get_attribute_value(entry) for entry in pool.attribute}
    margins = constants.get(pad.input[1])
    if maker is None or margins is None or not _is_rectified(maker, constants) or any(given.get("pads", ())):
        return
    value = constants.get(pad.input[2]) if len(pad.input) > 2 and pad.input[2] else 0
    rows, columns = given["kernel_shape"]
    top, left, bottom, right = (int(margins[place]) for place in (2, 3, 6, 7))
    plain = len(margins) == 8 and not margins[[0, 1, 4, 5]].any() and value == 0
    if not plain or max(top, bottom) >= rows or max(left, right) >= columns:
        return
    kept = [entry for entry in pool.attribute if entry.name not in ("pads", "auto_pad")]
    del pool.attribute[:]
    pool.attribute.extend([*kept, make_attribute("pads", [top, left, bottom, right])])
    pool.input[0] = pad.input[0]
    model.graph.node.remove(pad)


def _is_rectified(node: onnx.NodeProto, constants: dict[str, object]) -> bool:
    if node.op_type != "Clip":
        return node.op_type in RECTIFIED
    return len(node.input) > 1 and constants.get(node.input[1], -1) == 0


def _replace(model: onnx.ModelProto, old: str, new: str) -> None:
    for node in model.graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
