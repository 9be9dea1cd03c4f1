"""Reads `.onnx` files, with no package: what they hold is found by the field numbers of ONNX's schema."""

import math

from edgefashion.inspection.base import Constant, Model, Node, Port, Shape, weigh
from edgefashion.inspection.onnx_file import Graph, Operation, Value, read_graph
from edgefashion.inspection.onnx_shapes import infer

LEARNED = {
    "Conv": (1, 2),
    "ConvTranspose": (1, 2),
    "Gemm": (0, 1, 2),
    "MatMul": (0, 1),
    "ConvInteger": (0, 1),
    "MatMulInteger": (0, 1),
    "QLinearConv": (3, 8),
    "QLinearMatMul": (0, 3),
}
"""The operators that multiply, and which of their inputs are weights."""
INTEGER = {"ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul"}
READING = {"DequantizeLinear", "QLinearConv", "QLinearMatMul"}
"""The operators that say what the integers of their first input stand for."""
MOVING = {"Reshape", "Transpose", "Slice"}
RECURRENT = {"LSTM", "GRU", "RNN", "Einsum", "Attention", "DeformConv"}
OPAQUE = {"If", "Loop", "Scan"}
"""Multiply-accumulates of these, and of operators outside of ONNX, are not known from shapes."""
SHAPING = {"QuantizeLinear", "DequantizeLinear", "Resize", "Upsample", "Clip", "Pad", "Range", "Reshape"}
CARRYING = {
    "DequantizeLinear",
    "QuantizeLinear",
    "Cast",
    "Transpose",
    "Reshape",
    "Identity",
    "Squeeze",
    "Unsqueeze",
}


def read(content: bytes) -> Model:
    """Inputs, outputs and operators. Raises ValueError for a damaged file."""
    graph = read_graph(content)
    shapes = infer(graph)
    constants = {name: Constant(c.dtype, c.shape, c.size_bytes) for name, c in graph.constants.items()}
    makers = {output: operation for operation in graph.operations for output in operation.outputs}
    nodes = [_node(operation, graph, makers, shapes) for operation in graph.operations]
    readers = {name: operation for operation in reversed(graph.operations) for name in operation.inputs}
    inputs = [_port(value, graph, _reader(value.name, readers), READING) for value in graph.inputs]
    outputs = [_port(value, graph, makers.get(value.name), {"QuantizeLinear"}) for value in graph.outputs]
    return inputs, outputs, weigh(nodes, constants)


def _reader(name: str, readers: dict[str, Operation]) -> Operation | None:
    """The first that computes with a tensor, behind those that move its values."""
    reader = readers.get(name)
    while reader and reader.kind in MOVING and reader.input(0) == name:
        name = reader.outputs[0]
        reader = readers.get(name)
    return reader if reader and reader.input(0) == name else None


def _port(value: Value, graph: Graph, neighbour: Operation | None, kinds: set[str]) -> Port:
    """An input or output; it is quantized where its neighbour says so."""
    shape = tuple(size if isinstance(size, int) else size or "?" for size in value.shape or ())
    if neighbour is None or neighbour.kind not in kinds:
        return Port(value.name, value.dtype, shape)
    scale, zero_point = (graph.constants.get(neighbour.input(place)) for place in (1, 2))
    scales = scale.floats() if scale else ()
    zeros = zero_point.integers() if zero_point else (0,) * len(scales)
    return Port(value.name, value.dtype, shape, scales, zeros)


def _node(operation: Operation, graph: Graph, makers: dict[str, Operation], shapes: dict[str, Shape]) -> Node:
    kind = operation.kind
    inputs = [name for name in operation.inputs if name]
    computes = kind in LEARNED or kind in RECURRENT
    places = LEARNED.get(kind, () if kind in SHAPING else range(len(operation.inputs)))
    unknown = kind in RECURRENT or kind in OPAQUE or not operation.standard
    dequantized = kind in LEARNED and all(_dequantized(makers.get(name), graph) for name in inputs)
    outputs = tuple(name for name in operation.outputs if name)
    return Node(
        name=operation.name or next(iter(outputs), ""),
        kind=kind,
        inputs=tuple(inputs),
        outputs=outputs,
        learned=tuple(operation.input(place) for place in places),
        output_shape=shapes.get(outputs[0]) if outputs else None,
        computes=computes,
        integer=kind in INTEGER or dequantized,
        macs=None if unknown else _macs(operation, shapes),
        carries=kind in CARRYING,
    )


def _dequantized(maker: Operation | None, graph: Graph) -> bool:
    """Whether a tensor comes from integers: runtimes then compute with these."""
    if maker is None or maker.kind != "DequantizeLinear":
        return False
    zero_point = graph.constants.get(maker.input(2))
    return zero_point is None or "int" in zero_point.dtype


def _macs(operation: Operation, shapes: dict[str, Shape]) -> int | None:
    """Each value of the output is a sum of products over a window of the input."""
    kind = operation.kind
    if kind not in LEARNED:
        return 0
    made = shapes.get(next(iter(operation.outputs), ""))
    left = shapes.get(operation.input(0))
    right = shapes.get(operation.input(3 if kind.startswith("QLinear") else 1))
    if made is None or not left or not right:
        return None
    if kind == "ConvTranspose":  # each value of the input goes into a window of the output
        return math.prod(left) * math.prod(right[1:])
    if "Conv" in kind:
        return math.prod(made) * math.prod(right[1:])
    return math.prod(made) * left[0 if operation.integer("transA") else -1]
