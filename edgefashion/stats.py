"""The statistics behind every claim: intervals of accuracies, and whether two differ by more than chance."""

from collections.abc import Sequence
from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """The logarithms of the probabilities that logits stand for, over the last axis."""
    below = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return np.asarray(below - np.log(np.exp(below).sum(axis=-1, keepdims=True)))


def wilson_interval(correct: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The Wilson score interval (low, high) of a proportion, both in 0..1.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927):
    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n). Unlike p ± z·σ it stays inside 0..1.
    Raises ValueError unless 0 <= correct <= n and n > 0.
    """
    if not 0 <= correct <= n or n == 0:
        raise ValueError(f"{correct} correct of {n} is not a proportion")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    p = correct / n
    middle = p + z * z / (2 * n)
    reach = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At the ends the formula gives exactly 0 or 1; rounding must not step over them.
    low = 0.0 if correct == 0 else (middle - reach) / scale
    high = 1.0 if correct == n else (middle + reach) / scale
    return low, high


def mcnemar_exact(b: int, c: int) -> float:
    """The two-sided exact p value of McNemar's test on paired answers.

    `b` counts the images that only the first model got right, `c` those that only the second did.
    Q. McNemar, "Note on the sampling error of the difference between correlated proportions",
    Psychometrika 12 (1947), with the exact binomial in place of the normal approximation:
    p = min(1, 2 P(X <= min(b, c))) where X follows Binomial(b + c, 1/2).
    Computed in whole numbers, so no count is too big. Raises ValueError for a negative count.
    """
    if b < 0 or c < 0:
        raise ValueError("counts cannot be negative")
    n = b + c
    term = total = 1
    for k in range(min(b, c)):
        term = term * (n - k) // (k + 1)  # n over k + 1
        total += term
    return min(1.0, 2 * total / (1 << n))


def paired(right: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """The exact p value of McNemar's test on which of the same images two models are right, [N] each."""
    return mcnemar_exact(int((right & ~other).sum()), int((other & ~right).sum()))


def percentile(samples: Sequence[float], q: float) -> float:
    """The `q`-th percentile (0..100) of the samples, interpolated linearly between neighbors."""
    return float(np.percentile(samples, q))


def early_stopping_bound(samples: Sequence[float], q: float, confidence: float) -> float | None:
    """What the `q`-th percentile (0..100) lies at or below with this confidence; None of too few samples.

    The estimate that MLPerf inference reports of a single stream ("early stopping", without a tolerance):
    the smallest sample that more than a share `confidence` of all draws of so many would have above their
    true percentile. It is the k-th of n in order, for the least k with P(X < k) >= confidence, X being
    Binomial(n, q/100): no distribution of the samples is assumed.
    """
    n, p = len(samples), q / 100
    below = 0.0
    # Each term from its logarithm: the terms themselves underflow.
    for k in range(n + 1):
        if below >= confidence:
            return float(np.partition(samples, k - 1)[k - 1])
        below += exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p))
    return None
