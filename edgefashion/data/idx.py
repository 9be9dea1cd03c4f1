"""The four IDX files of Fashion-MNIST in a folder, and reading them with every check."""

import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgefashion.data.fashion_mnist import FILES, most_bytes
from edgefashion.errors import DataError
from edgefashion.files import reading

GZIP_BYTES = 1 << 16
"""More than gzip adds to the largest of the files where it cannot make it smaller."""
MOST_PARTS = 10
"""Files that are gzipped in parts have a few; a million empty ones would take a minute."""
_GZIP = 31
"""As zlib calls it."""

Pixels = npt.NDArray[np.uint8]

_START = b"\0\0\x08"
_MAGIC = {1: 0x0801, 3: 0x0803}  # unsigned bytes, by number of dimensions


def compressed(folder: Path, name: str) -> Path:
    """Path of the IDX file `name` in `folder`, where it lies gzipped."""
    return folder / f"{name}.gz"


def listed() -> str:
    """The names of the four files for people, as a list in a sentence."""
    *first, last = sorted(f"{name}.gz" for name in FILES)
    return f"{', '.join(first)} and {last}"


def located(folder: Path, name: str) -> Path | None:
    """Where the IDX file `name` lies in `folder`: gzipped, or as it is; None where it does not.

    Some mirrors call `train-images-idx3-ubyte` `train-images.idx3-ubyte`; upper case makes no difference.
    Raises DataError where that may not be found out.
    """
    usual = compressed(folder, name)
    if reading.is_file(usual, DataError):
        return usual
    others = {name, f"{name}.gz"}
    found = [path for path in reading.entries(folder, DataError) if plain(path.name) in others]
    return next((path for path in found if reading.is_file(path, DataError)), None)


def plain(name: str) -> str:
    """What a file is called where it is called as in FILES."""
    return name.lower().replace(".idx", "-idx")


def lacking(folder: Path) -> list[str]:
    """File names (with .gz) that `folder` does not hold. Raises DataError where it may not be read."""
    return sorted(compressed(folder, name).name for name in FILES if located(folder, name) is None)


def verified(path: Path, name: str, checksum: str) -> bytes:
    """The bytes of the IDX file `name`, which lies at `path`, gzipped or not; `checksum` is their SHA-256.

    Raises DataError when the file is missing, too large, cut short, damaged or has other bytes inside.
    """
    content = _inflated(path, most_bytes(name))
    found = hashlib.sha256(content).hexdigest()
    if found != checksum:
        raise DataError(
            f"{path}: wrong checksum: SHA-256 of the decompressed bytes is {found}, expected {checksum}"
        )
    return content


def _inflated(path: Path, at_most: int) -> bytes:
    packed = reading.read_bytes(path, "a file of the data set", DataError, at_most + GZIP_BYTES)
    if packed.startswith(_START):
        return packed
    if not packed.startswith(b"\x1f\x8b"):
        start = packed[:8].hex(" ") or "nothing, it is empty"
        raise DataError(
            f"{path}: not a gzip file: it starts with {start}, expected 1f 8b, or 00 00 08 of an IDX file"
        )
    content, rest = bytearray(), packed
    for _ in range(MOST_PARTS):
        part = zlib.decompressobj(wbits=_GZIP)
        try:
            content += part.decompress(rest, at_most + 1 - len(content))
        except zlib.error as error:
            raise DataError(f"{path}: damaged gzip: {error}") from error
        if len(content) > at_most:
            raise DataError(f"{path}: more than {at_most:,} bytes inside, which no such file has")
        if not part.eof:
            raise DataError(f"{path}: truncated gzip: it ends early, after {len(packed):,} bytes")
        rest = part.unused_data.lstrip(b"\0")  # zeros fill up the blocks of a tape
        if not rest:
            return bytes(content)
    raise DataError(f"{path}: damaged gzip: more than {MOST_PARTS} parts")


def parsed_images(path: Path, content: bytes, height: int, width: int) -> Pixels:
    """Images out of IDX bytes read from `path`: uint8 [N, height, width, 1]. Raises DataError."""
    shape = _checked_shape(path, content, dimensions=3)
    if shape[1:] != (height, width):
        raise DataError(f"{path}: images of {shape[1]} x {shape[2]} pixels, expected {height} x {width}")
    return _body(content, 3).reshape(*shape, 1)


def parsed_labels(path: Path, content: bytes, count: int, classes: int) -> Pixels:
    """`count` labels out of IDX bytes read from `path`: uint8 [count], each below `classes`.

    Raises DataError.
    """
    (found,) = _checked_shape(path, content, dimensions=1)
    if found != count:
        raise DataError(f"{path}: wrong count: {found:,} labels, expected {count:,}, one for each image")
    labels = _body(content, 1)
    if found and (worst := int(labels.max())) >= classes:
        raise DataError(f"{path}: label out of range: {worst}, expected 0 to {classes - 1}")
    return labels


def packed(array: Pixels) -> bytes:
    """IDX bytes of images uint8 [N, height, width, 1] or labels uint8 [N]."""
    body = array.reshape(array.shape[:3])
    return struct.pack(f">{1 + body.ndim}I", _MAGIC[body.ndim], *body.shape) + body.tobytes()


def _checked_shape(path: Path, content: bytes, dimensions: int) -> tuple[int, ...]:
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise DataError(f"{path}: {len(content)} bytes inside, expected an IDX header of {header}")
    magic, *shape = struct.unpack(f">{1 + dimensions}I", content[:header])
    if magic != _MAGIC[dimensions]:
        raise DataError(f"{path}: wrong magic number: 0x{magic:08x}, expected 0x{_MAGIC[dimensions]:08x}")
    size = int(np.prod(shape, dtype=object))
    if len(content) - header != size:
        raise DataError(
            f"{path}: wrong count: its header promises {shape[0]:,} items ({size:,} bytes),"
            f" but {len(content) - header:,} bytes follow"
        )
    return tuple(shape)


def _body(content: bytes, dimensions: int) -> Pixels:
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions)
