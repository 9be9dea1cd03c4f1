"""Reads `.tflite` files. From LiteRT's schema come the names of operators and types, nothing else."""

import math
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from edgefashion.errors import MissingExtra
from edgefashion.flatbuffer import Flatbuffer, Table
from edgefashion.inspection.base import Constant, Model, Node, Port, Shape, checked_shape, size_of, weigh
from edgefashion.inspection.tflite_shapes import WHOLE_SLICE, resolve

T = TypeVar("T")
INTEGERS = {"int8", "uint8", "int16", "int4", "int2"}
LEARNED = {
    "CONV_2D": (1, 2),
    "DEPTHWISE_CONV_2D": (1, 2),
    "CONV_3D": (1, 2),
    "FULLY_CONNECTED": (1, 2),
    "TRANSPOSE_CONV": (1, 3),
    "BATCH_MATMUL": (0, 1),
}
"""The operators that multiply, and which of their inputs are weights; a bias comes last."""
SHAPING = {"QUANTIZE", "DEQUANTIZE", "RESHAPE", "PAD", "PADV2", "RESIZE_BILINEAR"}
CARRYING = {"DEQUANTIZE", "QUANTIZE", "CAST", "RESHAPE", "TRANSPOSE", "DENSIFY"}
# Parts of the names of those that multiply, or may, in ways that shapes alone do not tell.
RECURRENT = ("LSTM", "RNN", "SVDF", "CONV_3D_TRANSPOSE")
OPAQUE = ("CALL", "STABLEHLO_", "CUSTOM", "DELEGATE", "WHILE")


@dataclass(frozen=True)
class Tensor:
    """A tensor of the file. `shape` has -1 for a size that is open, `placeholder` 1 in its stead."""

    name: str
    dtype: str
    shape: Shape
    placeholder: Shape
    buffer: int
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    sparse: bool


def read(content: bytes) -> Model:
    """Inputs, outputs and operators. Raises ValueError for a damaged file, MissingExtra."""
    model = Flatbuffer(content).root()
    codes = [_kind(code) for code in model.tables(1)]
    sizes = [_size(buffer) for buffer in model.tables(4)]
    for entry in model.tables(6):
        _item(sizes, entry.integer(1, "I"))
    graphs = model.tables(2)
    if not graphs or not sizes:
        raise ValueError("it holds no graph")
    nodes: list[Node] = []
    constants: dict[tuple[int, int], Constant] = {}
    ports: list[list[Port]] = []
    for number, graph in enumerate(graphs):
        tensors = [_tensor(table) for table in graph.tables(0)]
        constants |= {(number, key): c for key, c in _constants(tensors, sizes).items()}
        nodes += _nodes(graph, number, tensors, codes, constants)
        ports += [[_port(_item(tensors, index)) for index in graph.integers(slot)] for slot in (1, 2)]
    return ports[0], ports[1], weigh(nodes, constants)


@cache
def _names(enumeration: str) -> dict[int, str]:
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ModuleNotFoundError as error:
        raise MissingExtra("Inspecting a .tflite file needs ai-edge-litert", "litert") from error
    values = vars(getattr(schema, enumeration))
    return {value: name for name, value in values.items() if isinstance(value, int)}


def _kind(code: Table) -> str:
    """The operator's name in the schema; of a custom one, its own."""
    number = max(code.integer(0, "b"), code.integer(3, "i"))
    name = _names("BuiltinOperator").get(number, f"CUSTOM_{number}")
    return f"CUSTOM {code.text(1)}" if name == "CUSTOM" else name


def _size(buffer: Table) -> int:
    """Bytes of a buffer: inside the flatbuffer or, in files of more than 2 GB, behind it."""
    return len(buffer.data(0)) or buffer.integer(2, "Q")


def _tensor(table: Table) -> Tensor:
    placeholder = checked_shape(table.integers(0))
    shape = table.integers(7)
    quantization = table.table(4)
    dtype = table.integer(1, "b")
    return Tensor(
        name=table.text(3),
        dtype=_names("TensorType").get(dtype, f"type {dtype}").lower(),
        shape=shape if len(shape) == len(placeholder) else placeholder,
        placeholder=placeholder,
        buffer=table.integer(2, "I"),
        scales=quantization.floats(2) if quantization else (),
        zero_points=quantization.integers(3, "q") if quantization else (),
        sparse=table.field(6) is not None,
    )


def _constants(tensors: list[Tensor], sizes: list[int]) -> dict[int, Constant]:
    found = {}
    for index, tensor in enumerate(tensors):
        if size := _item(sizes, tensor.buffer):
            if not tensor.sparse and size_of(tensor.dtype, tensor.placeholder) not in (None, size):
                raise ValueError(f"a constant of {tensor.dtype} {list(tensor.placeholder)} has {size} bytes")
            found[index] = Constant(tensor.dtype, tensor.placeholder, size)
    return found


def _port(tensor: Tensor) -> Port:
    shape = tuple("?" if length < 0 else length for length in tensor.shape)
    return Port(tensor.name, tensor.dtype, shape, tensor.scales, tensor.zero_points)


def _nodes(
    graph: Table,
    number: int,
    tensors: list[Tensor],
    codes: list[str],
    constants: dict[tuple[int, int], Constant],
) -> list[Node]:
    operators = graph.tables(3)
    kinds = [_item(codes, operator.integer(0, "I")) for operator in operators]
    inputs = [operator.integers(1) for operator in operators]
    outputs = [operator.integers(2) for operator in operators]
    for index in (index for row in inputs + outputs for index in row if index != -1):
        _item(tensors, index)
    fixed = {index for graph_number, index in constants if graph_number == number}
    starts = set(graph.integers(1)) if number == 0 else set()
    followed = map(_slice_kind, kinds, operators)
    shapes = resolve(
        [t.shape for t in tensors], starts, fixed, list(zip(followed, inputs, outputs, strict=True))
    )
    return [
        _node(number, operator, kind, given, made, tensors, shapes)
        for operator, kind, given, made in zip(operators, kinds, inputs, outputs, strict=True)
    ]


def _slice_kind(kind: str, operator: Table) -> str:
    """The kind of an operator, another for a slice that takes all of the first axis."""
    options = operator.table(4)
    if kind != "STRIDED_SLICE" or options is None:
        return kind
    begin, end, *others = (options.integer(slot, "i") for slot in range(5))
    return WHOLE_SLICE if begin & end & 1 and not any(others) else kind


def _node(
    number: int,
    operator: Table,
    kind: str,
    inputs: tuple[int, ...],
    outputs: tuple[int, ...],
    tensors: list[Tensor],
    shapes: list[Shape | None],
) -> Node:
    recurrent = any(part in kind for part in RECURRENT)
    opaque = kind == "IF" or any(part in kind for part in OPAQUE)
    computes = kind in LEARNED or recurrent
    places = LEARNED.get(kind, () if kind in SHAPING else range(len(inputs)))
    data = 2 if kind == "TRANSPOSE_CONV" else 0
    read = [tensors[i].dtype for i in (*inputs[data : data + 1], *inputs[1:2], *outputs[:1]) if i >= 0]
    counts = [shapes[i] if i >= 0 else None for i in inputs], [shapes[i] for i in outputs if i >= 0]
    return Node(
        name=next((tensors[i].name for i in outputs if i >= 0), ""),
        kind=kind,
        inputs=tuple((number, index) for index in inputs if index >= 0),
        outputs=tuple((number, index) for index in outputs if index >= 0),
        learned=tuple((number, inputs[place]) for place in places if place < len(inputs)),
        output_shape=next(iter(counts[1]), None),
        computes=computes,
        integer=computes and INTEGERS.issuperset(read),
        macs=None if recurrent or opaque else _macs(kind, operator, *counts),
        carries=kind in CARRYING,
    )


def _macs(kind: str, operator: Table, inputs: list[Shape | None], outputs: list[Shape | None]) -> int | None:
    """Each value of the output is a sum of products over a window of the input."""
    if kind not in LEARNED:
        return 0
    if len(inputs) < 2 or not outputs or outputs[0] is None or inputs[1] is None:
        return None
    made, kernel = math.prod(outputs[0]), inputs[1]
    if kind == "DEPTHWISE_CONV_2D":
        return made * math.prod(kernel[1:3])
    if kind == "CONV_3D":
        return made * math.prod(kernel[:-1])
    if kind in ("CONV_2D", "FULLY_CONNECTED"):
        return made * math.prod(kernel[1:])
    if kind == "TRANSPOSE_CONV":  # each value of the input goes into a window of the output
        given = inputs[2] if len(inputs) > 2 else None
        return None if given is None else math.prod(given) * math.prod(kernel[:-1])
    options = operator.table(4)
    swapped = bool(options and options.integer(0, "?"))
    left = inputs[0]
    return None if left is None or len(left) < 2 else made * left[-2 if swapped else -1]


def _item(items: list[T], index: int) -> T:
    if not 0 <= index < len(items):
        raise ValueError("it refers to what it does not hold")
    return items[index]
