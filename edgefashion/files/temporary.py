"""Temporary folders, in the system's own: deleted when they are no longer needed.

A process that is killed leaves its own behind; the next one that makes a folder here clears that away. A
folder belongs to the process that holds the lock of the file `owner` in it, and what nobody holds is
nobody's. Where the file system has no locks, a folder is called differently and never cleared by others.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from edgefashion import files

PREFIX, WITHOUT_LOCK = "edgefashion-", "edgefashion_"
_OWNER = "owner"
_cleared: set[Path] = set()


class Folder:
    """A new folder that only this user can read, until `remove`, the end of a `with` block or of Python.

    Raises OutputError where none can be made.
    """

    path: Path

    def __init__(self) -> None:
        with files.naming_output(Path("temporary files")):
            root = Path(tempfile.gettempdir())
        if root not in _cleared:
            _cleared.add(root)
            clear(root)
        with files.naming_output(root):
            self.path, lock = _new(root)
        self._remove = weakref.finalize(self, _end, self.path, lock)

    def remove(self) -> None:
        """Remove it with all that is in it. May be called twice."""
        self._remove()

    def __enter__(self) -> Path:
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def clear(root: Path) -> None:
    """Remove what processes of this user left in `root` when they were killed; links are not followed."""
    with contextlib.suppress(OSError), os.scandir(root) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX):
                with contextlib.suppress(OSError):
                    _remove_unowned(Path(entry.path))


def _new(root: Path) -> tuple[Path, int | None]:
    """A folder, and the descriptor that holds its lock."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        try:
            lock = os.open(path / _OWNER, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError:
            _end(path, None)
            raise
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if (path / _OWNER).exists():
                return path, lock
        except BlockingIOError:
            pass
        except OSError:
            _end(path, lock)
            return Path(tempfile.mkdtemp(prefix=WITHOUT_LOCK, dir=root)), None
        os.close(lock)  # another process came between the two and took it for a leftover


def _end(path: Path, lock: int | None) -> None:
    shutil.rmtree(path, ignore_errors=True)
    if lock is not None:
        os.close(lock)


def _remove_unowned(path: Path) -> None:
    if not _is_own(path.lstat(), stat.S_ISDIR):
        return
    lock = os.open(path / _OWNER, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if _is_own(os.fstat(lock), stat.S_ISREG):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path)
    finally:
        os.close(lock)


def _is_own(found: os.stat_result, is_kind: Callable[[int], bool]) -> bool:
    return is_kind(found.st_mode) and found.st_uid == os.geteuid()
