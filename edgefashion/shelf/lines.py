"""What talks with another machine have in common: one JSON object a line, and beats that say nothing else."""

import os
from typing import Any, TypeVar

import msgspec

Message = TypeVar("Message")
RUBBISH_CHARACTERS = 1 << 20
"""What login scripts may print beside the answers."""


class Alive(msgspec.Struct, frozen=True, tag="alive"):
    """Nothing new."""


def line(message: msgspec.Struct) -> bytes:
    """A message as it is sent."""
    return msgspec.json.encode(message) + b"\n"


def answer(decoder: "msgspec.json.Decoder[Message]", content: str) -> Message | None:
    """The answer in a line; None for anything else, as what login scripts print."""
    try:
        return decoder.decode(content)
    except (ValueError, RecursionError):
        return None


def way_home() -> int:
    """The descriptor for answers of this process, from whose standard output only these are to go home: what
    a library prints is none.
    """
    os.write(1, b"\n")  # a login script may have left a line open
    descriptor = os.dup(1)
    os.dup2(2, 1)
    return descriptor


def write(descriptor: int, message: msgspec.Struct) -> None:
    """Send a message. Raises OSError."""
    content: Any = memoryview(line(message))
    while content:
        content = content[os.write(descriptor, content) :]
