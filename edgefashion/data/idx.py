"""The four IDX files of a data set in a folder, named as MNIST's are, read with every check.

Images are unsigned bytes [N, height, width], or [N, height, width, 3] of RGB; labels are unsigned bytes [N],
or integers of 16 bits [N] of a task with more than 256 classes.
"""

import hashlib
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgefashion.data.fashion_mnist import FILES, TEST_LABELS, TRAIN_LABELS, most_bytes
from edgefashion.errors import DataError
from edgefashion.files import reading
from edgefashion.task import Labels, Task

MOST_BYTES = 1 << 30
"""Of a file of another data set than Fashion-MNIST: all of it comes into memory."""
GZIP_BYTES = 1 << 16
"""More than gzip adds to the largest of the files where it cannot make it smaller."""
MOST_PARTS = 10
"""Files that are gzipped in parts have a few; a million empty ones would take a minute."""
_GZIP = 31
"""As zlib calls it."""

Pixels = npt.NDArray[np.uint8]

_BYTE, _SHORT = 8, 11
"""Types of the values, as IDX calls unsigned bytes and integers of 16 bits."""
_ITEM_BYTES = {_BYTE: 1, _SHORT: 2}
_STARTS = tuple(bytes((0, 0, kind)) for kind in _ITEM_BYTES)


def gzip_path(folder: Path, name: str) -> Path:
    """Path of the IDX file `name` in `folder`, where it lies gzipped."""
    return folder / f"{name}.gz"


def file_names() -> str:
    """The names of the four files for people, as a list in a sentence."""
    *first, last = sorted(f"{name}.gz" for name in FILES)
    return f"{', '.join(first)} and {last}"


def find(folder: Path, name: str) -> Path | None:
    """Where the IDX file `name` lies in `folder`: gzipped, or as it is; None where it does not.

    Some mirrors call `train-images-idx3-ubyte` `train-images.idx3-ubyte`; upper case makes no difference.
    Raises DataError where that may not be found out.
    """
    usual = gzip_path(folder, name)
    if reading.is_file(usual, DataError):
        return usual
    others = {name, f"{name}.gz"}
    found = [path for path in reading.entries(folder, DataError) if usual_name(path.name) in others]
    return next((path for path in found if reading.is_file(path, DataError)), None)


def usual_name(name: str) -> str:
    """What a file is called where it is called as in FILES."""
    return name.lower().replace(".idx", "-idx")


def missing(folder: Path) -> list[str]:
    """File names (with .gz) that `folder` does not hold. Raises DataError where it may not be read."""
    return sorted(gzip_path(folder, name).name for name in FILES if find(folder, name) is None)


def most_bytes_of(name: str, task: Task) -> int:
    """The size that the file `name` of a data set of any task has at most."""
    images = MOST_BYTES // task.pixels
    return 8 + images * task.label_dtype.itemsize if name in (TRAIN_LABELS, TEST_LABELS) else MOST_BYTES


def read_verified(path: Path, name: str, checksum: str) -> bytes:
    """The bytes of Fashion-MNIST's file `name`, which lies at `path`: see `read`."""
    return read(path, most_bytes(name), checksum)[0]


def read(path: Path, at_most: int, checksum: str | None = None) -> tuple[bytes, str]:
    """The bytes of an IDX file, gzipped or not, and their SHA-256, which is to be `checksum`.

    Raises DataError when the file is missing, too large, cut short, damaged or has other bytes inside.
    """
    content = _inflated(path, at_most)
    found = hashlib.sha256(content).hexdigest()
    if found != (checksum or found):
        raise DataError(
            f"{path}: wrong checksum: SHA-256 of the decompressed bytes is {found}, expected {checksum}"
        )
    return content, found


def _inflated(path: Path, at_most: int) -> bytes:
    packed = reading.read_bytes(path, "a file of the data set", DataError, at_most + GZIP_BYTES)
    if packed.startswith(_STARTS):
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


def parse_images(path: Path, content: bytes, task: Task) -> Pixels:
    """Images out of IDX bytes read from `path`: uint8 [N, height, width, channels]. Raises DataError."""
    wanted = _stored(task.image_shape)
    count, *shape = _checked_shape(path, content, _BYTE, 1 + len(wanted))
    if tuple(shape) != wanted:
        found, expected = (" x ".join(map(str, each)) for each in (shape, wanted))
        raise DataError(f"{path}: images of {found} pixels, expected {expected}")
    return _body(content, 1 + len(wanted)).reshape(count, *task.image_shape)


def shape_of(path: Path, content: bytes) -> tuple[int, int, int]:
    """Height, width and channels of the images in IDX bytes read from `path`. Raises DataError."""
    dimensions = 4 if content[3:4] == b"\4" else 3
    _, height, width, *channels = _checked_shape(path, content, _BYTE, dimensions)
    return height, width, channels[0] if channels else 1


def most_label(path: Path, content: bytes) -> int:
    """The largest label in IDX bytes read from `path`, of 8 bits. Raises DataError."""
    _checked_shape(path, content, _BYTE, 1)
    return int(_body(content, 1).max(initial=0))


def parse_labels(path: Path, content: bytes, count: int, task: Task) -> Labels:
    """`count` labels out of IDX bytes read from `path`: [count] of the task's type, each that of a class.

    Raises DataError.
    """
    small = task.label_dtype == np.uint8
    (found,) = _checked_shape(path, content, _BYTE if small else _SHORT, 1)
    if found != count:
        raise DataError(f"{path}: wrong count: {found:,} labels, expected {count:,}, one for each image")
    labels = _body(content, 1) if small else _body(content, 1).view(">i2")
    outside = labels[(labels < 0) | (labels >= len(task.classes))]
    if len(outside):
        raise DataError(f"{path}: label out of range: {outside.max()}, expected 0 to {len(task.classes) - 1}")
    return labels.astype(task.label_dtype, copy=False)


def pack(array: Pixels | Labels) -> bytes:
    """IDX bytes of images uint8 [N, height, width, channels] or labels [N]."""
    if array.ndim > 1:
        array = array.reshape(len(array), *_stored(array.shape[1:]))
    kind, body = (_BYTE, array) if array.dtype == np.uint8 else (_SHORT, array.astype(">i2"))
    return struct.pack(f">2xBB{body.ndim}I", kind, body.ndim, *body.shape) + body.tobytes()


def _stored(image_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an image in a file: of gray images without the one channel."""
    return image_shape[:2] if image_shape[2] == 1 else image_shape


def _checked_shape(path: Path, content: bytes, kind: int, dimensions: int) -> tuple[int, ...]:
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise DataError(f"{path}: {len(content)} bytes inside, expected an IDX header of {header}")
    magic, *shape = struct.unpack(f">{1 + dimensions}I", content[:header])
    if magic != (expected := kind << 8 | dimensions):
        raise DataError(f"{path}: wrong magic number: 0x{magic:08x}, expected 0x{expected:08x}")
    size = math.prod(shape) * _ITEM_BYTES[kind]
    if len(content) - header != size:
        raise DataError(
            f"{path}: wrong count: its header promises {shape[0]:,} items ({size:,} bytes),"
            f" but {len(content) - header:,} bytes follow"
        )
    return tuple(shape)


def _body(content: bytes, dimensions: int) -> Pixels:
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions)
