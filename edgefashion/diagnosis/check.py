"""The result of one check of this machine."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Check:
    """What was found, and the command that fixes it."""

    level: Level
    """"ok"; "note": worth knowing; "problem": something cannot be done, or would be wrong."""
    topic: str
    """What was looked at, in a word or two."""
    text: str
    """What was found, in one line."""
    mend: str | None = None
    """What to type or to do, where that helps."""
    falsifies: bool = False
    """Whether a benchmark measured now would be wrong."""
