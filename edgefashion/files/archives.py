"""Reading .zip files of strangers: members that are what the directory says, and nothing written."""

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


Refuse = Callable[[Path, str], BadInput]
"""Makes the error for a file that is such."""


@dataclass(frozen=True)
class Kind:
    """What a .zip file is to be."""

    most_members: int
    refused: Refuse
    """For what no well-meaning program writes."""
    damaged: Refuse
    """For what is not as it was made."""
    check: Callable[[Path, zipfile.ZipInfo], None]
    """Raises an error of the same kind for a member that is not wanted."""


class Archive:
    """A .zip file: no two members of one name, none that lie in one another, none encrypted."""

    def __init__(self, path: Path, file: BinaryIO, kind: Kind) -> None:
        self.path, self._kind = path, kind
        try:
            self._file = zipfile.ZipFile(file)
        except DAMAGE as error:
            raise kind.damaged(path, str(error)) from error
        self.members = self._file.infolist()
        """What the directory says, in its order."""
        self._by_name = {member.filename: member for member in self.members}
        if len(self.members) > kind.most_members:
            raise kind.refused(path, f"has more than {kind.most_members:,} members")
        if len(self._by_name) < len(self.members):
            raise kind.refused(path, "has two members of one name")
        for member in self.members:
            if member.flag_bits & ENCRYPTED:
                raise kind.refused(path, f"has {member.filename!r} encrypted")
            kind.check(path, member)
        if sum(member.compress_size for member in self.members) > path.stat().st_size:
            raise kind.refused(path, "has members that overlap")

    @property
    def names(self) -> set[str]:
        """The names of all members."""
        return set(self._by_name)

    def size(self, name: str) -> int:
        """Bytes of a member, as the directory says."""
        return self._by_name[name].file_size

    def read(self, name: str) -> bytes:
        """The content of a member; see `chunks`."""
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a member, never more than the directory says. Raises the error for damage."""
        left = self.size(name)
        try:
            with self._file.open(self._by_name[name]) as stream:
                while chunk := stream.read(CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise self._kind.refused(self.path, f"has more in {name!r} than it says")
                    yield chunk
        except DAMAGE as error:
            raise self._kind.damaged(self.path, f"{name}: {error}") from error
