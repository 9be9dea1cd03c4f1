"""What is said between who starts a training on other machines and each of these: one JSON object a line.

A worker's text is a stranger's: bounded, of these types, shown with escapes, and files have safe names.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated

import msgspec
from msgspec import Meta

from edgefashion.errors import OutputError
from edgefashion.shelf import lines
from edgefashion.shelf.lines import Alive
from edgefashion.version import __version__

LINE_BYTES = 1 << 20
PIECE_BYTES = 1 << 18
FOLDER_BYTES = 1 << 32
BEAT_S, SILENCE_S = 3.0, 20.0
"""How often either end says that it is there, and after how long a silence it is not."""
LINE_CHARACTERS = 2000
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,150}")
MOST_DEPTH = 3
GIVEN = "given"
Text = Annotated[str, Meta(max_length=LINE_CHARACTERS)]


class Start(msgspec.Struct, frozen=True, tag="start"):
    """What a worker is to do: `edgefashion train` with these words, which make a run called `name`."""

    name: str
    words: tuple[str, ...]
    is_chief: bool
    data: str | None = None
    """Where the data is there; a path that is not absolute begins at the user's home."""
    given: dict[str, dict[str, str]] = {}
    """Folders that the words name as GIVEN/NAME, and where the files in them lie there."""
    edgefashion: str = __version__


class Go(msgspec.Struct, frozen=True, tag="go"):
    """Begin: with the others that TF_CONFIG names, or alone where it is empty."""

    tf_config: str


class Folder(msgspec.Struct, frozen=True, tag="folder"):
    """A folder comes, from the start; what came of one that is not whole counts for nothing."""


class Piece(msgspec.Struct, frozen=True, tag="piece"):
    """A part of a file of the folder that is sent; the parts of a file come in their order."""

    name: Annotated[str, Meta(max_length=500)]
    content: bytes


class Whole(msgspec.Struct, frozen=True, tag="whole"):
    """All files of the folder have come; `finished` where it is a run, and not the state of a training."""

    finished: bool


class Listening(msgspec.Struct, frozen=True, tag="listening"):
    """A port that is kept for TensorFlow, and what the clock says, in seconds since 1970."""

    port: Annotated[int, Meta(ge=1, le=65535)]
    clock: float


class Learning(msgspec.Struct, frozen=True, tag="learning"):
    """A digest of the data that is learned from."""

    data: Annotated[str, Meta(max_length=64)]


class Said(msgspec.Struct, frozen=True, tag="said"):
    """A line of the training."""

    line: Text


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The training's exit code; that of a signal is negative."""

    code: int


Answer = Listening | Learning | Said | Folder | Piece | Whole | Ended | Alive
Order = Start | Go | Folder | Piece | Whole | Alive
_answers: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)
_orders: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)


def answer(content: str) -> Answer | None:
    """The answer in a line; None for anything else, as what login scripts print."""
    return lines.answer(_answers, content)


def order(content: bytes) -> Order:
    """Raises ValueError for what is none."""
    return _orders.decode(content)


def pieces(folder: Path, finished: bool) -> Iterator[Folder | Piece | Whole]:
    """All files of a folder, but hidden ones and those that are no names of ours. Raises OSError."""
    yield Folder()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and is_safe(name):
            with path.open("rb") as file:
                content = file.read(PIECE_BYTES)
                yield Piece(name, content)
                while content := file.read(PIECE_BYTES):
                    yield Piece(name, content)
    yield Whole(finished)


def is_safe(name: str) -> bool:
    """Whether it is a file inside of the folder, by a plain name."""
    parts = PurePosixPath(name).parts
    return 1 <= len(parts) <= MOST_DEPTH and all(_SAFE.fullmatch(part) for part in parts)


class Arrival:
    """A folder that comes in pieces."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bytes, self.names = folder, 0, set[str]()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def take(self, piece: Piece) -> None:
        """Write a piece. Raises OutputError for a name that leads elsewhere, and for too much."""
        self.bytes += len(piece.content)
        if not is_safe(piece.name) or self.bytes > FOLDER_BYTES or len(self.names) > 1000:
            raise OutputError("a worker sent what is no run: leave it out")
        path = self.folder / piece.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab" if piece.name in self.names else "wb") as file:
            file.write(piece.content)
        self.names.add(piece.name)
