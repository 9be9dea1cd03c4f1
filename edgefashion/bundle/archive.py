"""The zip file of a bundle: its bytes depend on its content alone, and it is validated before it is used."""

import hashlib
import os
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from edgefashion.bundle import layout
from edgefashion.errors import BundleError
from edgefashion.files import reading
from edgefashion.files.archives import Archive, Kind

if TYPE_CHECKING:
    from edgefashion.records.bundle import Member

_DATE = (1980, 1, 1, 0, 0, 0)
"""The first that a zip file knows."""
_UNIX = 3
_ENTRY_BYTES = 400
"""More than the directory needs for a member: 46 bytes and its name."""
_SIGNATURE = b"PK\5\6"
_END = struct.Struct("<4s4H2LH")
"""The end record: signature, disks (2), members (2), size and start of the directory, length of a comment."""
_ZIP64 = b"PK\6\7"
"""Starts the record before that of a zip file of more than 4 GB."""
_TAIL_BYTES = 20 + _END.size


def write(path: Path, members: Mapping[str, bytes]) -> None:
    """Write a zip file with these members in this order, uncompressed: compressors differ by version."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=False) as file:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, _DATE)
            member.create_system = _UNIX
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            file.writestr(member, content)


def digest(content: bytes) -> "Member":
    """Size and SHA-256 of a member, as bundle.json has them."""
    from edgefashion.records.bundle import Member

    return Member(size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The members of a zip file. Raises BundleError where it is missing, damaged or not one of `write`."""
    with reading.open_file(path, "a bundle", BundleError) as stream:
        _check_end(path, stream)
        found = Archive(path, stream, Kind(layout.MOST_MEMBERS, refused, damaged, _check_member))
        if len({name.casefold() for name in found.names}) < len(found.names):
            raise refused(path, "has two members of one name")  # in a folder that knows no upper case
        yield found


def damaged(path: Path, reason: str) -> BundleError:
    """The error for a bundle that is not as it was made."""
    return BundleError(f"{path} is truncated, damaged or no bundle ({reason}): copy or make it again")


def refused(path: Path, what: str) -> BundleError:
    """The error for what edgefashion never writes, and a file that means harm may have."""
    return BundleError(f"{path} {what}: it was not made by edgefashion bundle, and is not opened")


def _check_end(path: Path, stream: BinaryIO) -> None:
    """Raise BundleError unless the file ends like one of `write`, with a directory of few members.

    That is found out before `zipfile` reads the directory, which may be as long as the file.
    """
    reading.refuse_pointer(path, stream.read(64), BundleError)
    size = stream.seek(0, os.SEEK_END)
    if size > layout.TOTAL_BYTES:
        raise refused(path, f"has {size:,} bytes, more than {layout.TOTAL_BYTES:,}")
    stream.seek(max(0, size - _TAIL_BYTES))
    tail = stream.read()
    if len(tail) < _TAIL_BYTES:
        raise damaged(path, "too short for a bundle")
    signature, _, _, _, members, length, start, comment = _END.unpack(tail[-_END.size :])
    if signature != _SIGNATURE or comment or start + length + _END.size != size:
        raise damaged(path, "no end of a bundle")
    if tail.startswith(_ZIP64) or members > layout.MOST_MEMBERS or length > members * _ENTRY_BYTES:
        raise refused(path, f"has more than {layout.MOST_MEMBERS:,} members, or ones of long names")


def _check_member(path: Path, member: zipfile.ZipInfo) -> None:
    name = member.orig_filename
    if not layout.is_member_name(name) or name != member.filename:
        raise refused(path, f"has a member called {name!r}")
    if stat.S_IFMT(member.external_attr >> 16) != stat.S_IFREG:
        raise refused(path, f"has {name!r}, which is a link or no plain file")
    if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
        raise refused(path, f"has {name!r} compressed")
    if member.file_size > layout.MEMBER_BYTES:
        raise refused(path, f"has {name!r} of {member.file_size:,} bytes")
