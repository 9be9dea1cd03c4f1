"""Reads protocol buffers, the format of `.onnx` files, with no schema and no package.

A message is a row of fields, each a number, a wire type and a value; whoever asks knows what the numbers
stand for. Whatever is wrong is a ValueError.
"""

import struct
from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_SIZES = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10

Value = int | memoryview


class Message:
    """A message's fields by number, each with all its values in their order."""

    def __init__(self, content: bytes | memoryview) -> None:
        self._fields: dict[int, list[Value]] = {}
        for number, value in _fields(memoryview(content)):
            self._fields.setdefault(number, []).append(value)

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    def integer(self, number: int, default: int = 0) -> int:
        """The last value of an integer field."""
        value = self._fields.get(number, [default])[-1]
        if not isinstance(value, int):
            raise ValueError(f"field {number} is no integer")
        return _signed(value)

    def integers(self, number: int) -> tuple[int, ...]:
        """A repeated integer field, packed or not."""
        found: list[int] = []
        for value in self._fields.get(number, []):
            found += [value] if isinstance(value, int) else _packed(value)
        return tuple(map(_signed, found))

    def floats(self, number: int) -> tuple[float, ...]:
        """A repeated float32 field, packed or not."""
        data = b"".join(self._all_bytes(number))
        return struct.unpack(f"<{len(data) // 4}f", data[: len(data) // 4 * 4])

    def data(self, number: int) -> memoryview:
        """The last value of a bytes field, not copied."""
        return (self._all_bytes(number) or [memoryview(b"")])[-1]

    def text(self, number: int) -> str:
        """The last value of a string field."""
        return str(self.data(number), "utf-8", "replace")

    def texts(self, number: int) -> list[str]:
        """A repeated string field."""
        return [str(value, "utf-8", "replace") for value in self._all_bytes(number)]

    def message(self, number: int) -> "Message":
        """A message field; given several times, their contents are one, as the format has it."""
        return Message(b"".join(self._all_bytes(number)))

    def messages(self, number: int) -> list["Message"]:
        """A repeated message field."""
        return [Message(value) for value in self._all_bytes(number)]

    def _all_bytes(self, number: int) -> list[memoryview]:
        values = self._fields.get(number, [])
        found = [value for value in values if isinstance(value, memoryview)]
        if len(found) < len(values):
            raise ValueError(f"field {number} is no row of bytes")
        return found


def _fields(content: memoryview) -> Iterator[tuple[int, Value]]:
    position = 0
    while position < len(content):
        key, position = _varint(content, position)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, position = _varint(content, position)
            yield number, value
            continue
        size, position = _varint(content, position) if kind == BYTES else (_SIZES.get(kind), position)
        if size is None or not number:
            raise ValueError("no protocol buffer: it has a field of no known kind")
        if position + size > len(content):
            raise ValueError("truncated")
        yield number, content[position : position + size]
        position += size


def _varint(content: memoryview, position: int) -> tuple[int, int]:
    """A number of 7 bits a byte, lowest first, and the position after it."""
    value = 0
    for shift, byte in enumerate(content[position : position + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value & (1 << 64) - 1, position + shift + 1
    raise ValueError("truncated, or a number without an end")


def _packed(content: memoryview) -> list[int]:
    values, position = [], 0
    while position < len(content):
        value, position = _varint(content, position)
        values.append(value)
    return values


def _signed(value: int) -> int:
    """Negative integers are written as their two's complement in 64 bits."""
    return value - (1 << 64) if value >= 1 << 63 else value
