"""Which weights of a convolution are there to be multiplied, and which only fill its kernels up.

An int8 file of `edgefashion export` computes its first convolution at several places at once: wider kernels,
each with a shifted copy of its weights, and zeros around it. Those zeros do no work of the model's. They are
told from weights that happen to be zero by what no training makes: groups of kernels with the very same
weights, each group at positions of its own; or, behind a space-to-depth, positions that no kernel uses.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgefashion.artifacts.inspection.base import Shape

MOST_GROUPS = 64
MOST_BYTES = 1 << 18
_TYPES = {"int8": np.int8, "uint8": np.uint8, "float32": np.float32}


def multiplied(content: memoryview, dtype: str, shape: Shape, zero: int, cells: bool = False) -> int | None:
    """How many weights of kernels [outputs, ...] are multiplied; None where all are, as far as can be told.

    `content` are their values, `zero` is what stands for a 0; `cells` says that they read the pixels of
    cells as channels, which is what space-to-depth gives.
    """
    if dtype not in _TYPES or len(shape) != 4 or not 0 < len(content) <= MOST_BYTES:
        return None
    kernels: NDArray[Any] = np.frombuffer(content, _TYPES[dtype]).reshape(shape[0], -1)
    used = kernels != zero
    counts = [_of_groups(kernels, used, groups) for groups in range(2, min(MOST_GROUPS, shape[0]) + 1)]
    if cells:
        counts.append(int(used.any(axis=0).sum()) * shape[0])
    return min((count for count in counts if count), default=None)


def _of_groups(kernels: NDArray[Any], used: NDArray[np.bool_], groups: int) -> int | None:
    """The same, where that many groups of kernels are copies of each other at positions of their own."""
    outputs, positions = kernels.shape
    if outputs % groups or positions == 1:
        return None
    at = used.reshape(groups, -1, positions).any(axis=1)
    if at.all() or len(np.unique(at, axis=0)) < groups:
        return None
    sorted_weights = np.sort(kernels.reshape(groups, -1, positions), axis=2)
    if not (sorted_weights == sorted_weights[0]).all():
        return None
    return int(at.sum()) * int(outputs // groups)
