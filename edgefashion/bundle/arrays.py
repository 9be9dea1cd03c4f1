"""The arrays of a bundle, as .npy files."""

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PREFIX = 10
"""Bytes before the header's text: magic number, version and length."""


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


def _header(dtype: "np.dtype[Any]", shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, described)
    return stream.getvalue()
