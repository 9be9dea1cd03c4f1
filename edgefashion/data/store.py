"""Decoded pictures in the user's cache: made once, read row by row."""

from collections.abc import Sequence
from typing import Protocol

from edgefashion.files.stored import StoredArray
from edgefashion.reporting import Progress
from edgefashion.task import Task


class Source(Protocol):
    """A picture somewhere: a file, or a member of a zip file."""

    digest: str
    """SHA-256 of its content, in hexadecimal"""

    def read(self) -> bytes:
        """Its content."""
        ...


def decoded(sources: Sequence[Source], task: Task, progress: Progress | None = None) -> StoredArray:
    """The pictures as images of `task`, uint8 [N, height, width, channels], in the order of `sources`."""
    raise NotImplementedError
