"""Reads `.onnx` files without any package, by the field numbers of ONNX's schema."""

import math
from dataclasses import replace

from edgefashion.artifacts.inspection.base import Model, Port, Shape, shortened
from edgefashion.artifacts.inspection.multiplied import Counter
from edgefashion.artifacts.inspection.onnx_file import Graph, Operation, Tensor, Value, read_graph
from edgefashion.artifacts.inspection.onnx_operators import ANY, MULTIPLYING, OPAQUE, PLAIN, Multiplying
from edgefashion.artifacts.inspection.onnx_shapes import infer, packed_weights
from edgefashion.artifacts.inspection.weighing import Constant, Node, weigh

READING = {
    "DequantizeLinear": (1, 2),
    "com.microsoft.DequantizeLinear": (1, 2),
    "QLinearConv": (1, 2),
    "QLinearMatMul": (1, 2),
    "com.microsoft.QLinearConv": (1, 2),
    "com.microsoft.QGemm": (1, 2),
}
"""Those that say what the integers of their first input stand for, and where: scale and zero point."""
GIVING = {
    "QuantizeLinear": (1, 2),
    "com.microsoft.QuantizeLinear": (1, 2),
    "QLinearConv": (6, 7),
    "QLinearMatMul": (6, 7),
    "com.microsoft.QLinearConv": (6, 7),
    "com.microsoft.QGemm": (7, 8),
}
"""Those that say so of their output."""
MOVING = {"Reshape", "Transpose", "Slice"}
MOST_MOVES = 16
CARRYING = {
    "DequantizeLinear",
    "QuantizeLinear",
    "com.microsoft.DequantizeLinear",
    "com.microsoft.QuantizeLinear",
    "Cast",
    "Transpose",
    "Reshape",
    "Identity",
    "Squeeze",
    "Unsqueeze",
}


def read(content: bytes | memoryview) -> Model:
    """Inputs, outputs and operators. Raises ValueError for a damaged file."""
    return _Reader(read_graph(content)).model()


class _Reader:
    """One graph, and what follows from it."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._shapes = infer(graph)
        self._makers = {output: operation for operation in graph.operations for output in operation.outputs}
        self._readers = {name: each for each in reversed(graph.operations) for name in each.inputs}
        self._counter = Counter()
        self._counts: dict[str, int | None] = {}

    def model(self) -> Model:
        graph = self._graph
        inputs = [self._port(value, self._reader(value.name), READING) for value in graph.inputs]
        outputs = [self._port(value, self._makers.get(value.name), GIVING) for value in graph.outputs]
        operators = weigh([self._node(operation) for operation in graph.operations], self._constants())
        return Model(inputs, outputs, operators, external=graph.external)

    def _constants(self) -> dict[str, Constant]:
        found = {
            name: Constant(tensor.dtype, tensor.shape, tensor.size_bytes)
            for name, tensor in self._graph.constants.items()
        }
        for operation in self._graph.operations:
            packed = packed_weights(operation, self._graph)
            if packed:
                bits, count = packed
                name = operation.input(1)
                found[name] = replace(found[name], dtype=f"uint{bits}", parameters=count)
        return found

    def _reader(self, name: str) -> Operation | None:
        """The first that computes with a tensor, behind a few that move its values."""
        reader = self._readers.get(name)
        for _ in range(MOST_MOVES):
            if reader is None or reader.kind not in MOVING or reader.input(0) != name:
                break
            name = next(iter(reader.outputs), "")
            reader = self._readers.get(name)
        return reader if reader and reader.input(0) == name else None

    def _port(self, value: Value, neighbor: Operation | None, kinds: dict[str, tuple[int, int]]) -> Port:
        """An input or output; it is quantized where its neighbor says so."""
        shape = tuple(size if isinstance(size, int) else size or "?" for size in value.shape or ())
        name = shortened(value.name)
        if neighbor is None or neighbor.kind not in kinds:
            return Port(name, value.dtype, shape)
        scale, zero = (self._graph.constants.get(neighbor.input(place)) for place in kinds[neighbor.kind])
        scales = scale.floats() if scale else ()
        return Port(name, value.dtype, shape, scales, zero.integers() if zero else (0,) * len(scales))

    def _node(self, operation: Operation) -> Node:
        kind = operation.kind
        multiplying = MULTIPLYING.get(kind)
        unknown = not operation.standard and multiplying is None and kind not in PLAIN
        outputs = tuple(name for name in operation.outputs if name)
        return Node(
            name=operation.name or next(iter(outputs), ""),
            kind=kind,
            inputs=tuple(name for name in operation.inputs if name),
            outputs=outputs,
            learned=self._learned(operation, multiplying),
            output_shape=self._shapes.get(outputs[0]) if outputs else None,
            computes=None if unknown or kind in OPAQUE else multiplying is not None,
            integer=multiplying is not None and (multiplying.integer or self._dequantized(operation)),
            macs=None if unknown or kind in OPAQUE else self._macs(operation, multiplying),
            carries=kind in CARRYING,
        )

    def _learned(self, operation: Operation, multiplying: Multiplying | None) -> tuple[str, ...]:
        """Which inputs are parameters if they are constant."""
        if multiplying:
            return tuple(operation.input(place) for place in multiplying.learned)
        if operation.kind == "Mul" and any(map(self._is_scale, operation.inputs)):
            return ()
        return tuple(operation.inputs[PLAIN.get(operation.kind, ANY)])

    def _is_scale(self, name: str) -> bool:
        maker = self._makers.get(name)
        return maker is not None and maker.kind == "DynamicQuantizeLinear" and name in maker.outputs[1:]

    def _dequantized(self, operation: Operation) -> bool:
        """Whether its operands come from integers: runtimes then compute with these."""
        if operation.kind not in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
            return False
        return all(self._of_integers(self._makers.get(name)) for name in operation.inputs if name)

    def _of_integers(self, maker: Operation | None) -> bool:
        if maker is None or not maker.kind.endswith("DequantizeLinear"):
            return False
        zero_point = self._graph.constants.get(maker.input(2))
        return zero_point is None or "int" in zero_point.dtype

    def _macs(self, operation: Operation, multiplying: Multiplying | None) -> int | None:
        if multiplying is None:
            return 0
        made = self._shapes.get(next(iter(operation.outputs), ""))
        left = self._shapes.get(operation.input(multiplying.left))
        right = self._shapes.get(operation.input(multiplying.right))
        if made is None or left is None or right is None or multiplying.form is None:
            return None
        if multiplying.form == "conv":  # each value of the output is a sum of products over a window
            once = self._multiplied(operation, multiplying) or math.prod(right)
            return math.prod(made) // right[0] * once if right and right[0] else None
        return _macs(operation, multiplying.form, made, left, right)

    def _multiplied(self, operation: Operation, multiplying: Multiplying) -> int | None:
        """How many weights of a convolution are multiplied; None where all are."""
        name = operation.input(multiplying.right)
        maker = self._makers.get(name)
        zero = operation.input(3 if operation.kind == "ConvInteger" else multiplying.right + 2)
        if not multiplying.integer:
            zero = ""
        if maker and maker.kind == "DequantizeLinear":
            name, zero = maker.input(0), maker.input(2)
        if name not in self._counts:
            self._counts[name] = self._count(self._graph.constants.get(name), zero)
        return self._counts[name]

    def _count(self, kernel: Tensor | None, zero: str) -> int | None:
        if kernel is None or len(kernel.raw) != kernel.size_bytes:
            return None
        zeros = self._graph.constants[zero].integers() if zero in self._graph.constants else (0,)
        if len(set(zeros)) != 1 or (zero and zero not in self._graph.constants):
            return None
        return self._counter.multiplied(kernel.raw, kernel.dtype, kernel.shape, zeros[0])


def _macs(operation: Operation, form: str, made: Shape, left: Shape, right: Shape) -> int | None:
    if form == "transposed":  # each value of the input goes into a window of the output
        return math.prod(left) * math.prod(right[1:])
    if form == "packed":
        return math.prod(left) * operation.integer("N")
    if not left or not right:
        return None
    axis = -2 if operation.integer("transA") and len(left) > 1 else -1
    return math.prod(made) * left[axis]
