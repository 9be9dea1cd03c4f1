"""A file of decoded pictures, in the order of their digests.

    16 bytes      MAGIC, the number of pictures, and the bytes of an image, as little-endian uint32
    digests       SHA-256 of each picture's content, 32 bytes each, in ascending order
    pixels        uint8 [N, height, width, channels]

It is called by a digest of its digests: see `name`. What is not as long as it says is not read.
"""

import hashlib
import math
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np

from edgefashion.files.stored import StoredArray

MAGIC = b"pixels 1"
SUFFIX = ".pixels"
DIGEST_BYTES = 32
_HEAD = struct.Struct("<8sII")


@dataclass(frozen=True)
class Layout:
    """Where what is in a file of so many pictures, of images of so many bytes."""

    count: int
    image_bytes: int

    @property
    def start(self) -> int:
        """Bytes before the first image."""
        return _HEAD.size + self.count * DIGEST_BYTES

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.position(self.count)

    def position(self, place: int) -> int:
        """Bytes before the image at a place."""
        return self.start + place * self.image_bytes

    def begin(self, file: BinaryIO, digests: Sequence[bytes]) -> None:
        """Write all but the pixels, which are zeros then."""
        file.write(_HEAD.pack(MAGIC, self.count, self.image_bytes) + b"".join(digests))
        file.truncate(self.size)

    @classmethod
    def read(cls, file: BinaryIO) -> Self:
        """That of a file. Raises ValueError where it is of another kind, or not as long as it says."""
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size or not head.startswith(MAGIC):
            raise ValueError("not a file of pixels")
        found = cls(*_HEAD.unpack(head)[1:])
        if os.fstat(file.fileno()).st_size != found.size:
            raise ValueError("not whole")
        return found


def name(settings: str, digests: Sequence[bytes]) -> str:
    """What the file of pictures is called that are decoded with these settings, a digest."""
    return f"{settings}-{hashlib.sha256(b''.join(digests)).hexdigest()[:32]}{SUFFIX}"


def digests_in(path: Path) -> list[bytes]:
    """The digests of the pictures in a file, in order; none where it is damaged or not there."""
    try:
        with path.open("rb") as file:
            layout = Layout.read(file)
            block = file.read(layout.count * DIGEST_BYTES)
    except (OSError, ValueError):
        return []
    found = [block[start : start + DIGEST_BYTES] for start in range(0, len(block), DIGEST_BYTES)]
    return found if path.name == name(path.name.partition("-")[0], found) else []


def open_pixels(path: Path, image_shape: tuple[int, ...]) -> StoredArray | None:
    """The images in a file; None where it is damaged or not there."""
    count = len(digests_in(path))
    if not count:
        return None
    layout = Layout(count, math.prod(image_shape))
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    pixels = StoredArray(handle, layout.start, np.dtype(np.uint8), (count, *image_shape))
    return pixels if os.fstat(handle).st_size == layout.size else None
