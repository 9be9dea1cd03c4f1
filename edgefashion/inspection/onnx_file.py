"""The parts of an `.onnx` file that an inspection needs, by the field numbers of ONNX's schema."""

import math
import struct
from dataclasses import dataclass, field

from edgefashion.inspection.base import Shape, checked_shape, size_of
from edgefashion.protobuf import Message

_TYPES = """
    undefined float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 uint64 complex64
    complex128 bfloat16 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz uint4 int4 float4e2m1
"""
TYPES = dict(enumerate(_TYPES.split()))
STANDARD = ("", "ai.onnx")
DEEPEST = 32
EXTERNAL = 1


class Operation:
    """A node of the graph."""

    def __init__(self, message: Message) -> None:
        self.inputs, self.outputs = message.texts(1), message.texts(2)
        self.name = message.text(3)
        domain = message.text(7)
        self.standard = domain in STANDARD
        self.kind = message.text(4) if self.standard else f"{domain}.{message.text(4)}"
        self.attributes = {entry.text(1): entry for entry in message.messages(5)}

    def input(self, place: int) -> str:
        """The input's name; empty where it is left out."""
        return self.inputs[place] if place < len(self.inputs) else ""

    def integer(self, name: str, default: int = 0) -> int:
        """An integer attribute."""
        return self.attributes[name].integer(3) if name in self.attributes else default

    def integers(self, name: str) -> tuple[int, ...]:
        """An attribute of several integers; empty where it is left out."""
        return self.attributes[name].integers(8) if name in self.attributes else ()

    def text(self, name: str) -> str:
        """A string attribute."""
        return self.attributes[name].text(4) if name in self.attributes else ""

    def graphs(self) -> list[Message]:
        """The graphs that it runs inside."""
        found = self.attributes.values()
        return [graph for entry in found for graph in entry.messages(6) + entry.messages(11)]


@dataclass(frozen=True)
class Tensor:
    """A constant: type, shape, size in bytes, and its values where they are asked for."""

    dtype: str
    shape: Shape
    size_bytes: int
    source: Message | tuple[float, ...]

    def integers(self) -> tuple[int, ...]:
        """Its values, if they are integers of 8, 32 or 64 bits; else none."""
        form = {"int64": "q", "int32": "i", "int8": "b", "uint8": "B"}.get(self.dtype)
        if isinstance(self.source, tuple):
            return tuple(map(int, self.source)) if form else ()
        raw = self.source.data(9)
        if form and raw:
            return struct.unpack(f"<{math.prod(self.shape)}{form}", raw)
        return self.source.integers(7 if self.dtype == "int64" else 5)

    def floats(self) -> tuple[float, ...]:
        """Its values, if they are of type float32; else none."""
        if self.dtype != "float32" or isinstance(self.source, tuple):
            return self.source if isinstance(self.source, tuple) else ()
        raw = self.source.data(9)
        return struct.unpack(f"<{math.prod(self.shape)}f", raw) if raw else self.source.floats(4)


def _tensor(message: Message) -> Tensor:
    dtype = TYPES.get(message.integer(2), f"type {message.integer(2)}")
    shape = checked_shape(message.integers(1))
    external = message.integer(14) == EXTERNAL
    raw = message.data(9)
    size = size_of(dtype, shape)
    if size is not None and (9 in message or external) and len(raw) != (0 if external else size):
        raise ValueError(f"a constant of {dtype} {list(shape)} has {len(raw)} bytes")
    return Tensor(dtype, shape, len(raw) if size is None else size, message)


def _literal(attributes: dict[str, Message]) -> Tensor | None:
    """The constant that a node of kind Constant makes; None for one of a kind that is not read here."""
    for name, entry in attributes.items():
        if name == "value":
            return _tensor(entry.message(5))
        if name in ("value_int", "value_ints"):
            values: tuple[float, ...] = entry.integers(3 if name == "value_int" else 8)
            return Tensor("int64", () if name == "value_int" else (len(values),), 8 * len(values), values)
        if name in ("value_float", "value_floats"):
            values = entry.floats(2 if name == "value_float" else 7)
            return Tensor("float32", () if name == "value_float" else (len(values),), 4 * len(values), values)
    return None


@dataclass(frozen=True)
class Value:
    """An input, an output or a tensor between. A size is a number, a name, or None; so is the shape."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None


@dataclass
class Graph:
    """The graph, with the operators of those inside it behind its own."""

    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    between: list[Value] = field(default_factory=list)
    constants: dict[str, Tensor] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)


def read_graph(content: bytes) -> Graph:
    """The graph of a model file. Raises ValueError for a damaged one."""
    model = Message(content)
    if 7 not in model or 8 not in model:
        raise ValueError("it holds no graph" if 7 not in model else "it names no operator set")
    for version in model.messages(8):
        version.integer(2)
    graph = Graph()
    _collect(model.message(7), graph, 0)
    if not graph.operations and not graph.outputs:
        raise ValueError("its graph is empty")
    return graph


def _collect(message: Message, graph: Graph, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError("its graphs are nested too deeply")
    operations = [Operation(node) for node in message.messages(1)]
    graph.constants |= {entry.text(8): _tensor(entry) for entry in message.messages(5)}
    for operation in operations:
        literal = _literal(operation.attributes) if operation.kind == "Constant" else None
        if literal is None or not operation.outputs:
            graph.operations.append(operation)
        else:
            graph.constants[operation.outputs[0]] = literal
    if depth == 0:
        graph.inputs = [v for v in map(_value, message.messages(11)) if v.name not in graph.constants]
        graph.outputs = [_value(entry) for entry in message.messages(12)]
        graph.between = [_value(entry) for entry in message.messages(13)]
    for inner in (inner for operation in operations for inner in operation.graphs()):
        _collect(inner, graph, depth + 1)


def _value(message: Message) -> Value:
    tensor = message.message(2).message(1)
    shape = tuple(_size(size) for size in tensor.message(2).messages(1)) if 2 in tensor else None
    if shape is not None:
        checked_shape(tuple(size for size in shape if isinstance(size, int)))
    return Value(message.text(1), TYPES.get(tensor.integer(1), "unknown"), shape)


def _size(message: Message) -> int | str | None:
    return message.integer(1) if 1 in message else message.text(2) or None
