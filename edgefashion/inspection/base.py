"""What an inspection finds, and what both formats share on the way there."""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

Shape = tuple[int, ...]
NOT_LEARNED = {"int32", "int64", "uint32", "uint64", "bool", "string"}
"""Constants of these types are sizes and axes, except where an operator that multiplies takes them."""


@dataclass(frozen=True)
class Port:
    """An input or output of the model.

    `shape` has a name or "?" for a size that is open. A quantized value means (it - zero_point) * scale;
    one of each, or one per channel; none where it is not quantized.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()


@dataclass(frozen=True)
class Operator:
    """One operator, in the order of the file.

    `output_shape` and `macs` (multiply-accumulates) are for a batch of one where the batch is open, and
    None where that does not settle them. What only moves, compares or adds values has no multiply-
    accumulates. `computes` says whether it multiplies, `integer` whether it does so in integers.
    `weights` is the type of its parameters, `size_bytes` that of the constants that it is the first to read.
    """

    name: str
    kind: str
    output_shape: Shape | None
    computes: bool
    integer: bool
    macs: int | None
    weights: str | None
    parameters: int
    size_bytes: int


Model = tuple[list[Port], list[Port], list[Operator]]


@dataclass(frozen=True)
class Inspection:
    """A model file: sizes in bytes; `metadata` as in `edgefashion.metadata`, None in a foreign file."""

    path: str
    format: str
    size_bytes: int
    inputs: list[Port]
    outputs: list[Port]
    operators: list[Operator]
    metadata: dict[str, Any] | None

    @property
    def kinds(self) -> dict[str, int]:
        """How many operators there are of each kind, the most frequent first."""
        return dict(Counter(operator.kind for operator in self.operators).most_common())

    @property
    def computing(self) -> list[Operator]:
        """The operators that multiply."""
        return [operator for operator in self.operators if operator.computes]

    @property
    def integer(self) -> int:
        """How many of those that multiply do so in integers."""
        return sum(operator.integer for operator in self.computing)

    @property
    def parameters(self) -> int:
        """Numbers that were learned, or folded from such."""
        return sum(operator.parameters for operator in self.operators)

    @property
    def weight_bytes(self) -> int:
        """Size of all operators' constants."""
        return sum(operator.size_bytes for operator in self.operators)

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates for one image; None where those of any operator are unknown."""
        known = [operator.macs for operator in self.operators if operator.macs is not None]
        return sum(known) if len(known) == len(self.operators) else None

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            **{name: value for name, value in asdict(self).items() if name != "operators"},
            "operator_kinds": self.kinds,
            "computing_operators": len(self.computing),
            "integer_operators": self.integer,
            "parameters": self.parameters,
            "macs": self.macs,
            "weight_bytes": self.weight_bytes,
            "operators": [asdict(operator) for operator in self.operators],
        }


@dataclass(frozen=True)
class Constant:
    """A tensor whose values stand in the file."""

    dtype: str
    shape: Shape
    size_bytes: int


@dataclass(frozen=True)
class Node:
    """An operator before its constants are known.

    `learned` are those of its `inputs` that hold parameters if they are constant. One that `carries`
    constants gives what it takes, in another type: who reads its output reads them.
    """

    name: str
    kind: str
    inputs: tuple[Hashable, ...]
    outputs: tuple[Hashable, ...]
    learned: tuple[Hashable, ...]
    output_shape: Shape | None
    computes: bool
    integer: bool
    macs: int | None
    carries: bool


def weigh(nodes: Iterable[Node], constants: Mapping[Any, Constant]) -> list[Operator]:
    """Give every constant to the operator that reads it first."""
    main: dict[Hashable, set[Hashable]] = {key: {key} for key in constants}
    side: dict[Hashable, set[Hashable]] = {key: set() for key in constants}
    taken: set[Hashable] = set()
    operators = []
    for node in nodes:
        if node.carries and node.inputs and all(key in main for key in node.inputs):
            first, *others = node.inputs
            for output in node.outputs:
                main[output] = main[first]
                side[output] = side[first].union(*(main[key] | side[key] for key in others))
            operators.append(_operator(node, [], []))
            continue
        read = {key: None for name in node.inputs for key in (*main.get(name, ()), *side.get(name, ()))}
        learned = {key for name in node.learned for key in main.get(name, ())}
        own = [key for key in read if key not in taken]
        taken.update(own)
        operators.append(
            _operator(
                node, [constants[key] for key in own], [constants[key] for key in own if key in learned]
            )
        )
    return operators


def _operator(node: Node, own: list[Constant], learned: list[Constant]) -> Operator:
    counted = [c for c in learned if node.computes or (c.dtype not in NOT_LEARNED and math.prod(c.shape) > 1)]
    largest = max(counted, key=lambda constant: constant.size_bytes, default=None)
    return Operator(
        name=node.name,
        kind=node.kind,
        output_shape=node.output_shape,
        computes=node.computes,
        integer=node.integer,
        macs=node.macs,
        weights=largest.dtype if largest else None,
        parameters=sum(math.prod(constant.shape) for constant in counted),
        size_bytes=sum(constant.size_bytes for constant in own),
    )


def checked_shape(shape: Shape) -> Shape:
    """The shape; ValueError where no tensor has it."""
    if len(shape) > MOST_AXES or any(length < 0 for length in shape):
        raise ValueError("a tensor has an impossible shape")
    return shape


def size_of(dtype: str, shape: Shape) -> int | None:
    """Bytes of a tensor; None for a type whose values have no fixed width."""
    bits = BITS.get(dtype)
    return None if bits is None else (math.prod(shape) * bits + 7) // 8


MOST_AXES = 32
BITS = {
    **dict.fromkeys(("float32", "int32", "uint32"), 32),
    **dict.fromkeys(("float64", "int64", "uint64", "complex64"), 64),
    **dict.fromkeys(("float16", "bfloat16", "int16", "uint16"), 16),
    **dict.fromkeys(
        ("int8", "uint8", "bool", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz"), 8
    ),
    **dict.fromkeys(("int4", "uint4", "float4e2m1"), 4),
    "complex128": 128,
    "int2": 2,
}
