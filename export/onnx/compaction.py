"""What an ONNX file need not say, left out: in a model of 16 kB it would be a third of it."""

from collections.abc import Iterator
from itertools import count

import onnx

from edgefashion.export.graph.graph import INPUT, OUTPUT
from edgefashion.export.onnx.integer_io import RESIZED

ONNX = ("", "ai.onnx")
CASTS = ("QuantizeLinear", "DequantizeLinear")
ONES = ("strides", "dilations")
"""Whose default, of ones, is in the words of the standard only."""
_KEPT = (INPUT, OUTPUT, RESIZED)


def compact(model: onnx.ModelProto) -> None:
    """Leave out the shapes within, which every runtime infers, what the tools that made the model note, sets
    of operators that it has none of, and attributes that say what is so without them; have equal zero points
    once, those of 32 bits in a byte each; and give tensors short names: what a layer gives is called
    `/layer`, by which `find_step` finds it, and what has none, like constants, by a number.
    """
    del model.graph.value_info[:]
    del model.metadata_props[:]
    _leave_out_defaults(model)
    _leave_out_unused_domains(model)
    _share_zero_points(model.graph)
    _shorten_zeros(model.graph)
    _shorten_names(model.graph)


def _leave_out_defaults(model: onnx.ModelProto) -> None:
    versions = {opset.domain: opset.version for opset in model.opset_import}
    for node in (each for each in model.graph.node if each.domain in ONNX):
        known = onnx.defs.get_schema(node.op_type, versions[node.domain], node.domain).attributes
        said = [each for each in node.attribute if not _is_default(each, known[each.name].default_value)]
        del node.attribute[:]
        node.attribute.extend(said)


def _is_default(said: onnx.AttributeProto, default: onnx.AttributeProto) -> bool:
    value = onnx.helper.get_attribute_value(said)
    if said.name in ONES:
        return all(each == 1 for each in value)
    return bool(default.type) and value == onnx.helper.get_attribute_value(default)


def _leave_out_unused_domains(model: onnx.ModelProto) -> None:
    used = {"", *(node.domain for node in model.graph.node)}
    kept = [opset for opset in model.opset_import if opset.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)


def _shorten_zeros(graph: onnx.GraphProto) -> None:
    for tensor in graph.initializer:
        if tensor.data_type == onnx.TensorProto.INT32 and tensor.raw_data and not any(tensor.raw_data):
            tensor.int32_data.extend(onnx.numpy_helper.to_array(tensor).ravel().tolist())
            tensor.ClearField("raw_data")


def _share_zero_points(graph: onnx.GraphProto) -> None:
    constants = {tensor.name: tensor for tensor in graph.initializer}
    first: dict[tuple[object, ...], str] = {}
    for node in graph.node:
        if node.op_type in CASTS and node.input[2] in constants:
            tensor = constants[node.input[2]]
            values = onnx.numpy_helper.to_array(tensor).tobytes()
            node.input[2] = first.setdefault((tensor.data_type, *tensor.dims, values), tensor.name)
    used = {name for node in graph.node for name in node.input}
    left = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(left)


def _shorten_names(graph: onnx.GraphProto) -> None:
    names = {name: name for name in _KEPT}
    taken, numbers = set(_KEPT), count()
    for name, layer in _tensors(graph):
        if name not in names:
            candidates = (f"/{layer}" + (f"/{number}" if number else "") for number in count())
            others = (f"{number:x}" for number in numbers)
            names[name] = next(each for each in (candidates if layer else others) if each not in taken)
            taken.add(names[name])
    for node in graph.node:
        for tensors in (node.input, node.output):
            tensors[:] = [names.get(each, each) for each in tensors]
        node.name = "" if node.op_type in CASTS else node.output[0]
    for tensor in graph.initializer:
        tensor.name = names[tensor.name]


def _tensors(graph: onnx.GraphProto) -> Iterator[tuple[str, str]]:
    """Names, and the layer that gives each, or nothing: `model/layer/Operation:0`."""
    for node in graph.node:
        for name in filter(None, node.output):
            parts = name.split("/")
            yield name, parts[1] if len(parts) > 2 and node.op_type not in CASTS else ""
    for tensor in graph.initializer:
        yield tensor.name, ""
