"""Writing files so that an interruption leaves the old content or the new, never half of one."""

import contextlib
import errno
import gzip
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edgefashion.errors import OutputError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where space is lacking, and no permission or folder."""


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def gzip_size(content: bytes) -> int:
    """How many bytes `content` has when gzip has compressed it, at level 9."""
    return len(gzip.compress(content, compresslevel=9))


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; when the block ends well, it becomes `path` in one step.

    The folder is made where it is missing. Raises OutputError when it cannot be written to.
    """
    with naming_output(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


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


@contextlib.contextmanager
def naming_output(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write `path` into an OutputError of one line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        mend = (
            "free some space or choose another folder" if error.errno in NO_ROOM else "choose another folder"
        )
        raise OutputError(f"cannot write {path}: {reason}; {mend}") from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` in one step. Raises OutputError."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write `content` as UTF-8 to `path` in one step. Raises OutputError."""
    write_bytes(path, content.encode())


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` as indented JSON to `path` in one step. Raises OutputError."""
    write_text(path, json.dumps(content, indent=2) + "\n")
