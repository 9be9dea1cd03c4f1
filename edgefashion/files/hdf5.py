"""Arrays in HDF5 files of strangers: numbers that lie in that very file, and no more than there may be."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgefashion.escaping import visible
from edgefashion.files.arrays import check_finite

if TYPE_CHECKING:
    import h5py

MAGIC = b"\x89HDF\r\n\x1a\n"
_FILTERS = (1, 2, 3, 32000)
"""HDF5's numbers of gzip, shuffle, checksum and LZF, which h5py brings: no plugin is looked for."""


def find(group: "h5py.Group", name: str) -> "h5py.Group | h5py.Dataset":
    """What is called so. Raises ValueError where it is not there, or a link leads to it."""
    import h5py

    found = group
    for part in name.split("/"):
        # Soft and external links lead elsewhere, into other files.
        if not isinstance(found, h5py.Group) or found.get(part, None, True, True) is not h5py.HardLink:
            raise ValueError(f"it lacks {visible(name)}")
        found = found[part]
    return found


def texts(group: "h5py.Group", name: str) -> list[str]:
    """A list of names among its attributes, which Keras writes in pieces where it is long: name0, name1, …"""
    whole = [name] if name in group.attrs else []
    pieces = whole or [each for each in (f"{name}{number}" for number in range(1000)) if each in group.attrs]
    return [as_text(each) for piece in pieces for each in np.asarray(group.attrs[piece]).ravel()]


def as_text(value: Any) -> str:
    """An attribute as text."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def read_numbers(group: "h5py.Group", name: str, at_most: int) -> NDArray[np.float32]:
    """An array of floats, or of whole numbers as long, of no more than `at_most` bytes. Raises ValueError for
    anything else.
    """
    import h5py

    found = find(group, name)
    if not isinstance(found, h5py.Dataset) or not (
        found.dtype.kind == "f" or (found.dtype.kind == "i" and found.dtype.itemsize >= 4)
    ):
        kind = f"of the type {found.dtype}" if isinstance(found, h5py.Dataset) else "a group"
        raise ValueError(f"{visible(name)} is {visible(kind)} instead of numbers")
    storage = found.id.get_create_plist()
    filters = [storage.get_filter(number)[0] for number in range(storage.get_nfilters())]
    if (
        storage.get_layout() == h5py.h5d.VIRTUAL
        or storage.get_external_count()
        or not set(filters) <= set(_FILTERS)
    ):
        raise ValueError(f"{visible(name)} does not lie in the file as Keras has it")
    largest = max(math.prod(found.shape), math.prod(found.chunks or ()))
    if largest * max(found.dtype.itemsize, 4) > at_most:
        raise ValueError(f"{visible(name)} has more numbers than its file can hold")
    array = np.asarray(found[()])
    check_finite(visible(name), array)
    return array.astype(np.float32)
