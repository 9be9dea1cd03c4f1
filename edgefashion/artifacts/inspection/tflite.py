"""Reads `.tflite` files: what their operators take, give and compute."""

import math
from collections.abc import Hashable

from edgefashion.artifacts.flatbuffer import Flatbuffer, Table
from edgefashion.artifacts.inspection.base import Model, Port, Shape, shortened, size_of
from edgefashion.artifacts.inspection.multiplied import Counter
from edgefashion.artifacts.inspection.tflite_file import (
    Buffer,
    Tensor,
    at_most,
    buffer_of,
    item_at,
    operator_kind,
    tensor_of,
)
from edgefashion.artifacts.inspection.tflite_shapes import WHOLE_SLICE, resolve
from edgefashion.artifacts.inspection.weighing import Constant, Node, weigh

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
RECURRENT = ("LSTM", "RNN", "SVDF", "CONV_3D_TRANSPOSE", "RFFT2D")
COMPRESSED = "COMPRESSION_METADATA"
"""Names the metadata of a file whose constants are packed for TensorFlow Lite Micro."""
OPAQUE = ("CALL", "STABLEHLO_", "CUSTOM", "DELEGATE", "WHILE")


Key = Hashable
"""A tensor: a buffer's place for a constant, else the graph's number and the tensor's in it."""


def read(content: bytes | memoryview) -> Model:
    """What the first graph takes, gives and does, which is what an interpreter runs unless told otherwise,
    and the graphs that it calls; the others are named.

    Raises ValueError for a damaged file, MissingExtra.
    """
    model = Flatbuffer(content).root()
    codes = [operator_kind(code) for code in model.tables(1)]
    buffers = [buffer_of(number, table, len(content)) for number, table in enumerate(model.tables(4))]
    packed, counter = False, Counter()
    for entry in model.tables(6):
        item_at(buffers, entry.integer(1, "I"))
        packed |= entry.text(0) == COMPRESSED
    graphs = model.tables(2)
    if model.positions(9):
        raise ValueError("its weights are in other files, which are not read")
    if not graphs or not buffers:
        raise ValueError("it holds no graph")
    readers = [_GraphReader(graph, n, codes, buffers, packed, counter) for n, graph in enumerate(graphs)]
    ports = [[reader.ports(slot) for slot in (1, 2)] for reader in readers]
    nodes = [reader.nodes() for reader in readers]
    others = _others(model, graphs, calling=any(node.computes is None for node in nodes[0]))
    shown = [number for number in range(len(graphs)) if number not in others]
    constants: dict[Key, Constant] = {}
    for number in reversed(shown):
        constants |= readers[number].constants
    operators = weigh([node for number in shown for node in nodes[number]], constants)
    inputs, outputs = ports[0]
    return Model(inputs, outputs, operators, tuple(others.values()))


def _others(model: Table, graphs: list[Table], calling: bool) -> dict[int, str]:
    """The graphs that the first one does not run, and what they are called: by their signatures, if they
    have such. Where it may be `calling` others, these are all that belong to no signature.
    """
    signatures = {table.integer(4, "I"): shortened(table.text(2)) for table in model.tables(7)}
    for number in signatures:
        item_at(graphs, number)
    return {
        number: signatures.get(number) or shortened(graph.text(4)) or f"graph {number}"
        for number, graph in enumerate(graphs)
        if number and (number in signatures or not calling)
    }


class _GraphReader:
    """Reads one graph."""

    def __init__(
        self,
        graph: Table,
        number: int,
        codes: list[str],
        buffers: list[Buffer],
        packed: bool,
        counter: Counter,
    ) -> None:
        self._counter = counter
        self._graph, self._number, self._codes = graph, number, codes
        self._tensors = [tensor_of(table) for table in at_most(graph.tables(0), "tensors")]
        self._contents: dict[int, memoryview] = {}
        self._counts: dict[Key, int | None] = {}
        self._keys: list[Key] = []
        self.constants: dict[Key, Constant] = {}
        for index, tensor in enumerate(self._tensors):
            buffer = item_at(buffers, tensor.buffer)
            self._keys.append(buffer.place if buffer.size else (number, index))
            if buffer.size:
                self._contents[index] = buffer.content
                self.constants.setdefault(buffer.place, _constant(tensor, buffer.size, packed))

    def ports(self, slot: int) -> list[Port]:
        """Inputs are in slot 1, outputs in 2."""
        return [_port(item_at(self._tensors, index)) for index in self._graph.integers(slot)]

    def nodes(self) -> list[Node]:
        """Its operators."""
        operators = at_most(self._graph.tables(3), "operators")
        kinds = [item_at(self._codes, operator.integer(0, "I")) for operator in operators]
        inputs = [operator.integers(1) for operator in operators]
        outputs = [operator.integers(2) for operator in operators]
        for index in (index for row in inputs + outputs for index in row if index != -1):
            item_at(self._tensors, index)
        starts = set(self._graph.integers(1)) if self._number == 0 else set()
        followed = map(_slice_kind, kinds, operators)
        shapes = resolve(
            [tensor.shape for tensor in self._tensors],
            starts,
            set(self._contents),
            list(zip(followed, inputs, outputs, strict=True)),
        )
        made_by = {index: kind for kind, made in zip(kinds, outputs, strict=True) for index in made}
        return [
            self._node(operator, kind, given, made, shapes, made_by)
            for operator, kind, given, made in zip(operators, kinds, inputs, outputs, strict=True)
        ]

    def _node(
        self,
        operator: Table,
        kind: str,
        inputs: tuple[int, ...],
        outputs: tuple[int, ...],
        shapes: list[Shape | None],
        made_by: dict[int, str],
    ) -> Node:
        tensors, keys = self._tensors, self._keys
        recurrent = any(part in kind for part in RECURRENT)
        opaque = kind == "IF" or any(part in kind for part in OPAQUE)
        computes = kind in LEARNED or recurrent
        places = LEARNED.get(kind, () if kind in SHAPING else range(len(inputs)))
        data = 2 if kind == "TRANSPOSE_CONV" else 0
        read = [tensors[i].dtype for i in (*inputs[data : data + 1], *inputs[1:2], *outputs[:1]) if i >= 0]
        counts = [shapes[i] if i >= 0 else None for i in inputs], [shapes[i] for i in outputs if i >= 0]
        once = self._multiplied(inputs, made_by) if kind == "CONV_2D" else None
        return Node(
            name=next((tensors[i].name for i in outputs if i >= 0), ""),
            kind=kind,
            inputs=tuple(keys[index] for index in inputs if index >= 0),
            outputs=tuple(keys[index] for index in outputs if index >= 0),
            learned=tuple(keys[inputs[p]] for p in places if p < len(inputs) and inputs[p] >= 0),
            output_shape=next(iter(counts[1]), None),
            computes=None if opaque else computes,
            integer=computes and INTEGERS.issuperset(read),
            macs=None if recurrent or opaque else _macs(kind, operator, *counts, once),
            carries=kind in CARRYING,
        )

    def _multiplied(self, inputs: tuple[int, ...], made_by: dict[int, str]) -> int | None:
        """How many weights of a convolution are multiplied; None where all are."""
        kernel = inputs[1] if len(inputs) > 1 else -1
        content = self._contents.get(kernel)
        if content is None:
            return None
        tensor, key = self._tensors[kernel], self._keys[kernel]
        if key not in self._counts:
            cells = made_by.get(inputs[0]) == "SPACE_TO_DEPTH"
            zeros = set(tensor.zero_points) or {0}
            same_zero = len(zeros) == 1
            self._counts[key] = (
                self._counter.multiplied(content, tensor.dtype, tensor.placeholder, zeros.pop(), cells)
                if same_zero
                else None
            )
        return self._counts[key]


def _constant(tensor: Tensor, size: int, packed: bool) -> Constant:
    """The constant that a tensor is. Raises ValueError where it has not the bytes of its shape, unless only
    what is not zero stands there, or it is packed, as TensorFlow Lite Micro does it.
    """
    expected = size_of(tensor.dtype, tensor.placeholder)
    if min(tensor.placeholder, default=0) < 0 or not (
        expected in (None, size) or tensor.sparse or (packed and size < (expected or 0))
    ):
        raise ValueError(f"a constant of {tensor.dtype} {list(tensor.placeholder)} has {size} bytes")
    return Constant(tensor.dtype, tensor.placeholder, size)


def _port(tensor: Tensor) -> Port:
    shape = tuple("?" if length < 0 else length for length in tensor.shape)
    return Port(shortened(tensor.name), tensor.dtype, shape, tensor.scales, tensor.zero_points)


def _slice_kind(kind: str, operator: Table) -> str:
    """The kind of an operator, another for a slice that takes all of the first axis."""
    options = operator.table(4)
    if kind != "STRIDED_SLICE" or options is None:
        return kind
    begin, end, *others = (options.integer(slot, "i") for slot in range(5))
    return WHOLE_SLICE if begin & end & 1 and not any(others) else kind


def _macs(
    kind: str, operator: Table, inputs: list[Shape | None], outputs: list[Shape | None], once: int | None
) -> int | None:
    """Each value of the output is a sum of products over a window of the input, of which `once` weights of
    all kernels are multiplied, if not all.
    """
    if kind not in LEARNED:
        return 0
    if len(inputs) < 2 or not outputs or outputs[0] is None or inputs[1] is None:
        return None
    made, kernel = math.prod(outputs[0]), inputs[1]
    if kind == "DEPTHWISE_CONV_2D":
        return made * math.prod(kernel[1:3])
    if kind == "CONV_3D":
        return made * math.prod(kernel[:-1])
    if once is not None and kernel[0]:
        return made // kernel[0] * once
    if kind in ("CONV_2D", "FULLY_CONNECTED"):
        return made * math.prod(kernel[1:])
    if kind == "TRANSPOSE_CONV":  # each value of the input goes into a window of the output
        given = inputs[2] if len(inputs) > 2 else None
        return None if given is None else math.prod(given) * math.prod(kernel[:-1])
    options = operator.table(4)
    swapped = bool(options and options.integer(0, "?"))
    left = inputs[0]
    return None if left is None or len(left) < 2 else made * left[-2 if swapped else -1]
