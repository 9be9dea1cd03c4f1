"""Writing files so that an interruption leaves the old content or the new, never half of one."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from edgefashion.errors import OutputError
from edgefashion.files import streams

ROOM = 1 << 20
"""Bytes that there must be room for, for a file to be tried."""
_GZIP = 16 + zlib.MAX_WBITS
"""Says to zlib that it is to write a gzip file, from the largest window."""
_ADVICE = {
    (errno.ENOSPC, errno.EDQUOT): "free some space or choose another folder",
    (errno.EACCES, errno.EPERM): "choose a file and a folder that you may write to",
    (errno.EROFS,): "it is read-only: choose a folder elsewhere",
    (errno.ENOENT,): "its folder is missing: make it first, or name another",
    (errno.EISDIR,): "name a file, not a folder",
    (errno.ENOTDIR, errno.EEXIST): "a part of its path is a file: choose another folder",
    (errno.ENAMETOOLONG,): "choose a shorter name",
    (errno.ELOOP,): "its links lead in a circle: choose another name",
    (errno.ENXIO, errno.EPIPE): "nobody reads it: start its reader first, or name a file",
    (errno.EFBIG,): "the file would be larger than is allowed here: choose another folder",
}


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def gzip_size(pieces: Iterable[bytes]) -> int:
    """How many bytes the pieces of a file have when gzip has compressed them, at level 9."""
    packing = zlib.compressobj(9, zlib.DEFLATED, _GZIP)
    return sum(len(packing.compress(piece)) for piece in pieces) + len(packing.flush())


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; when the block ends well, it becomes `path` in one step.

    The folder has to be there: a typing error makes no tree of folders. The new file has the mode of the old
    one, or what the umask leaves; a link is replaced, not followed. A device or a pipe is written into at the
    end of the block. What a killed process left of the same file is cleared. Raises OutputError.
    """
    with naming_output(path):
        if streams.is_stream(path):
            with streams.pouring(path) as temporary:
                yield temporary
            return
        _clear_halves(path)
        with _half(path) as temporary:
            mode = stat.S_IMODE((path if path.is_file() else temporary).stat().st_mode) & 0o777
            temporary.chmod(mode)
            yield temporary
            _sync(temporary)
            temporary.chmod(mode)
            temporary.replace(path)
            with contextlib.suppress(OSError):  # not every file system can
                _sync(path.parent)


def check_writable(path: Path) -> None:
    """Raise OutputError for what can be known to keep `path` from being written: nothing is changed.

    A pipe must have its reader by now, and is held open until it is written into.
    """
    with naming_output(path):
        if streams.is_stream(path):
            streams.check(path)
            return
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.is_file() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        import tempfile

        with tempfile.TemporaryFile(dir=path.absolute().parent) as file:
            file.write(bytes(ROOM))


@contextlib.contextmanager
def _half(path: Path) -> Iterator[Path]:
    """A new hidden file beside `path`, locked while it is being written, and gone in the end."""
    temporary, handle = _new_half(path)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


def _new_half(path: Path) -> tuple[Path, int]:
    while True:
        before, after = _half_name(path)
        temporary = path.with_name(f"{before}{os.urandom(4).hex()}{after}")
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return temporary, handle
        os.close(handle)  # taken for a leftover before it was locked


def _clear_halves(path: Path) -> None:
    """Remove what processes that have ended left of `path`: files that nobody holds the lock of."""
    before, after = _half_name(path)
    name = re.compile(f"{re.escape(before)}[0-9a-f]{{8}}{re.escape(after)}")
    with contextlib.suppress(OSError):
        for half in [each for each in path.parent.iterdir() if name.fullmatch(each.name)]:
            with contextlib.suppress(OSError), half.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                half.unlink()


def _half_name(path: Path) -> tuple[str, str]:
    """What a half-written `path` is called, before and after its random part."""
    return f".{path.stem[:40]}.", f".part{path.suffix[:20]}"


def _sync(path: Path) -> None:
    """See a file, or the names in a folder, onto the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def alone(folder: Path, report: Callable[[str], None], waiting: str) -> Iterator[None]:
    """Hold a folder, made where it is missing, for this process; `report` says `waiting` before a wait."""
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report(waiting)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def make_folder(folder: Path) -> None:
    """Make a folder that is this project's own, with those around it. Raises OutputError."""
    with naming_output(folder):
        folder.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def naming_output(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write `path` into an OutputError of one line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"cannot write {path}: {reason}; {_advice(error)}") from error


def _advice(error: OSError) -> str:
    found = (advice for reasons, advice in _ADVICE.items() if error.errno in reasons)
    return next(found, "choose another folder")


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` in one step. Raises OutputError."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write `content` as UTF-8 to `path` in one step. Raises OutputError."""
    write_bytes(path, content.encode(errors="backslashreplace"))


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` as indented JSON to `path` in one step. Raises OutputError."""
    write_text(path, json_text(content, indent=2) + "\n")


def json_text(content: Any, indent: int | None = None) -> str:
    """`content` as JSON, arrays as lists. No UTF-8 in a file's name becomes a readable `\\udce4`."""
    text = json.dumps(content, indent=indent, ensure_ascii=False, default=list)
    return re.sub("[\ud800-\udfff]", lambda found: f"\\\\u{ord(found[0]):x}", text)
