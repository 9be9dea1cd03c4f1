"""What lies in a folder or in a .zip file: names, without what systems and editors put there."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from edgefashion.errors import DataError
from edgefashion.errors.wording import setting
from edgefashion.escaping import visible
from edgefashion.files import reading

PICTURE_BYTES = 256 << 20
"""Of a file: more than any picture that is decoded here."""
_OTHERS = {"thumbs.db", "desktop.ini", "__macosx", "$recycle.bin", "@eadir"}
"""What is no part of a data set, besides all that begins with a dot."""


@dataclass(frozen=True)
class Found:
    """A file of a tree."""

    name: str
    """Its path in the tree, with / between folders."""
    size: int
    """Bytes."""
    stamp: str
    """Another one where it was changed; see `stamp_of`."""
    defect: str = ""
    """Why it is not read, in words."""
    may_hold_more: bool = False
    """Whether it is a link to a folder, or to what is not there."""


@dataclass(frozen=True)
class Contents:
    """The files of a tree and the names of its folders, both in order; and links that are not followed, of
    which it is not known what they hold.
    """

    files: list[Found]
    folders: list[str]
    links: list[Found] = field(default_factory=list)


class Tree(Protocol):
    """Where files come from."""

    @property
    def path(self) -> Path:
        """The folder, or the .zip file."""
        ...

    def contents(self) -> Contents:
        """All that is in it. Raises DataError where it may not be read, or is not to be trusted."""
        ...

    def read(self, name: str) -> bytes:
        """The content of a file. Raises DataError."""
        ...


def stamp_of(status: os.stat_result) -> str:
    """Of which file it is, and when it was changed: a program may set back its own time, and swap files of
    one size, but not the time at which the system last saw to it.
    """
    return " ".join(map(str, (status.st_mtime_ns, status.st_ctime_ns, status.st_dev, status.st_ino)))


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is no part of a data set."""
    return name.startswith(".") or name.lower() in _OTHERS


@dataclass(frozen=True)
class Folder:
    """A folder, whose links are followed where the user says so."""

    path: Path
    follow_links: bool = False

    def contents(self) -> Contents:
        """All that is in it."""
        found = Contents([], [])
        above = frozenset([os.path.realpath(self.path)])
        for each in self._within(self.path, "", above, found.folders):
            found.files.append(each)
        return found

    def read(self, name: str) -> bytes:
        """The content of a file."""
        return reading.read_bytes(self.path / name, "a picture", DataError, PICTURE_BYTES)

    def _within(
        self, folder: Path, before: str, above: frozenset[str], folders: list[str]
    ) -> Iterator[Found]:
        for entry in _entries(folder):
            name = before + entry.name
            if is_hidden(entry.name):
                continue
            if entry.is_symlink() and (defect := self._of_link(entry, above)):
                yield Found(name, 0, "", defect, may_hold_more=not Path(entry.path).is_file())
            elif entry.is_dir():
                folders.append(name)
                real = os.path.realpath(entry.path) if self.follow_links else entry.path
                yield from self._within(Path(entry.path), f"{name}/", above | {real}, folders)
            else:
                status = entry.stat()
                defect = "" if stat.S_ISREG(status.st_mode) else "is not a regular file"
                yield Found(name, status.st_size, stamp_of(status), defect or _too_large(status.st_size))

    def _of_link(self, entry: "os.DirEntry[str]", above: frozenset[str]) -> str:
        """Why a link is not followed."""
        if not Path(entry.path).exists():
            return "is a link to what is not there"
        if not self.follow_links:
            return f"is a link, and links are followed with {setting('--follow-links')} only"
        return "is a link to a folder that it lies in" if os.path.realpath(entry.path) in above else ""


def _entries(folder: Path) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError:
        reading.entries(folder, DataError)  # says why not
        return []


def _too_large(size: int) -> str:
    return f"has {size:,} bytes, too many for a picture" if size > PICTURE_BYTES else ""


def shown(name: str) -> str:
    """The name of a file for people, in quotes where it would not be told from the words around it."""
    text = visible(name)
    return text if text == name and name and not set(name) & set(" ,;:'\"()") else repr(name)
