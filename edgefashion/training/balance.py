"""Classes of which there are fewer pictures than of others."""

import numpy as np
import numpy.typing as npt

from edgefashion.records.results import IMBALANCED

Counts = npt.NDArray[np.int64]


def is_uneven(counts: Counts) -> bool:
    """Whether the numbers of pictures a class, [classes], are so far apart that accuracy says little of the
    small classes: then the best epoch is chosen by balanced accuracy.
    """
    return bool(counts.max() > IMBALANCED * max(counts.min(), 1))


def class_weights(counts: Counts) -> npt.NDArray[np.float32]:
    """What a picture of each class counts in the loss, of n of N pictures in K classes: N / (K n), which is 1
    on average over all pictures (King and Zeng 2001, section 4.2).
    """
    weights = counts.sum() / len(counts) / np.maximum(counts, 1)
    return np.asarray(weights, np.float32)
