"""Bilinear interpolation with half-pixel centers, as TensorFlow resizes images, in exact integers."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt


def interpolation(size: int, resized: int) -> tuple[npt.NDArray[np.int64], int]:
    """From `size` pixels to `resized` as a product with integers [resized, size], and what they are
    multiples of: each row, divided by it, sums to 1.
    """
    ratio = Fraction(size, resized)
    sources = [(index + Fraction(1, 2)) * ratio - Fraction(1, 2) for index in range(resized)]
    whole = max(source.denominator for source in sources)
    weights = np.zeros((resized, size), np.int64)
    for row, source in zip(weights, sources, strict=True):
        left = source.numerator // source.denominator
        share = int((source - left) * whole)
        row[min(max(left, 0), size - 1)] += whole - share
        row[min(max(left + 1, 0), size - 1)] += share
    return weights, whole
