"""The statistics behind every claim: intervals of accuracies, and whether two differ by more than chance."""

from collections.abc import Sequence
from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

DRAWS = 9999
"""Of a test by random exchanges."""


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """The logarithms of the probabilities that logits stand for, over the last axis."""
    below = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return np.asarray(below - np.log(np.exp(below).sum(axis=-1, keepdims=True)))


def wilson_interval(correct: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
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


def paired_interval(b: int, c: int, n: int) -> tuple[float, float]:
    """The 95 % interval (low, high) of (b - c) / n, by what a model is right more often than another: of the
    same n images, only the first got `b` right, only the second `c`.

    A. Agresti and Y. Min, "Simple improved confidence intervals for comparing matched proportions",
    Statistics in Medicine 24 (2005): Wald's, with half an image more in each of the four cells.
    """
    first, second, count = b + 0.5, c + 0.5, n + 2
    middle = (first - second) / count
    reach = 1.96 * sqrt(first + second - (first - second) ** 2 / count) / count
    return middle - reach, middle + reach


def mean_interval(counts: Sequence[tuple[int, int]], confidence: float = 0.95) -> tuple[float, float]:
    """The interval (low, high) of the mean of independent proportions, of (correct, n) each, in 0..1.

    From their Wilson intervals (l, u) around p: mean - √Σ(p - l)²/k and mean + √Σ(u - p)²/k, of k of them.
    G. Y. Zou, W. Huang and X. Zhang, "A note on confidence interval estimation for a linear function of
    binomial proportions", Computational Statistics & Data Analysis 53 (2009). Raises ValueError as
    `wilson_interval` does, and for none.
    """
    if not counts:
        raise ValueError("of no proportion there is no mean")
    shares = [correct / n for correct, n in counts]
    ends = [wilson_interval(correct, n, confidence) for correct, n in counts]
    mean, below = (
        sum(shares) / len(counts),
        sum((p - low) ** 2 for p, (low, _) in zip(shares, ends, strict=True)),
    )
    above = sum((high - p) ** 2 for p, (_, high) in zip(shares, ends, strict=True))
    return max(0.0, mean - sqrt(below) / len(counts)), min(1.0, mean + sqrt(above) / len(counts))


def balanced_accuracy(right: NDArray[Any], labels: NDArray[Any]) -> float:
    """The mean of the recalls of those classes that are in `labels`, [N]; `right` says of which images, [N],
    the predicted class is the label. K. H. Brodersen et al., "The balanced accuracy and its posterior
    distribution", ICPR 2010.
    """
    sizes = np.bincount(labels)
    hits = np.bincount(labels, right.astype(float), len(sizes))
    return float((hits[sizes > 0] / sizes[sizes > 0]).mean())


def paired_balanced(right: NDArray[np.bool_], other: NDArray[np.bool_], labels: NDArray[Any]) -> float:
    """The p value of McNemar's test where every class counts for one: of the difference of two balanced
    accuracies on the same images; [N] each, `labels` are positions of classes.

    An image that only one model gets right might as well be the other's: the share of random exchanges whose
    difference is no smaller than what was found, by the sum of its exchanges in each class, which are
    binomial. Of classes of one size it is McNemar's. Drawn as often as DRAWS says, what was found among them:
    B. Phipson and G. K. Smyth, "Permutation p-values should never be zero", SAGMB 9 (2010).
    """
    sizes = np.bincount(labels)
    if len(np.unique(sizes[sizes > 0])) < 2:
        return paired(right, other)
    apart = np.bincount(labels[right != other], minlength=len(sizes))
    won = np.bincount(labels, right.astype(float) - other, len(sizes))
    random, drawn = np.random.default_rng(0), np.zeros(DRAWS)
    for size, count in zip(sizes[apart > 0], apart[apart > 0], strict=True):
        drawn += (2 * random.binomial(count, 0.5, DRAWS) - count) / size
    found = abs((won[sizes > 0] / sizes[sizes > 0]).sum())
    return float((1 + (np.abs(drawn) >= found - 1e-9).sum()) / (1 + DRAWS))


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
    n, below = len(samples), 0.0
    for k in range(n + 1):
        if below >= confidence:
            return float(np.partition(samples, k - 1)[k - 1])
        below += _binomial(k, n, q / 100)
    return None


def as_rarely_exceeded(count: int, n: int, other_n: int, confidence: float = 0.99) -> int:
    """How many of `other_n` are exceeded as rarely by chance as `count` of `n`.

    The rate at which `count` of `n` is exceeded with the probability 1 - confidence is the lower bound of
    C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26 (1934). Of the same rate, the result is the least k with P(X <= k) >= confidence,
    X being Binomial(other_n, rate).
    """
    low, high = 0.0, 1.0
    for _ in range(50):
        rate = (low + high) / 2
        low, high = (rate, high) if _at_most(count, n, rate) > confidence else (low, rate)
    return next(k for k in range(other_n + 1) if k == other_n or _at_most(k, other_n, low) >= confidence)


def binomial_tail(k: int, n: int, p: float) -> float:
    """P(X >= k), X being Binomial(n, p)."""
    if not 0 < p < 1:
        return float(k <= n * p)
    return min(1.0, sum(_binomial(each, n, p) for each in range(k, n + 1)))


def _at_most(k: int, n: int, p: float) -> float:
    """P(X <= k), X being Binomial(n, p) and p between 0 and 1."""
    return sum(_binomial(each, n, p) for each in range(k + 1))


def _binomial(k: int, n: int, p: float) -> float:
    """P(X = k), from its logarithm, since its factors underflow."""
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p))
