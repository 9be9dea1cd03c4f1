"""An array in a file is read as an array in memory is indexed."""

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgefashion.errors import OutputError
from edgefashion.files.stored import StoredArray, take, without_name

HEADER = b"abc"
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 3, 4, 1), dtype=np.uint8)


@pytest.fixture
def file() -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        file.write(HEADER + IMAGES.tobytes())
        file.flush()
        yield file


@pytest.fixture
def stored(file: IO[bytes]) -> StoredArray:
    return StoredArray(os.dup(file.fileno()), len(HEADER), IMAGES.dtype, IMAGES.shape)


@pytest.mark.parametrize(
    "key",
    [
        *(3, -1, np.int64(4)),
        *(slice(None), slice(2, 9, 2), slice(5, 2), slice(None, None, -1), slice(18, 99)),
        *(
            np.array([3, 4, 5, 1, 0, 0]),
            np.array([], int),
            IMAGES[:, 0, 0, 0] > 100,
            np.array([[1, 2], [3, -2]]),
        ),
    ],
    ids=str,
)
def test_it_is_indexed_as_an_array_in_memory(stored: StoredArray, key: Any) -> None:
    found, expected = stored[key], IMAGES[key]
    assert found.dtype == expected.dtype and found.shape == expected.shape
    assert np.array_equal(found, expected)


def test_it_looks_like_an_array_and_becomes_one(stored: StoredArray) -> None:
    assert (len(stored), stored.shape, stored.ndim, stored.dtype) == (20, IMAGES.shape, 4, np.uint8)
    assert np.array_equal(np.asarray(stored), IMAGES)
    assert np.asarray(stored, np.float32).dtype == np.float32


@pytest.mark.parametrize("key", [20, -21, np.array([3, 20])], ids=str)
def test_a_row_that_is_not_there_is_an_index_error(stored: StoredArray, key: Any) -> None:
    with pytest.raises(IndexError):
        stored[key]


def test_rows_are_taken_without_reading(stored: StoredArray, file: IO[bytes]) -> None:
    rows = np.array([5, 6, 1])
    taken = take(stored, rows)
    assert isinstance(taken, StoredArray)
    assert taken.shape == (3, 3, 4, 1)
    file.seek(len(HEADER))
    file.write(bytes(IMAGES.nbytes))
    file.flush()
    assert not taken[:].any()


def test_what_is_taken_of_taken_rows_is_counted_among_those(stored: StoredArray) -> None:
    twice = take(take(stored, np.array([5, 6, 1])), np.array([2, 0]))
    assert np.array_equal(np.asarray(twice), IMAGES[[1, 5]])


def test_rows_taken_of_an_array_in_memory_are_one(stored: StoredArray) -> None:
    taken: NDArray[Any] = take(IMAGES, slice(2, 4))
    assert np.array_equal(taken, IMAGES[2:4])


def test_the_file_is_closed_with_the_last_array_that_reads_from_it(file: IO[bytes]) -> None:
    handle = os.dup(file.fileno())
    stored = StoredArray(handle, 0, IMAGES.dtype, IMAGES.shape)
    taken = stored.take(slice(0, 1))
    del stored
    os.fstat(handle)
    del taken
    with pytest.raises(OSError):
        os.fstat(handle)


def test_a_file_that_became_shorter_is_an_error_and_not_zeros(stored: StoredArray, file: IO[bytes]) -> None:
    file.truncate(30)
    with pytest.raises(OSError, match="shorter"):
        stored[:]


def test_rows_are_kept_to_the_bit_in_a_file_without_a_name(tmp_path: Path) -> None:
    values = np.random.default_rng(1).random((5, 2)).astype(np.float16)
    stored = without_name(tmp_path, values.dtype, (2,), (values[:2], values[2:2], values[2:]))
    assert stored.shape == (5, 2) and stored.dtype == np.float16
    assert np.array_equal(stored, values)
    assert not any(tmp_path.iterdir())


def test_a_disk_that_becomes_full_is_an_error_of_one_line(tmp_path: Path) -> None:
    def full() -> Iterator[NDArray[Any]]:
        yield IMAGES
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OutputError, match="No space left"):
        without_name(tmp_path, IMAGES.dtype, IMAGES.shape[1:], full())
