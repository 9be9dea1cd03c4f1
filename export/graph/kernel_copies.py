"""One kernel for several places: how both formats compute a block of neighboring outputs at once."""

from typing import Any

import numpy as np
import numpy.typing as npt

Pair = tuple[int, int]


def copy_kernels(kernel: npt.NDArray[Any], block: Pair, strides: Pair) -> npt.NDArray[Any]:
    """Kernels [channels, 1, height, width] → [rows * columns * channels, 1, larger height, larger width]: a
    copy for each place of the block, moved to where that place lies.
    """
    rows, columns = (
        [stride * place for place in range(count)] for count, stride in zip(block, strides, strict=True)
    )
    copies = [
        np.pad(kernel, ((0, 0), (0, 0), (row, rows[-1] - row), (column, columns[-1] - column)))
        for row in rows
        for column in columns
    ]
    return np.concatenate(copies)
