"""Reading .zip files of strangers: members that are what the directory says, and nothing written."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from edgefashion.errors import BadInput

CHUNK = 1 << 20
ENCRYPTED = 1
DAMAGE = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    OSError,
)
"""What `zipfile` raises for a file that is not as it should be."""


class Archive:
    """A .zip file: no two members of one name, none that lie in one another, none encrypted.

    Raises `error`, a `BadInput` of one line, for whatever is not so.
    """

    def __init__(self, path: Path, file: BinaryIO, error: type[BadInput], most_members: int) -> None:
        self.path, self._error = path, error
        try:
            self._file = zipfile.ZipFile(file)
        except DAMAGE as reason:
            raise self._damaged(str(reason)) from reason
        self.members = self._file.infolist()
        """What the directory says, in its order."""
        self._by_name = {member.filename: member for member in self.members}
        if len(self.members) > most_members:
            raise self.refused(f"has more than {most_members:,} members")
        if len(self._by_name) < len(self.members):
            raise self.refused("has two members of one name")
        if sum(member.compress_size for member in self.members) > path.stat().st_size:
            raise self.refused("has members that overlap")
        for member in self.members:
            if member.flag_bits & ENCRYPTED:
                raise self.refused(f"has {member.filename!r} encrypted")

    def refused(self, what: str) -> BadInput:
        """The error for what no well-meaning program writes."""
        return self._error(f"{self.path} {what}: it is not opened")

    def read(self, name: str) -> bytes:
        """The content of a member; see `chunks`."""
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a member, never more than the directory says."""
        member = self._by_name[name]
        left = member.file_size
        try:
            with self._file.open(member) as stream:
                while chunk := stream.read(CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise self.refused(f"has more in {name!r} than it says")
                    yield chunk
        except DAMAGE as reason:
            raise self._damaged(f"{name}: {reason}") from reason

    def _damaged(self, reason: str) -> BadInput:
        return self._error(f"{self.path} is truncated, damaged or no .zip file ({reason}): copy it again")
