"""What is asked of another machine and what it answers: one JSON object a line.

What comes from there is a stranger's text: each line is bounded and of these types, or it is not read.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.shelf import lines
from edgefashion.shelf.lines import Alive
from edgefashion.version import __version__

LINE_BYTES = 1 << 20
PART_CHARACTERS = 1 << 16
"""Of a report, which comes in parts: none of it has to be in memory at once."""
BEAT_S, SILENCE_S = 10.0, 60.0
"""How often either end says that it is there, and after how long a silence it is not."""
Text = Annotated[str, Meta(max_length=PART_CHARACTERS)]
Steps = Annotated[int, Meta(ge=0, le=1 << 40)]


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """The one line that a machine is asked by."""

    verb: Literal["bench", "doctor"]
    models: tuple[str, ...] = ()
    """What to measure, by the names that `files` have there, or zoo:NAME."""
    files: dict[str, str] = {}
    """What a file is to be called, and where it is."""
    threads: tuple[int | Literal["all"], ...] | None = None
    options: BenchmarkOptions = BenchmarkOptions()
    runtime: tuple[str, ...] = ()
    """What is to run them; none for the default ones."""
    edgefashion: str = __version__


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """What is being done, and how many steps of how many are done."""

    doing: Text
    done: Steps
    total: Steps


class Part(msgspec.Struct, frozen=True, tag="part"):
    """The next part of the report, which is JSON."""

    text: Text


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The report is whole: it has so many characters."""

    characters: Steps


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """There is no report, and why."""

    why: Text


Answer = Progress | Part | Done | Failed | Alive
_answers: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)
_requests = msgspec.json.Decoder(Request)


def request(content: bytes) -> Request:
    """Raises ValueError for what is none."""
    return _requests.decode(content)


def answer(content: str) -> Answer | None:
    """The answer in a line; None for anything else, as what login scripts print."""
    return lines.answer(_answers, content)
