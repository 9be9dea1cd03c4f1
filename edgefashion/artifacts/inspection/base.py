"""What an inspection finds, and what the readers of both formats share."""

import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from edgefashion.tables import Page
from edgefashion.tables.presentable import Presentable

if TYPE_CHECKING:
    from edgefashion.records.manifest import Metadata

Shape = tuple[int, ...]
MOST_PARTS = 100_000
"""Operators, and constants, of one file."""
LONGEST_NAME = 256
"""Characters of a name or a kind that are kept."""
IMAGE_AXES = 4


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
    accumulates. `computes` says whether it multiplies, None where that is not known; `integer` whether it
    does so in integers. `weights` is the type of its parameters, whose number is None where it has
    constants and is not known: they may be packed. `size_bytes` is that of the constants that it is the
    first to read.
    """

    name: str
    kind: str
    output_shape: Shape | None
    computes: bool | None
    integer: bool
    macs: int | None
    weights: str | None
    parameters: int | None
    size_bytes: int


@dataclass(frozen=True)
class Model:
    """What a reader finds in a file."""

    inputs: list[Port]
    outputs: list[Port]
    operators: list[Operator]
    signatures: tuple[str, ...] = ()
    """Names of what else the file can run: its other signatures, which none of the figures is about."""
    external: dict[str, int] = field(default_factory=dict)
    """Other files that hold constants of it, as it names them, and how many bytes they must have."""


@dataclass(frozen=True)
class Inspection(Presentable):
    """A model file: sizes in bytes; `metadata` as in `artifacts.metadata`, None in a foreign file.

    `size_bytes` counts the files that hold its external data, too, whose paths are in `external`;
    `other_signatures` are those that none of the figures is about.
    """

    path: str
    format: str
    size_bytes: int
    external: list[str]
    inputs: list[Port]
    outputs: list[Port]
    other_signatures: list[str]
    operators: list[Operator]
    metadata: "Metadata | None"

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
    def parameters(self) -> int | None:
        """Numbers that were learned, or folded from such; None where those of any operator are unknown.

        A sparse or padded tensor counts with all that its shape has.
        """
        return _sum([operator.parameters for operator in self.operators])

    @property
    def weight_bytes(self) -> int:
        """Size of all operators' constants."""
        return sum(operator.size_bytes for operator in self.operators)

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates of one call, see `batch`; None where those of any operator are unknown."""
        return _sum([operator.macs for operator in self.operators])

    @property
    def batch(self) -> int | None:
        """How many images a call takes: 1 where that is open; None where it takes something else."""
        shapes = [port.shape for port in self.inputs]
        if len(shapes) != 1 or len(shapes[0]) != IMAGE_AXES:
            return None
        return shapes[0][0] if isinstance(shapes[0][0], int) else 1

    @property
    def precision(self) -> str | None:
        """What the operators that multiply compute in: int8 where any does so in integers, dynamic where
        these are made of floats meanwhile, or the weights alone are integers, else float16 or float32 as the
        largest weights are; None where it is not known.
        """
        weights = [operator.weights for operator in self.computing if operator.weights]
        if self.integer and not any("DynamicQuantize" in kind for kind in self.kinds):
            return "int8"
        if self.integer or {"int8", "uint8"} & set(weights):
            return "dynamic"
        heaviest = max(self.computing, key=lambda operator: operator.size_bytes, default=None)
        return heaviest.weights if heaviest and heaviest.weights in ("float16", "float32") else None

    def page(self) -> Page:
        """The model, then its layers by size, then its metadata."""
        from edgefashion.artifacts.inspection import text

        return text.page(self)

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            **{name: value for name, value in asdict(self).items() if name != "operators"},
            "metadata": self.metadata and self.metadata.to_dict(),
            "operator_kinds": self.kinds,
            "computing_operators": len(self.computing),
            "integer_operators": self.integer,
            "parameters": self.parameters,
            "macs": self.macs,
            "batch": self.batch,
            "weight_bytes": self.weight_bytes,
            "operators": [asdict(operator) for operator in self.operators],
        }


def contradiction(said: str | None, found: str | None) -> str | None:
    """What to say where a file is called of a precision that its operators do not have; else None."""
    if said is None or found is None or found == said.removesuffix("-qat"):
        return None
    return f"it is named {said}, but its operators that multiply are {found}"


def _sum(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def shortened(name: str) -> str:
    """A name of at most LONGEST_NAME characters: operators may share one as long as the file."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def checked_shape(shape: Shape) -> Shape:
    """The shape; ValueError where no tensor has it. A size below 0 is an open one."""
    if len(shape) > MOST_AXES or math.prod(max(1, length) for length in shape) > MOST_VALUES:
        raise ValueError("a tensor has an impossible shape")
    return shape


def size_of(dtype: str, shape: Shape) -> int | None:
    """Bytes of a tensor; None for a type whose values have no fixed width, and an open shape."""
    bits = BITS.get(dtype.replace("_", ""))
    return None if bits is None or min(shape, default=0) < 0 else (math.prod(shape) * bits + 7) // 8


MOST_AXES = 32
MOST_VALUES = 1 << 60
BITS = {
    **dict.fromkeys(("float32", "int32", "uint32"), 32),
    **dict.fromkeys(("float64", "int64", "uint64", "complex64"), 64),
    **dict.fromkeys(("float16", "bfloat16", "int16", "uint16"), 16),
    **dict.fromkeys(("int8", "uint8", "bool"), 8),
    **dict.fromkeys(("float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "float8e8m0"), 8),
    **dict.fromkeys(("int4", "uint4", "float4e2m1"), 4),
    **dict.fromkeys(("int2", "uint2"), 2),
    **dict.fromkeys(("float6e2m3", "float6e3m2"), 6),
    "complex128": 128,
}
