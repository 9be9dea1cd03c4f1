"""Reading untrusted files: regular files only, within a size limit, and as data only.

Every function raises `error`, a `BadInput` of one line, for whatever it does not take.
"""

import hashlib
import mmap
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

from edgefashion.errors import BadInput
from edgefashion.files import parsers
from edgefashion.files.parsers import DEEPEST

MODEL_BYTES = 2 << 30
"""Of a model file: what protobuf and FlatBuffers can address."""
RECORD_BYTES = 256 << 20
"""Of whatever else says nothing of its own."""
INFO_BYTES = 8 << 20
"""Of what tells of one run, one model file or one bundle."""
SETTINGS_BYTES = 1 << 20
"""Of what people write by hand: recipes, lists of checksums."""
LARGEST = 2**63
"""No count, size or time of ours is larger."""
_PIECE_BYTES = 16 << 20
_LFS = b"version https://git-lfs.github.com/spec/"
BOM = b"\xef\xbb\xbf"


def read_bytes(path: Path, what: str, error: type[BadInput], at_most: int = RECORD_BYTES) -> bytes:
    """The content of a regular file of at most `at_most` bytes; `what` says what it should be."""
    with open_file(path, what, error) as file:
        size = _size(file, path, what, error, at_most)
        try:
            # Memory is reserved for all that is asked for, before any of it is read.
            content = file.read(min(at_most, max(size, SETTINGS_BYTES)) + 1)
        except OSError as reason:
            raise _refused(path, reason, what, error) from reason
    if len(content) > at_most:  # it grows, or the system does not know its size
        raise _too_large(path, what, error, at_most)
    refuse_pointer(path, content, error)
    return content


def map_model(path: Path, error: type[BadInput]) -> memoryview:
    """The content of a model file, of which only what is looked at comes into memory."""
    what = "a model file"
    with open_file(path, what, error) as file:
        if _size(file, path, what, error, MODEL_BYTES) == 0:
            return memoryview(b"")
        try:
            content = memoryview(mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ))
        except (OSError, ValueError) as reason:
            raise _refused(path, reason, what, error) from reason
    refuse_pointer(path, content, error)
    return content


def pieces(path: Path, what: str, error: type[BadInput], at_most: int = MODEL_BYTES) -> Iterator[bytes]:
    """The content of a regular file, piece by piece."""
    with open_file(path, what, error) as file:
        _size(file, path, what, error, at_most)
        try:
            while piece := file.read(_PIECE_BYTES):
                yield piece
        except OSError as reason:
            raise _refused(path, reason, what, error) from reason


def _size(file: BufferedReader, path: Path, what: str, error: type[BadInput], at_most: int) -> int:
    """How many bytes an open file has. Raises `error` for more than `at_most`."""
    size = os.fstat(file.fileno()).st_size
    if size > at_most:
        raise _too_large(path, what, error, at_most)
    return size


def _too_large(path: Path, what: str, error: type[BadInput], at_most: int) -> BadInput:
    return error(f"{path} has more than {at_most:,} bytes, too many for {what}")


def refuse_pointer(path: Path, content: bytes | memoryview, error: type[BadInput]) -> None:
    """Raise `error` where the content, or its first 64 bytes, are those of a Git LFS pointer."""
    if content[: len(_LFS)] == _LFS:
        raise error(f"{path} is a Git LFS pointer, not the file itself: run git lfs pull")


def open_file(path: Path, what: str, error: type[BadInput]) -> BufferedReader:
    """A regular file, open for reading; never a folder, a device or a FIFO, which is not waited for."""
    try:
        # Without O_NONBLOCK a FIFO that nobody writes to would never be opened.
        file = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")  # noqa: PTH123, SIM115
    except (OSError, ValueError) as reason:
        raise _refused(path, reason, what, error) from reason
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise error(f"{path} cannot be read (it is not a regular file): name {what}")


def sha256(path: Path, what: str, error: type[BadInput], at_most: int = MODEL_BYTES) -> str:
    """SHA-256 of the bytes of a regular file, in hexadecimal."""
    digest = hashlib.sha256()
    for piece in pieces(path, what, error, at_most):
        digest.update(piece)
    return digest.hexdigest()


def require_file(path: Path, error: type[BadInput], mend: str = "") -> None:
    """Raise `error` if it is not a regular file; `mend` says what to do then."""
    if not is_file(path, error):
        what = "is not a regular file" if os.path.lexists(path) else "does not exist"
        raise error(f"{path} {what}{mend and ': '}{mend}")


def exists(path: Path, error: type[BadInput]) -> bool:
    """Whether anything is there; `error` where that may not be found out."""
    return _mode(path, error) != 0


def is_file(path: Path, error: type[BadInput]) -> bool:
    """Whether there is a regular file, or a link to one; `error` where that may not be found out."""
    return stat.S_ISREG(_mode(path, error))


def is_folder(path: Path, error: type[BadInput]) -> bool:
    """Whether there is a folder, or a link to one; `error` where that may not be found out."""
    return stat.S_ISDIR(_mode(path, error))


def entries(folder: Path, error: type[BadInput]) -> list[Path]:
    """The entries of a folder, sorted; none if it does not exist."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as reason:
        raise _refused(folder, reason, "another folder", error) from reason


def _mode(path: Path, error: type[BadInput]) -> int:
    """The mode of what is at `path`, 0 if nothing is."""
    try:
        return path.stat().st_mode
    except PermissionError as reason:
        raise _refused(path, reason, "another", error) from reason
    except (OSError, ValueError):
        return 0


def _refused(path: Path, reason: OSError | ValueError, what: str, error: type[BadInput]) -> BadInput:
    why = getattr(reason, "strerror", None) or str(reason)
    if not isinstance(reason, PermissionError):
        return error(f"{path} cannot be read ({why}): name {what}")
    closed = [folder for folder in reversed(path.parents) if not os.access(folder, os.X_OK)]
    which, bits = (closed[0], "+x") if closed else (path, "+rx" if path.is_dir() else "+r")
    return error(f"{path} cannot be read ({why}): its owner can allow it with chmod {bits} {which}")


def read_text(path: Path, what: str, error: type[BadInput], at_most: int = SETTINGS_BYTES) -> str:
    """The text of a UTF-8 file, without a byte order mark."""
    return as_text(read_bytes(path, what, error, at_most), str(path), what, error)


def read_json(
    path: Path,
    what: str,
    error: type[BadInput],
    at_most: int = RECORD_BYTES,
    kind: Any = Any,
    *,
    newest: int | None = None,
    mend: str = "",
) -> Any:
    """The content of a JSON file; see `load_json`."""
    content = read_bytes(path, what, error, at_most)
    return load_json(content, str(path), what, error, kind, newest=newest, mend=mend)


def load_json(
    content: bytes,
    name: str,
    what: str,
    error: type[BadInput],
    kind: Any = Any,
    *,
    newest: int | None = None,
    mend: str = "",
) -> Any:
    """What JSON of the file `name` holds, as a `kind`, see `converted`: no number too large, not too deep,
    and of no schema above `newest`. `mend` says what to do about a file that is not.
    """
    import msgspec

    try:
        found = msgspec.json.decode(content.removeprefix(BOM))
        _check_plain(found)
    except (msgspec.MsgspecError, ValueError, RecursionError) as reason:
        raise damaged(name, what, error, mend, reason) from reason
    if newest is not None:
        check_schema(found, newest, name, error)
    return converted(found, kind, name, what, error, mend=mend)


def converted(found: Any, kind: Any, name: str, what: str, error: type[BadInput], *, mend: str = "") -> Any:
    """What JSON holds as an object of the type `kind`: what a record does not name is left out."""
    import msgspec

    try:
        return msgspec.convert(found, kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as reason:
        raise damaged(name, what, error, mend, reason) from reason


def check_schema(found: Any, newest: int, name: str, error: type[BadInput]) -> None:
    """Raise `error` for a file of a schema that this edgefashion does not know; none means the first."""
    schema = found.get("schema", 1) if isinstance(found, dict) else 1
    if type(schema) is int and schema > newest:
        raise error(
            f"{name} has schema {schema} and this edgefashion reads up to {newest}: update edgefashion"
        )
    if type(schema) is int and schema < 1:
        raise error(f"{name} has schema {schema}, and the first is 1: it was not made by edgefashion")


def damaged(name: str, what: str, error: type[BadInput], mend: str, reason: Exception) -> BadInput:
    """What to raise for a file `name` that is not `what`, for a reason of a parser."""
    return error(
        f"{name} is damaged, or not {what} ({parsers.first_line(reason)})" + (f": {mend}" if mend else "")
    )


def read_toml(path: Path, what: str, error: type[BadInput]) -> tuple[dict[str, Any], str]:
    """The content of a TOML file, and its text."""
    import tomllib

    text = read_text(path, what, error)
    try:
        if _most_dots(text) > DEEPEST:  # a dotted key of many parts takes time and memory by their square
            raise ValueError(f"a key has more than {DEEPEST} parts")
        found = tomllib.loads(text)
        _check_plain(found)
    except (ValueError, RecursionError) as reason:
        raise error(f"{path} is not TOML: {parsers.first_line(reason)}") from reason
    return found, text


def _most_dots(text: str) -> int:
    return max((line.partition("#")[0].count(".") for line in text.splitlines()), default=0)


def as_text(content: bytes, name: str, what: str, error: type[BadInput]) -> str:
    """The text that bytes of the file `name` are, without a byte order mark."""
    try:
        return content.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as reason:
        raise error(f"{name} is not UTF-8 text: name {what}") from reason


def _check_plain(found: Any) -> None:
    """Raise ValueError for what nests too deeply, and for numbers that no figure of ours reaches."""
    level = [found]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for each in level:
            values = each.values() if isinstance(each, dict) else each if isinstance(each, list) else (each,)
            for value in values:
                if isinstance(value, dict | list):
                    below.append(value)
                elif isinstance(value, int | float) and not -LARGEST <= value <= LARGEST:
                    raise ValueError("a number is too large, or not finite")
        if not below:
            return
        level = below
    raise ValueError(f"it nests deeper than {DEEPEST} levels")
