"""The four IDX files of Fashion-MNIST: their names, their checksums, and reading them with every check."""

import gzip
import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgefashion import reading
from edgefashion.errors import DataError

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"

# SHA-256 of the bytes inside the .gz files; every distributor compresses them in its own way. Small files
# first: whoever cannot serve them is found out at once.
OFFICIAL = {
    TEST_LABELS: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    TRAIN_LABELS: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    TEST_IMAGES: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    TRAIN_IMAGES: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
}
FILES = tuple(OFFICIAL)
SIDE = 28
CLASSES = 10

Pixels = npt.NDArray[np.uint8]

_MAGIC = {1: 0x0801, 3: 0x0803}  # unsigned bytes, by number of dimensions


def compressed(folder: Path, name: str) -> Path:
    """Path of the IDX file `name` in `folder`, where it lies gzipped."""
    return folder / f"{name}.gz"


def listed() -> str:
    """The names of the four files for people, as a list in a sentence."""
    *first, last = sorted(f"{name}.gz" for name in FILES)
    return f"{', '.join(first)} and {last}"


def lacking(folder: Path) -> list[str]:
    """File names (with .gz) that `folder` does not hold."""
    paths = [compressed(folder, name) for name in FILES]
    return sorted(path.name for path in paths if not path.is_file())


def verified(path: Path, checksum: str) -> bytes:
    """The decompressed bytes of `path`, whose SHA-256 is `checksum`.

    Raises DataError when the file is missing, not gzip, cut short, damaged or has other bytes inside.
    """
    content = _inflated(path)
    found = hashlib.sha256(content).hexdigest()
    if found != checksum:
        raise DataError(
            f"{path}: wrong checksum: SHA-256 of the decompressed bytes is {found}, expected {checksum}"
        )
    return content


def _inflated(path: Path) -> bytes:
    try:
        packed = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path}: missing") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    reading.refuse_pointer(path, packed, DataError)
    if not packed.startswith(b"\x1f\x8b"):
        start = packed[:8].hex(" ") or "nothing, it is empty"
        raise DataError(f"{path}: not a gzip file: it starts with {start}, expected 1f 8b")
    try:
        return gzip.decompress(packed)
    except EOFError as error:
        raise DataError(f"{path}: truncated gzip: it ends early, after {len(packed):,} bytes") from error
    except (zlib.error, gzip.BadGzipFile, struct.error) as error:
        raise DataError(f"{path}: damaged gzip: {error}") from error


def parsed_images(path: Path, content: bytes) -> Pixels:
    """Images out of IDX bytes read from `path`: uint8 [N, 28, 28, 1]. Raises DataError."""
    shape = _checked_shape(path, content, dimensions=3)
    if shape[1:] != (SIDE, SIDE):
        raise DataError(f"{path}: images of {shape[1]} x {shape[2]} pixels, expected {SIDE} x {SIDE}")
    return _body(content, 3).reshape(*shape, 1)


def parsed_labels(path: Path, content: bytes, count: int) -> Pixels:
    """`count` labels out of IDX bytes read from `path`: uint8 [count], each 0 to 9. Raises DataError."""
    (found,) = _checked_shape(path, content, dimensions=1)
    if found != count:
        raise DataError(f"{path}: wrong count: {found:,} labels, expected {count:,}, one for each image")
    labels = _body(content, 1)
    if found and (worst := int(labels.max())) >= CLASSES:
        raise DataError(f"{path}: label out of range: {worst}, expected 0 to {CLASSES - 1}")
    return labels


def packed(array: Pixels) -> bytes:
    """IDX bytes of images uint8 [N, 28, 28, 1] or labels uint8 [N]."""
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
