"""Layers of an int8 ONNX model left in float."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx.shape_inference import infer_shapes

from edgefashion.errors import VerificationError
from export.graph import OUTPUT, Graph
from export.steps import step_called, steps_of

MOVING = ("Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Pad")


def nodes_of(model: onnx.ModelProto, graph: Graph, layers: Sequence[str]) -> list[onnx.NodeProto]:
    """The nodes that compute the layers named, of a float model made from `graph`.

    The name of a layer is that of its output; what leads to it may be nameless, and has one reader.
    Raises VerificationError where a layer has no node.
    """
    steps = steps_of(graph)
    owners: dict[str, str | None] = {OUTPUT: steps[-1].name}
    found = []
    for node in reversed(model.graph.node):
        if node.op_type in MOVING:
            continue
        name = step_called(node.output[0], steps) or owners.get(node.output[0])
        owners.update(dict.fromkeys(node.input, name))
        if name in layers:
            found.append((name, node))
    if missing := set(layers) - {name for name, _ in found}:
        raise VerificationError(f"the ONNX model has no node for {', '.join(missing)}: no file was kept")
    return [node for _, node in found]


def isolate(model: onnx.ModelProto, names: Sequence[str]) -> None:
    """Keep ONNX Runtime from quantizing the nodes named, Conv or Gemm, after all.

    Since 1.21 it gives 8-bit weights, one scale for all of them, to what it finds between DequantizeLinear
    and QuantizeLinear (its optimizer WeightBiasQuantization), but only where the input has one scale.
    So here the input's scale is repeated along an axis: the same numbers.
    """
    makers = {node.output[0]: node for node in model.graph.node}
    shapes = {value.name: value.type.tensor_type.shape.dim for value in infer_shapes(model).graph.value_info}
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in [node for node in model.graph.node if node.name in names]:
        maker = makers.get(node.input[0])
        if maker is None or maker.op_type != "DequantizeLinear":
            continue
        lengths = [axis.dim_value for axis in shapes[node.input[0]]]
        axis = min((n for n, length in enumerate(lengths) if n and length > 1), key=lengths.__getitem__)
        own = onnx.NodeProto()
        own.CopyFrom(maker)
        own.name = own.output[0] = f"{node.name}_input"
        for position in (1, 2):
            values = np.repeat(constants[maker.input[position]], lengths[axis])
            own.input[position] = f"{own.name}_{position}"
            model.graph.initializer.append(onnx.numpy_helper.from_array(values, own.input[position]))
        own.attribute.append(onnx.helper.make_attribute("axis", axis))
        node.input[0] = own.output[0]
        model.graph.node.insert(list(model.graph.node).index(node), own)
