"""Pictures that no class fits: classification with a reject option, from the logits alone.

The score of a picture is its energy, log Σ exp(logits) (W. Liu et al., "Energy-based out-of-distribution
detection", NeurIPS 2020), less the median energy of the validation pictures that are given the same class:
some classes are seen more clearly than others. A picture is rejected whose score is below all but one in
twenty of the validation pictures, so chosen that of as many new ones of these classes no more are expected
to be rejected (V. Vovk et al., "Algorithmic learning in a random world", 2005: conformal prediction).
"""

import numpy as np
from numpy.typing import NDArray

from edgefashion.records.manifest import Rejection
from edgefashion.runtimes.base import Logits

SHARE = 0.05


def measure(logits: Logits, split: str) -> Rejection | None:
    """What a file rejects, by its logits float32 [N, classes] of the pictures of a `split` that it did not
    learn from; None where these are too few to say.
    """
    below = int(SHARE * (len(logits) + 1))
    if not below:
        return None
    energy, classes = _energy(logits), logits.argmax(axis=1)
    medians = np.full(logits.shape[1], np.median(energy))
    for label in np.unique(classes):
        medians[label] = np.median(energy[classes == label])
    threshold = np.sort(energy - medians[classes])[below - 1]
    return Rejection(
        threshold=round(float(threshold), 4),
        medians=tuple(round(float(each), 4) for each in medians),
        share=SHARE,
        images=len(logits),
        split=split,
    )


def scores(logits: Logits, rejection: Rejection) -> NDArray[np.float64]:
    """The score of each picture, [N], from logits float32 [N, classes]: the lower, the less a class fits."""
    return np.asarray(_energy(logits) - np.asarray(rejection.medians)[logits.argmax(axis=1)])


def is_rejected(logits: Logits, rejection: Rejection) -> NDArray[np.bool_]:
    """Of which pictures, [N], the score is below the threshold."""
    return np.asarray(scores(logits, rejection) < rejection.threshold)


def _energy(logits: Logits) -> NDArray[np.float64]:
    return np.asarray(np.logaddexp.reduce(logits.astype(np.float64), axis=1))
