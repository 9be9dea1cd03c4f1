"""A .zip file as a tree. Nothing of it is written anywhere, and what could mean harm is not opened."""

import stat
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from edgefashion.data.picture_sets.trees import PICTURE_BYTES, Contents, Found, is_hidden, shown
from edgefashion.errors import DataError
from edgefashion.escaping import visible
from edgefashion.files import archives, reading

MOST_MEMBERS = 1_000_000
SUFFIX = ".zip"


@dataclass(frozen=True)
class Zip:
    """The .zip file at `path`; `stamp` is another one where it was changed."""

    path: Path
    stamp: str

    def contents(self) -> Contents:
        """All that is in it; nothing below a hidden folder."""
        archive, files = _opened(self.path, self.stamp)
        folders: set[str] = set()
        for member in archive.members:
            parts = PurePosixPath(member.filename).parts
            if any(map(is_hidden, parts)):
                continue
            inside = len(parts) if member.is_dir() else len(parts) - 1
            folders |= {"/".join(parts[:end]) for end in range(1, inside + 1)}
        found = [
            Found(name, member.file_size, f"{self.stamp} {member.CRC}", _defect(member), _is_link(member))
            for name, member in sorted(files.items())
            if not any(map(is_hidden, name.split("/")))
        ]
        return Contents(found, sorted(folders))

    def read(self, name: str) -> bytes:
        """The content of a member."""
        archive, files = _opened(self.path, self.stamp)
        try:
            return archive.read(files[name].filename)
        except DataError as error:
            why = visible(str(error.__cause__ or "it has more than the archive says"))
            raise DataError(
                f"{self.path / name} is damaged in the archive ({why}): copy {shown(self.path.name)} again"
            ) from error


@lru_cache(maxsize=2)
def _opened(path: Path, stamp: str) -> tuple[archives.Archive, dict[str, zipfile.ZipInfo]]:
    """The file, held open: a member is read without reading the directory again; and its files by name, as a
    folder would have them. Raises DataError.
    """
    file = reading.open_file(path, "a .zip file of pictures", DataError)
    archive = archives.Archive(path, file, archives.Kind(MOST_MEMBERS, _refused, _damaged, _check_name))
    files: dict[str, zipfile.ZipInfo] = {}
    for member in archive.members:
        name = "/".join(PurePosixPath(member.filename).parts)
        if not member.is_dir() and files.setdefault(name, member) is not member:
            both = f"{files[name].filename!r} and {member.filename!r}"
            raise _refused(path, f"has two members of one name, {both}")
    return archive, files


def _refused(path: Path, what: str) -> DataError:
    return DataError(f"{path} {what}: it is not opened")


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(f"{path} is truncated, damaged or no .zip file ({visible(reason)}): copy it again")


def _check_name(path: Path, member: zipfile.ZipInfo) -> None:
    name = member.orig_filename
    pure = PurePosixPath(name)
    if (
        pure.is_absolute()
        or ".." in pure.parts
        or "\\" in name
        or "\0" in name
        or not (pure.parts or member.is_dir())
    ):
        raise _refused(path, f"has a member called {name!r}, which leads out of it")


def _defect(member: zipfile.ZipInfo) -> str:
    if _is_link(member):
        return "is a link"
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is not a regular file"
    if member.file_size > PICTURE_BYTES:
        return f"has {member.file_size:,} bytes, too many for a picture"
    return ""


def _is_link(member: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(member.external_attr >> 16)


def is_zip(path: Path) -> bool:
    """Whether a path that the user names is meant to be a .zip file."""
    return path.suffix.lower() == SUFFIX and reading.is_file(path, DataError)
