"""The parts of an `.onnx` file that an inspection needs, by the field numbers of ONNX's schema."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

from edgefashion.artifacts.inspection.base import MOST_PARTS, Shape, checked_shape, shortened, size_of
from edgefashion.artifacts.protobuf import Message

_TYPES = """
    undefined float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 uint64 complex64
    complex128 bfloat16 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz uint4 int4 float4e2m1 float8e8m0
    uint2 int2 float6e2m3 float6e3m2
"""
TYPES = dict(enumerate(_TYPES.split()))
STANDARD = ("", "ai.onnx")
DEEPEST = 32
EXTERNAL = 1
VALUE_READS = 4
_METADATA, _KEY, _VALUE = 14, 1, 2


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
        return [graph for entry in found for graph in (*entry.messages(6), *entry.messages(11))]

    def tensors(self) -> Iterator[Message]:
        """Those that its attributes hold."""
        return chain.from_iterable(map(_held, self.attributes.values()))


def _held(attribute: Message) -> Iterator[Message]:
    """The tensors of an attribute, alone, in a list, and as the parts of sparse ones."""
    if 5 in attribute:
        yield attribute.message(5)
    yield from attribute.messages(10)
    for sparse in ([attribute.message(22)] if 22 in attribute else [], attribute.messages(23)):
        for each in sparse:
            yield from (each.message(1), each.message(2))


@dataclass(frozen=True)
class Tensor:
    """A constant: type, shape, size in bytes, and its values where they are asked for.

    `source` is its message, or the values themselves of one that an attribute holds.
    """

    dtype: str
    shape: Shape
    size_bytes: int
    source: Message | tuple[float, ...]

    @cached_property
    def raw(self) -> memoryview:
        """Its values as they stand in the file; empty where they stand there in another way."""
        return self.source.data(9) if isinstance(self.source, Message) else memoryview(b"")

    def integers(self) -> tuple[int, ...]:
        """Its values, if they are integers of 8, 32 or 64 bits; else none."""
        return self._read if self.dtype in _INTEGER_FORMS else ()

    def floats(self) -> tuple[float, ...]:
        """Its values, if they are of type float32; else none."""
        return self._read if self.dtype == "float32" else ()

    @property
    def _read(self) -> tuple[Any, ...]:
        """The same values every time; whoever asks again is charged again, for what is made of them."""
        if isinstance(self.source, Message):
            self.source.charge(VALUE_READS * len(self._values))
        return self._values

    @cached_property
    def _values(self) -> tuple[Any, ...]:
        if isinstance(self.source, tuple):
            return self.source
        if len(self.raw):
            return self.source.values(_FORMS[self.dtype], self.raw, math.prod(self.shape))
        if self.dtype == "float32":
            return self.source.floats(4)
        return self.source.integers(7 if self.dtype == "int64" else 5)


_INTEGER_FORMS = {"int64": "q", "int32": "i", "int8": "b", "uint8": "B"}
_FORMS = {**_INTEGER_FORMS, "float32": "f"}


def _tensor(message: Message) -> Tensor:
    dtype = TYPES.get(message.integer(2), f"type {message.integer(2)}")
    shape = checked_shape(message.integers(1))
    if min(shape, default=0) < 0:
        raise ValueError("a constant has an open shape")
    external = message.integer(14) == EXTERNAL
    raw = message.data(9)
    size = size_of(dtype, shape)
    if size is not None and (9 in message or external) and len(raw) != (0 if external else size):
        raise ValueError(f"a constant of {dtype} {list(shape)} has {len(raw)} bytes")
    return Tensor(dtype, shape, len(raw) if size is None else size, message)


def _sparse(message: Message) -> tuple[str, Tensor]:
    """A constant of which the file has those values only that are not zero, and where they are."""
    values, places = _tensor(message.message(1)), _tensor(message.message(2))
    shape = checked_shape(message.integers(3))
    name = message.message(1).text(8)
    return name, Tensor(values.dtype, shape, values.size_bytes + places.size_bytes, ())


def _literal(attributes: dict[str, Message]) -> Tensor | None:
    """The constant that a node of kind Constant makes; None for one of a kind that is not read here."""
    for name, entry in attributes.items():
        if name == "value":
            return _tensor(entry.message(5))
        if name == "sparse_value":
            return _sparse(entry.message(22))[1]
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
    """The graph, with the operators of those inside it behind its own.

    `external` are the places where constants outside of the file are, as it names them.
    """

    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    between: list[Value] = field(default_factory=list)
    constants: dict[str, Tensor] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    external: dict[str, int] = field(default_factory=dict)
    """By name, the bytes that such a file must have at least."""

    def add_constant(self, name: str, tensor: Tensor) -> None:
        """Keep a constant. Raises ValueError for one more than a file may have."""
        self.constants[name] = tensor
        if len(self.constants) > MOST_PARTS:
            raise ValueError(f"it has more than {MOST_PARTS:,} constants")

    def add_place(self, tensor: Message) -> None:
        """Keep where the values of a tensor are, if that is outside of the file."""
        if tensor.integer(14) == EXTERNAL:
            place = {entry.text(1): entry.text(2) for entry in tensor.messages(13)}
            size = size_of(TYPES.get(tensor.integer(2), ""), checked_shape(tensor.integers(1)))
            needed = _count(place.get("offset")) + _count(place.get("length") or str(size or 0))
            location = place.get("location", "")
            self.external[location] = max(needed, self.external.get(location, 0))

    def add_operation(self, operation: Operation) -> None:
        """Keep an operator. Raises ValueError for one more than a file may have."""
        self.operations.append(operation)
        if len(self.operations) > MOST_PARTS:
            raise ValueError(f"it has more than {MOST_PARTS:,} operators")


def _count(text: str | None) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ValueError(f"{text[:20]!r} is not a position in a file")
    return int(text or 0)


def read_graph(content: bytes | memoryview) -> Graph:
    """The graph of a model file. Raises ValueError for a damaged one."""
    model = Message(content)
    if 7 not in model or 8 not in model:
        raise ValueError("it holds no graph" if 7 not in model else "it names no operator set")
    for version in model.messages(8):
        version.integer(2)
    graph = Graph()
    _collect(model.message(7), graph, 0)
    for function in model.messages(25):
        _add_places(function, graph.external)
    if not graph.operations and not graph.outputs:
        raise ValueError("its graph is empty")
    return graph


def find_external(content: bytes | memoryview) -> dict[str, int]:
    """Other files with constants of it, and how many bytes they must have. Raises ValueError for a damaged
    file.
    """
    return read_graph(content).external


def find_text(content: bytes | memoryview, name: str, most: int) -> bytes | None:
    """The text that the file keeps under `name`, or its first `most` bytes; None without one.

    Raises ValueError for a damaged file.
    """
    entries = Message(content).messages(_METADATA)
    return next((bytes(each.data(_VALUE)[:most]) for each in entries if each.text(_KEY) == name), None)


def _add_places(function: Message, external: dict[str, int]) -> None:
    """Add to `external` what the operators of a model's function have outside of the file."""
    inside = Graph(external=external)
    for tensor in chain.from_iterable(map(_held, function.messages(11))):
        inside.add_place(tensor)
    for each in _collect_operations(function.messages(7), inside):
        _collect(each, inside, 1)


def _collect(message: Message, graph: Graph, depth: int) -> None:
    """Add a graph, and those that its operators run inside."""
    if depth > DEEPEST:
        raise ValueError("its graphs are nested too deeply")
    for entry in message.messages(5):
        graph.add_constant(entry.text(8), _tensor(entry))
        graph.add_place(entry)
    for entry in message.messages(15):
        graph.add_constant(*_sparse(entry))
        graph.add_place(entry.message(1))
        graph.add_place(entry.message(2))
    inner = _collect_operations(message.messages(1), graph)
    if depth == 0:
        graph.inputs = [v for v in map(_value, message.messages(11)) if v.name not in graph.constants]
        graph.outputs = [_value(entry) for entry in message.messages(12)]
        graph.between = [value for value in map(_value, message.messages(13)) if value.shape is not None]
    for each in inner:
        _collect(each, graph, depth + 1)


def _collect_operations(nodes: Iterable[Message], graph: Graph) -> list[Message]:
    """Add operators, or the constants that they are; the graphs inside them are left."""
    inner: list[Message] = []
    for operation in map(Operation, nodes):
        for tensor in operation.tensors():
            graph.add_place(tensor)
        literal = _literal(operation.attributes) if operation.kind == "Constant" else None
        if literal is None or not operation.outputs:
            graph.add_operation(operation)
        else:
            graph.add_constant(operation.outputs[0], literal)
        inner += operation.graphs()
    return inner


def _value(message: Message) -> Value:
    tensor = message.message(2).message(1)
    sizes = tensor.message(2).messages(1) if 2 in tensor else None
    shape = None if sizes is None else tuple(map(_size, sizes))
    if shape is not None:
        checked_shape(tuple(size if isinstance(size, int) else 1 for size in shape))
    return Value(message.text(1), TYPES.get(tensor.integer(1), "unknown"), shape)


def _size(message: Message) -> int | str | None:
    """A number, or the name of one that is open; None for an open one without, which may also be below 0."""
    if 1 in message:
        size = message.integer(1)
        return None if size < 0 else size
    return shortened(message.text(2)) or None
