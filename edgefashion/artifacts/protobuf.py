"""Reads protocol buffers, the format of `.onnx` files, without a schema and without any package.

A message is a row of fields, each a number, a wire type and a value; whoever asks knows what the numbers
stand for. Whatever is wrong is a ValueError. Where fields are is noted in 16 bytes each, what they hold is
looked at when asked for, and a `Budget` bounds the sum of both.
"""

import struct
from array import array
from collections.abc import Iterator

from edgefashion.artifacts.budget import Budget

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_SIZES = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10
_MESSAGE_READS = 2
_MOST_MERGED_BYTES = 1 << 20


class Message:
    """A message's fields by number, each with all its values in their order."""

    __slots__ = ("_budget", "_content", "_integers", "_spans")

    def __init__(self, content: bytes | memoryview, budget: Budget | None = None) -> None:
        self._content = memoryview(content)
        self._budget = budget or Budget()
        self._integers: dict[int, array[int]] = {}
        self._spans: dict[int, array[int]] = {}
        self._budget.charge(_MESSAGE_READS)
        for number, start, end in _fields(self._content):
            self._budget.charge(1)
            if start < 0:
                self._integers.setdefault(number, array("Q")).append(end)
            else:
                self._spans.setdefault(number, array("Q")).extend((start, end))

    def __contains__(self, number: int) -> bool:
        return number in self._integers or number in self._spans

    def integer(self, number: int, default: int = 0) -> int:
        """The last value of an integer field."""
        if number in self._spans:
            raise ValueError(f"field {number} is not an integer")
        return _signed(self._integers[number][-1]) if number in self._integers else default

    def integers(self, number: int) -> tuple[int, ...]:
        """A repeated integer field, packed or not."""
        found = list(self._integers.get(number, ()))
        for content in self._all_bytes(number):
            self._budget.charge(len(content))
            found += _packed(content)
        return tuple(map(_signed, found))

    def floats(self, number: int) -> tuple[float, ...]:
        """A repeated float32 field, packed or not."""
        data = b"".join(self._bytes_only(number))
        self._budget.charge(len(data) // 4)
        return struct.unpack(f"<{len(data) // 4}f", data[: len(data) // 4 * 4])

    def data(self, number: int) -> memoryview:
        """The last value of a bytes field, not copied."""
        start, end = self._last(number)
        return self._content[start:end]

    def text(self, number: int) -> str:
        """The last value of a string field."""
        return str(self.data(number), "utf-8", "replace")

    def texts(self, number: int) -> list[str]:
        """A repeated string field."""
        return [str(value, "utf-8", "replace") for value in self._bytes_only(number)]

    def message(self, number: int) -> "Message":
        """A message field; given several times, their contents are one, as the format has it."""
        pieces = list(self._bytes_only(number))
        if len(pieces) < 2:
            return Message(pieces[0] if pieces else b"", self._budget)
        if sum(map(len, pieces)) > _MOST_MERGED_BYTES:
            raise ValueError(f"field {number} is in several pieces, and large")
        return Message(b"".join(pieces), self._budget)

    def messages(self, number: int) -> Iterator["Message"]:
        """A repeated message field."""
        return (Message(value, self._budget) for value in self._bytes_only(number))

    def values(self, form: str, content: memoryview, count: int) -> tuple[int | float, ...]:
        """`count` numbers of a `struct` format that fill `content`. Raises ValueError where they do not."""
        self._budget.charge(count)
        if struct.calcsize(f"<{form}") * count != len(content):
            raise ValueError("the size of a constant does not fit its shape")
        return struct.unpack(f"<{count}{form}", content)

    def charge(self, reads: int) -> None:
        """Count what is made of what was read, where that may be more."""
        self._budget.charge(reads)

    def _last(self, number: int) -> tuple[int, int]:
        if number in self._integers:
            raise ValueError(f"field {number} is not a byte string")
        spans = self._spans.get(number)
        return (spans[-2], spans[-1]) if spans else (0, 0)

    def _bytes_only(self, number: int) -> Iterator[memoryview]:
        if number in self._integers:
            raise ValueError(f"field {number} is not a byte string")
        return self._all_bytes(number)

    def _all_bytes(self, number: int) -> Iterator[memoryview]:
        spans = self._spans.get(number, array("Q"))
        return (self._content[spans[i] : spans[i + 1]] for i in range(0, len(spans), 2))


def _fields(content: memoryview) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of every field; of one that is a number, -1 and that."""
    position, size = 0, len(content)
    while position < size:
        key, position = _varint(content, position)
        number, kind = key >> 3, key & 7
        if not number:
            raise ValueError("not a protocol buffer: it has a field of an unknown type")
        if kind == VARINT:
            value, position = _varint(content, position)
            yield number, -1, value
            continue
        length, position = _varint(content, position) if kind == BYTES else (_SIZES.get(kind), position)
        if length is None:
            raise ValueError("not a protocol buffer: it has a field of an unknown type")
        if position + length > size:
            raise ValueError("it is truncated")
        yield number, position, position + length
        position += length


def _varint(content: memoryview, position: int) -> tuple[int, int]:
    """A number of 7 bits a byte, lowest first, and the position after it."""
    if position < len(content) and content[position] < 0x80:
        return content[position], position + 1
    value = 0
    for shift, byte in enumerate(content[position : position + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value & (1 << 64) - 1, position + shift + 1
    raise ValueError("it is truncated, or has a number without an end")


def _packed(content: memoryview) -> list[int]:
    values, position = [], 0
    while position < len(content):
        value, position = _varint(content, position)
        values.append(value)
    return values


def _signed(value: int) -> int:
    """Negative integers are written as their two's complement in 64 bits."""
    return value - (1 << 64) if value >= 1 << 63 else value
