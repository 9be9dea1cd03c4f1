"""The parts of a `.tflite` file that an inspection needs, by the numbers of the fields in LiteRT's schema.

From LiteRT's package come the names of operators and types, nothing else.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from edgefashion.artifacts.flatbuffer import Flatbuffer, Table
from edgefashion.artifacts.inspection.base import MOST_PARTS, Shape, checked_shape, shortened
from edgefashion.errors import MissingExtra

T = TypeVar("T")
_MODEL_BUFFERS, _MODEL_METADATA = 4, 6
_METADATA_NAME, _METADATA_BUFFER, _BUFFER_DATA = 0, 1, 0


@dataclass(frozen=True)
class Tensor:
    """A tensor of the file. `shape` has -1 for a size that is open, `placeholder` 1 in its stead."""

    name: str
    dtype: str
    shape: Shape
    placeholder: Shape
    buffer: int
    sparse: bool
    quantization: Table | None

    @property
    def scales(self) -> tuple[float, ...]:
        """One, one per channel, or none; read anew each time."""
        return self.quantization.floats(2) if self.quantization else ()

    @property
    def zero_points(self) -> tuple[int, ...]:
        """As many."""
        return self.quantization.integers(3, "q") if self.quantization else ()


@dataclass(frozen=True)
class Buffer:
    """Where values stand: several tensors may be of one."""

    place: Hashable
    content: memoryview
    size: int


def find_text(content: bytes | memoryview, name: str, most: int) -> bytes | None:
    """The text that the file keeps under `name`, or its first `most` bytes; None without one.

    Raises ValueError for a damaged file.
    """
    model = Flatbuffer(content).root()
    numbers = [
        entry.integer(_METADATA_BUFFER, "I")
        for entry in model.tables(_MODEL_METADATA)
        if entry.text(_METADATA_NAME) == name
    ]
    buffers = model.tables(_MODEL_BUFFERS) if numbers else []
    found = (buffers[n].data(_BUFFER_DATA) for n in numbers if n < len(buffers))
    return next((bytes(data[:most]) for data in found), None)


@cache
def names_of(enumeration: str) -> dict[int, str]:
    """The names in an enumeration of LiteRT's schema, by their numbers. Raises MissingExtra."""
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ModuleNotFoundError as error:
        raise MissingExtra("Inspecting a .tflite file needs ai-edge-litert", "litert") from error
    values = vars(getattr(schema, enumeration))
    return {value: name for name, value in values.items() if isinstance(value, int)}


def operator_kind(code: Table) -> str:
    """The operator's name in the schema; of a custom one, its own. Raises MissingExtra."""
    number = max(code.integer(0, "b"), code.integer(3, "i"))
    name = names_of("BuiltinOperator").get(number, f"CUSTOM_{number}")
    return shortened(f"CUSTOM {code.text(1)}") if name == "CUSTOM" else name


def buffer_of(number: int, table: Table, size: int) -> Buffer:
    """Values inside the flatbuffer or, in files of more than 2 GB, behind it. Raises ValueError."""
    content = table.data(0)
    if len(content):
        return Buffer(table.target(0), content, len(content))
    start, length = table.integer(1, "Q"), table.integer(2, "Q")
    if start + length > size:
        raise ValueError("it is truncated, or an offset points outside it")
    return Buffer((start, length) if length else ("empty", number), content, length)


def tensor_of(table: Table) -> Tensor:
    """A tensor. Raises ValueError for an impossible one, MissingExtra."""
    placeholder = checked_shape(table.integers(0))
    shape = table.integers(7)
    dtype = table.integer(1, "b")
    return Tensor(
        name=table.text(3),
        dtype=names_of("TensorType").get(dtype, f"type {dtype}").lower(),
        shape=shape if len(shape) == len(placeholder) else placeholder,
        placeholder=placeholder,
        buffer=table.integer(2, "I"),
        sparse=table.field(6) is not None,
        quantization=table.table(4),
    )


def item_at(items: list[T], index: int) -> T:
    """The item. Raises ValueError where there is none of this number."""
    if not 0 <= index < len(items):
        raise ValueError("it refers to parts that are not in it")
    return items[index]


def at_most(parts: list[T], what: str) -> list[T]:
    """The parts; ValueError where there are more than a file may have."""
    if len(parts) > MOST_PARTS:
        raise ValueError(f"it has more than {MOST_PARTS:,} {what}")
    return parts
