"""Arrays that stay in a file, because they may be larger than the memory."""

import os
import tempfile
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from edgefashion import files

Rows = NDArray[np.integer[Any]] | NDArray[np.bool_] | slice
"""Which rows of an array."""
Parts = Iterable[NDArray[Any]]


class StoredArray:
    """An array in a file. Indexing by its first axis reads what is asked for into a NumPy array.

    The file is read, not mapped: what was seen of a mapped one counts as memory of this process. Several
    threads may read at a time.
    """

    def __init__(self, handle: int, start: int, dtype: "np.dtype[Any]", shape: tuple[int, ...]) -> None:
        """`handle` is a descriptor of the open file, which is closed with the last array that reads from it;
        `start` is how many bytes are before the first number.
        """
        self._file, self._start = _File(handle), start
        self.dtype, self._row_shape = np.dtype(dtype), tuple(shape[1:])
        self._rows = np.arange(shape[0])

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array of NumPy."""
        return len(self._rows), *self._row_shape

    @property
    def ndim(self) -> int:
        """As of an array of NumPy."""
        return 1 + len(self._row_shape)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: "int | Rows") -> NDArray[Any]:
        chosen = self._rows[key]
        return self._read(np.ravel(chosen)).reshape(*np.shape(chosen), *self._row_shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("an array in a file cannot be had without a copy")
        return self[:].astype(dtype or self.dtype, copy=False)

    def take(self, rows: Rows) -> "StoredArray":
        """An array of these rows of this one: nothing is read or copied."""
        taken = object.__new__(StoredArray)
        vars(taken).update(vars(self) | {"_rows": self._rows[rows]})
        return taken

    def and_of(self, others: "Sequence[StoredArray]") -> "StoredArray":
        """An array of the rows of this one and of others in the same file: nothing is read or copied.

        Raises ValueError for one in another file.
        """
        if any(other._file is not self._file for other in others):
            raise ValueError("not arrays of one file")
        together = object.__new__(StoredArray)
        rows = np.concatenate([array._rows for array in (self, *others)])
        vars(together).update(vars(self) | {"_rows": rows})
        return together

    def _read(self, rows: NDArray[np.intp]) -> NDArray[Any]:
        """Those rows of the file: neighbors in one go."""
        found = np.empty((len(rows), *self._row_shape), self.dtype)
        if not found.size:
            return found
        size = found.nbytes // len(rows)
        content = memoryview(found.reshape(-1).data).cast("B")
        first = np.flatnonzero(np.diff(rows, prepend=rows[0] - 2) != 1).tolist()
        for begin, end in zip(first, [*first[1:], len(rows)], strict=True):
            self._file.read(content[begin * size : end * size], self._start + int(rows[begin]) * size)
        return found


class _File:
    """A descriptor, open as long as anything reads from it."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        weakref.finalize(self, os.close, handle).atexit = False

    def read(self, into: memoryview, position: int) -> None:
        """Fill `into`. Raises OSError where the file has ended before."""
        while into:
            count = os.preadv(self._handle, [into], position)
            if not count:
                raise OSError("a file became shorter while it was being read")
            into, position = into[count:], position + count


def without_name(
    folder: Path, dtype: "np.dtype[Any]", row_shape: tuple[int, ...], parts: Parts
) -> StoredArray:
    """An array of all rows of some arrays [M, *row_shape], in a file of `folder` that is gone with it.

    Raises OutputError.
    """
    count = 0
    with files.naming_output(folder), tempfile.TemporaryFile(dir=folder) as file:
        for part in parts:
            file.write(np.ascontiguousarray(part, dtype).data)
            count += len(part)
        file.flush()
        return StoredArray(os.dup(file.fileno()), 0, dtype, (count, *row_shape))


ImageSet = NDArray[np.uint8] | StoredArray
"""uint8 [N, height, width, channels], raw pixels: in memory or in a file."""


@overload
def take(array: StoredArray, rows: Rows) -> StoredArray: ...
@overload
def take(array: NDArray[Any], rows: Rows) -> NDArray[Any]: ...
def take(array: NDArray[Any] | StoredArray, rows: Rows) -> NDArray[Any] | StoredArray:
    """Those rows: of an array in memory copied, of one in a file left there."""
    return array.take(rows) if isinstance(array, StoredArray) else array[rows]


def joined(arrays: Sequence[ImageSet]) -> ImageSet:
    """The rows of all arrays, one after the other; those in a file, which then all are in, stay there."""
    first, *others = arrays
    if isinstance(first, StoredArray):
        return first.and_of([other for other in others if isinstance(other, StoredArray)])
    return np.concatenate([np.asarray(array) for array in arrays])
