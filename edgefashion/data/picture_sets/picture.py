"""One picture of a set: a file, where the user put it, and what is in it."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from edgefashion.data.picture_sets.layouts import Entry, Split
from edgefashion.data.picture_sets.scanning import Scanned
from edgefashion.data.picture_sets.trees import Tree
from edgefashion.errors import DataError


@dataclass(frozen=True)
class Picture:
    """A picture with its class and split."""

    tree: Tree
    entry: Entry
    scanned: Scanned
    split: Split | None
    """What the user declared, else what was allocated."""

    @property
    def name(self) -> str:
        """The file's path in its tree."""
        return self.entry.file.name

    @property
    def path(self) -> Path:
        """What to call it in a message."""
        return self.tree.path / self.name

    @property
    def label(self) -> str:
        """The name of its class."""
        return self.entry.label

    @property
    def digest(self) -> str:
        """SHA-256 of its content, in hexadecimal."""
        return self.scanned.digest

    @property
    def key(self) -> str:
        """What its split is found by: its group, or its content."""
        return f"group {self.entry.group}" if self.entry.group else self.digest

    @property
    def order(self) -> tuple[str, str]:
        """By what the pictures of a split are sorted: the file's own name, then its path."""
        return self.name.rpartition("/")[2], self.name

    def read(self) -> bytes:
        """Its content. Raises DataError, also where it is not what was looked into."""
        content = self.tree.read(self.name)
        if hashlib.sha256(content).hexdigest() != self.digest:
            raise DataError(f"{self.path} was changed while it was read: try again")
        return content

    def put(self, split: Split) -> Self:
        """The same in a split."""
        return replace(self, split=split)
