"""Reads flatbuffers, the format of `.tflite` files, without trusting a byte of them.

A flatbuffer is tables that point at each other by offsets. The readers that the schema compiler makes
follow any offset and believe any length, so that a damaged file ends in a crash, in gigabytes or in an
endless loop. Here every position is checked, and so is the sum of what is read, with a `Budget`: a sound
file is read about once. Whatever is wrong is a ValueError.

Slots are the numbers of the fields in the schema, from 0; formats are those of `struct`.
"""

import struct

from edgefashion.artifacts.budget import Budget

IDENTIFIER = b"TFL3"
READS_PER_BYTE = 8
_TABLE_READS = 4
_TEXT_PER_READ = 16


class Flatbuffer:
    """The bytes, and the budget of what may be read of them."""

    def __init__(self, content: bytes | memoryview) -> None:
        self.content = memoryview(content)
        self.budget = Budget(READS_PER_BYTE * len(content))

    def root(self) -> "Table":
        """The first table. Raises ValueError where this is not a TFLite file."""
        if self.content[4:8] != IDENTIFIER:
            raise ValueError("not a TFLite file: its identifier is missing")
        return Table(self, self.unpack("I", 0)[0])

    def unpack(self, form: str, start: int, count: int = 1) -> tuple[int | float | bool, ...]:
        """`count` numbers at position `start`."""
        size = struct.calcsize(f"<{form}") * count
        self.view(start, size)
        return struct.unpack_from(f"<{count}{form}", self.content, start)

    def view(self, start: int, size: int) -> memoryview:
        """`size` bytes at position `start`, not copied."""
        if start < 0 or start + size > len(self.content):
            raise ValueError("it is truncated, or an offset points outside it")
        return self.content[start : start + size]


class Table:
    """A table: fields by slot. A field that the file leaves out has its default."""

    __slots__ = ("_end", "_slots", "_source", "position")

    def __init__(self, source: Flatbuffer, position: object) -> None:
        assert isinstance(position, int)
        source.budget.charge(_TABLE_READS)
        self._source, self.position = source, position
        self._slots = position - self._integer("i", position)
        self._end = self._slots + self._integer("H", self._slots)

    def field(self, slot: int) -> int | None:
        """Where the field's value stands; None where it is left out."""
        entry = self._slots + 4 + 2 * slot
        offset = self._integer("H", entry) if entry + 2 <= self._end else 0
        return self.position + offset if offset else None

    def integer(self, slot: int, form: str, default: int = 0) -> int:
        """One integer or bool."""
        where = self.field(slot)
        return default if where is None else self._integer(form, where)

    def number(self, slot: int, default: float = 0.0) -> float:
        """One float32."""
        where = self.field(slot)
        return default if where is None else float(self._source.unpack("f", where)[0])

    def target(self, slot: int) -> int | None:
        """Where the table, vector or string stands that the field points at."""
        where = self.field(slot)
        return None if where is None else where + self._integer("I", where)

    def table(self, slot: int) -> "Table | None":
        """The table that the field points at."""
        where = self.target(slot)
        return None if where is None else Table(self._source, where)

    def tables(self, slot: int) -> list["Table"]:
        """The tables of a vector of tables."""
        return [Table(self._source, where) for where in self.positions(slot)]

    def positions(self, slot: int) -> list[int]:
        """Where the tables of a vector of tables stand."""
        start, count = self._vector(slot)
        self._source.budget.charge(count)
        offsets = self._source.unpack("I", start, count)
        return [start + 4 * number + int(offset) for number, offset in enumerate(offsets)]

    def integers(self, slot: int, form: str = "i") -> tuple[int, ...]:
        """A vector of integers."""
        return tuple(map(int, self._numbers(slot, form)))

    def floats(self, slot: int) -> tuple[float, ...]:
        """A vector of float32."""
        return tuple(map(float, self._numbers(slot, "f")))

    def data(self, slot: int) -> memoryview:
        """A vector of bytes, not copied."""
        return self._source.view(*self._vector(slot))

    def text(self, slot: int) -> str:
        """A string."""
        data = self.data(slot)
        self._source.budget.charge(len(data) // _TEXT_PER_READ + 1)
        return str(data, "utf-8", "replace")

    def charge(self, reads: int) -> None:
        """Count what is made of what is read, where that may be more."""
        self._source.budget.charge(reads)

    def _numbers(self, slot: int, form: str) -> tuple[int | float | bool, ...]:
        start, count = self._vector(slot)
        self._source.budget.charge(count)
        return self._source.unpack(form, start, count)

    def _vector(self, slot: int) -> tuple[int, int]:
        """Start and number of elements."""
        where = self.target(slot)
        return (0, 0) if where is None else (where + 4, self._integer("I", where))

    def _integer(self, form: str, position: int) -> int:
        return int(self._source.unpack(form, position)[0])
