"""Layers of an int8 ONNX model left in float."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx.numpy_helper import from_array
from onnx.shape_inference import infer_shapes

from edgefashion.errors import VerificationError
from edgefashion.export.graph.fused_layers import find_step, steps_of
from edgefashion.export.graph.graph import OUTPUT, Graph
from edgefashion.export.onnx.integer_io import constants, tidy

MOVING = ("Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Pad")


def nodes_of(model: onnx.ModelProto, graph: Graph, layers: Sequence[str]) -> list[onnx.NodeProto]:
    """The nodes that compute the layers named, of a float model made from `graph`, and the max pooling behind
    them, which is as exact in float and many times faster there where no integer convolution is beside it.

    The name of a layer is that of its output; what leads to it may be nameless, and has one reader.
    Raises VerificationError where a layer has no node.
    """
    steps = steps_of(graph)
    owners: dict[str, str | None] = {OUTPUT: steps[-1].name}
    found = []
    for node in reversed(model.graph.node):
        if node.op_type in MOVING:
            continue
        name = find_step(node.output[0], steps) or owners.get(node.output[0])
        owners.update(dict.fromkeys(node.input, name))
        if name in layers:
            found.append((name, node))
    if missing := set(layers) - {name for name, _ in found}:
        raise VerificationError(f"the ONNX model has no node for {', '.join(missing)}: no file was kept")
    nodes = [node for _, node in found]
    outputs = {node.output[0] for node in nodes}
    return nodes + [
        node for node in model.graph.node if node.op_type == "MaxPool" and node.input[0] in outputs
    ]


def isolate(model: onnx.ModelProto, names: Sequence[str]) -> None:
    """Keep ONNX Runtime from computing the nodes named, of a QDQ model, in integers after all.

    Since 1.21 it gives 8-bit weights, one scale for all of them, to a Conv or Gemm that it finds between
    DequantizeLinear and QuantizeLinear (its optimizer WeightBiasQuantization), and it moves QuantizeLinear
    to before a MaxPool (QDQPropagation). Both only where these have one scale. So here that is repeated
    along an axis: the same numbers.
    """
    makers = {node.output[0]: node for node in model.graph.node}
    shapes = {value.name: value.type.tensor_type.shape.dim for value in infer_shapes(model).graph.value_info}
    sizes = {name: [axis.dim_value for axis in shape] for name, shape in shapes.items()}
    for node in [node for node in model.graph.node if node.name in names]:
        maker = makers.get(node.input[0])
        if maker and maker.op_type == "DequantizeLinear":
            own = onnx.NodeProto()
            own.CopyFrom(maker)
            own.name = own.output[0] = f"{node.name}_input"
            _repeat_scale(model, own, sizes[node.input[0]])
            node.input[0] = own.output[0]
            model.graph.node.insert(list(model.graph.node).index(node), own)
        if node.op_type == "MaxPool":
            for reader in [reader for reader in model.graph.node if node.output[0] in reader.input]:
                if reader.op_type == "QuantizeLinear":
                    _repeat_scale(model, reader, sizes[node.output[0]])
    tidy(model)


def _repeat_scale(model: onnx.ModelProto, node: onnx.NodeProto, sizes: list[int]) -> None:
    """Let a QuantizeLinear or DequantizeLinear of a tensor of these sizes have a scale for each place along
    the shortest axis that will do.
    """
    axis = min((axis for axis, size in enumerate(sizes) if axis and size > 1), key=sizes.__getitem__)
    known = constants(model)
    for position in (1, 2):
        values = np.repeat(known[node.input[position]], sizes[axis])
        node.input[position] = f"{node.name}_{position}"
        model.graph.initializer.append(from_array(values, node.input[position]))
    node.attribute.append(onnx.helper.make_attribute("axis", axis))
