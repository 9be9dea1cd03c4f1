"""Which weights of a convolution do work, and which only pad its kernels.

An int8 file of `edgefashion export` computes its first convolution at several places at once: wider kernels,
each with a shifted copy of its weights, and zeros around it. Those zeros do no work of the model's. They are
told from weights that happen to be zero by what no training makes: groups of kernels with the very same
weights, each group at positions of its own; or, behind a space-to-depth, positions that no kernel uses.
"""

import math

import numpy as np
from numpy.typing import NDArray

from edgefashion.artifacts.inspection.base import Shape

MOST_GROUPS = 64
MOST_BYTES = 1 << 16
"""Of such kernels: those of the largest model of ours have 4 kB."""
MOST_BYTES_IN_ALL = 1 << 18
_BYTES_EACH = 1 << 12
"""Are charged for kernels beside their own: looking at small ones takes time too."""


class Counter:
    """Looks at the kernels of one file, its first convolutions': what comes when the budget is spent counts
    whole. Kernels may overlap in a file, so that its size bounds nothing.
    """

    def __init__(self) -> None:
        self._left = MOST_BYTES_IN_ALL

    def multiplied(
        self, content: memoryview, dtype: str, shape: Shape, zero: int, cells: bool = False
    ) -> int | None:
        """How many weights of kernels int8 [outputs, ...] are multiplied; None where all are, or nothing
        tells.

        `content` are their values, `zero` is what stands for a 0; `cells` says that they read the pixels of
        cells as channels, which is what space-to-depth gives.
        """
        whole = len(content) == math.prod(shape)
        if dtype != "int8" or len(shape) != 4 or not whole or not 0 < len(content) <= MOST_BYTES:
            return None
        self._left -= len(content) + _BYTES_EACH
        return None if self._left < 0 else _multiplied(content, shape, zero, cells)


def _multiplied(content: memoryview, shape: Shape, zero: int, cells: bool) -> int | None:
    kernels = np.frombuffer(content, np.int8).reshape(shape[0], -1)
    used = kernels != zero
    counts = [_of_groups(kernels, used, groups) for groups in range(2, min(MOST_GROUPS, shape[0]) + 1)]
    if cells:
        counts.append(int(used.any(axis=0).sum()) * shape[0])
    return min((count for count in counts if count), default=None)


def _of_groups(kernels: NDArray[np.int8], used: NDArray[np.bool_], groups: int) -> int | None:
    """The same, where that many groups of kernels are copies of each other at positions of their own."""
    outputs, positions = kernels.shape
    if outputs % groups or positions == 1:
        return None
    at = np.asarray(used.reshape(groups, -1, positions).any(axis=1))
    if at.all() or len({each.tobytes() for each in at}) < groups:
        return None
    sorted_weights = np.sort(kernels.reshape(groups, -1, positions), axis=2, kind="stable")
    if not (sorted_weights == sorted_weights[0]).all():
        return None
    return int(at.sum()) * int(outputs // groups)
