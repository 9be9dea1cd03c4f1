"""Devices, pipes and open descriptors: outputs that are written into, not replaced.

Opening a pipe never waits for its reader, who must be there before the work; it is then held open, since a
reader who is left once does not come back.
"""

import contextlib
import errno
import fcntl
import os
import select
import stat
from collections.abc import Iterator
from pathlib import Path

_OPEN_FILES = [Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd")]
_NUMBERS = {"stdout": "1", "stderr": "2"}
_held: dict[str, int] = {}
"""Descriptors of pipes that have been tried, by their real paths."""


def is_stream(path: Path) -> bool:
    """Whether `path` is a device, a pipe, or something open of this process: nothing that can be replaced."""
    if path.absolute().parent in _OPEN_FILES:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def check(path: Path) -> None:
    """Raise OSError where `path` cannot be written into; a pipe is held open until it is."""
    number = _number(path)
    if number is not None:
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return
    handle = _opened(path)
    if stat.S_ISFIFO(os.fstat(handle).st_mode):
        _held[os.path.realpath(path)] = handle
    else:
        os.close(handle)


@contextlib.contextmanager
def pouring(path: Path) -> Iterator[Path]:
    """Yield a temporary path whose content goes into `path` at the end of the block."""
    from edgefashion.files import temporary

    with temporary.Folder() as folder:
        content = folder / f"content{path.suffix}"
        yield content
        number = _number(path)
        if number is not None:
            _write(number, content.read_bytes())
            return
        handle = _opened(path)
        try:
            _write(handle, content.read_bytes())
        finally:
            os.close(handle)


def _number(path: Path) -> int | None:
    """The descriptor of what is open already, which goes on where it is."""
    name = path.name if path.absolute().parent in _OPEN_FILES else ""
    name = _NUMBERS.get(name, name)
    return int(name) if name.isascii() and name.isdecimal() and len(name) < 8 else None


def _opened(path: Path) -> int:
    held = _held.pop(os.path.realpath(path), None)
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC) if held is None else held


def _write(handle: int, content: bytes) -> None:
    """Write all of it, waiting for a slow reader. Nothing is buffered: a signal may break it off."""
    rest = memoryview(content)
    while rest:
        try:
            rest = rest[os.write(handle, rest) :]
        except BlockingIOError:
            select.select([], [handle], [])
