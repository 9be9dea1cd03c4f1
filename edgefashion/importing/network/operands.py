"""What an operator of a file reads: tensors, constants, or nothing where an input is left out."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from edgefashion.importing.network.layout import Data
from edgefashion.importing.network.plan import Array, Unsupported

Read = Sequence[Data | Array | None]


MOST_COMPUTED = 1 << 24
"""Numbers of a constant that is computed of others."""


def check_size(read: Sequence[Array], joined: bool) -> None:
    """Raise ValueError where constants become too large, side by side if `joined`, else each with each."""
    sizes = [max(1, each.size) for each in read]
    most = sum(sizes) if joined else min(math.prod(sizes), _broadcast(read))
    if most > max(MOST_COMPUTED, *sizes):
        raise ValueError("it computes a constant that is too large")


def _broadcast(read: Sequence[Array]) -> int:
    try:
        return math.prod(np.broadcast_shapes(*(each.shape for each in read)))
    except ValueError:
        return math.prod(max(1, each.size) for each in read)


def data_of(read: Read, place: int = 0) -> Data:
    """An input that is no constant. Raises Unsupported."""
    found = read[place] if place < len(read) else None
    if not isinstance(found, Data):
        raise Unsupported("of a constant")
    return found


def same(_: Any, __: Any, read: Read) -> Data:
    """The layer of an operator that changes nothing. Raises Unsupported."""
    return data_of(read)


def constant_of(read: Read, place: int) -> Array | None:
    """An input that is a constant; None where it is left out. Raises Unsupported."""
    found = read[place] if place < len(read) else None
    if isinstance(found, Data):
        raise Unsupported("with weights that are computed")
    return found


def needed(read: Read, place: int) -> Array:
    """A constant that may not be left out. Raises Unsupported, ValueError."""
    found = constant_of(read, place)
    if found is None:
        raise ValueError("an operator lacks an input")
    return found


def number_of(read: Read, place: int, default: float) -> float:
    """A constant that is one number."""
    found = constant_of(read, place)
    return default if found is None or not found.size else float(found.reshape(-1)[0])
