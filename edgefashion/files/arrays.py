"""Arrays as .npy files, alone or several in a zip file: of a bundle, of a checkpoint."""

import io
import math
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PREFIX = 10
"""Bytes before the header's text: magic number, version and length."""
MOST_HEADER = 4096
"""Bytes before the numbers, more than any NumPy writes."""


def to_bytes(array: NDArray[Any]) -> bytes:
    """The content of a .npy file."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def from_bytes(content: bytes, dtype: "np.dtype[Any]", shape: tuple[int, ...]) -> NDArray[Any]:
    """The array of this dtype and shape in a .npy file of `to_bytes`. Raises ValueError for other content.

    The header is compared, not read: NumPy would reserve what it says, and its parser can be made to fail in
    ways of its own. Only the spaces that fill it up may be others, by a later NumPy.
    """
    start = len(content) - math.prod(shape) * dtype.itemsize
    expected, found = _header(dtype, shape), content[: max(0, start)]
    same = found[:8] == expected[:8] and found[_PREFIX:].split() == expected[_PREFIX:].split()
    if not same or int.from_bytes(found[8:_PREFIX], "little") != start - _PREFIX:
        raise ValueError(f"not {dtype} {list(shape)}")
    array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    return array


def from_zip(content: bytes, like: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Those arrays of an .npz file that `like` names, each of the dtype and shape it has there.

    Raises ValueError for others and for one that holds NaN or infinity, KeyError where one is missing, and
    what zipfile raises. No more is unpacked than such an array may take.
    """
    found = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name, array in like.items():
            with archive.open(f"{name}.npy") as file:
                packed = file.read(array.nbytes + MOST_HEADER)
            found[name] = from_bytes(packed, array.dtype, array.shape)
            check_finite(name, found[name])
    return found


def check_finite(name: str, array: NDArray[Any]) -> None:
    """Raise ValueError for an array that holds NaN or infinity."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name} holds numbers that are not finite")


def _header(dtype: "np.dtype[Any]", shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, described)
    return stream.getvalue()
