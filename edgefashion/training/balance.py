"""Classes of which there are fewer pictures than of others."""

from typing import Any

import numpy as np
import numpy.typing as npt

UNEVEN = 3
"""Where the largest class has more than so many times the pictures of the smallest, accuracy says little of
the small ones: the best epoch is chosen by balanced accuracy.
"""
Counts = npt.NDArray[np.int64]


def is_uneven(counts: Counts) -> bool:
    """Whether the numbers of pictures a class, [classes], are far apart."""
    return bool(counts.max() > UNEVEN * max(counts.min(), 1))


def class_weights(counts: Counts) -> npt.NDArray[np.float32]:
    """What a picture of each class counts in the loss, of n of N pictures in K classes: N / (K n), which is 1
    on average over all pictures (King and Zeng 2001, section 4.2).
    """
    weights = counts.sum() / len(counts) / np.maximum(counts, 1)
    return np.asarray(weights, np.float32)


def balanced_accuracy(labels: npt.NDArray[Any], hits: npt.NDArray[Any]) -> float:
    """The mean over the classes that there are of the share of their pictures, [N], that were hits."""
    return float(np.mean([hits[labels == label].mean() for label in np.unique(labels)]))
