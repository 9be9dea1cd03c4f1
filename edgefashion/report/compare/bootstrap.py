"""Whether two latencies differ by more than the spread of their rounds.

The samples of a round are not independent: they share the clock, the heat and the other processes of a
fraction of a second. Rounds, seconds apart, come close to it. So a measurement counts as its rounds, each by
its median, and the interval of a ratio is a percentile bootstrap over rounds: both measurements' rounds are
drawn anew with replacement, RESAMPLES times, and each time the median of one is divided by that of the other.

B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13, for the interval; T. Kalibera
and R. Jones, "Rigorous Benchmarking in Reasonable Time", ISMM 2013, for resampling the highest level of
repetition only, and for intervals of ratios.

With independent rounds, from 10 to 60 of them, 95 to 97 % of such intervals of two runs of equal latency
had 1 in them; where each round resembles the one before (correlation 0.3), 92 %.

The highest level here is the round, not the run: what differs from one run to the next (where things lie in
memory, the temperature of the day) is in the interval only as far as it changes within a run.

Old files do not tell rounds. Their samples stand in order of time, and BLOCKS equal parts of them take the
place of rounds, each longer than a round of that time: blocks of consecutive samples keep what depends on
each other together (H. R. Künsch, Annals of Statistics 17 (1989)).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgefashion.records.results import Row

Medians = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 4000
FEWEST = 10
"""Rounds below which the interval is too narrow: the few there are do not show the spread."""
MOST = 50
"""Rounds above which neighbors are taken together."""
BLOCKS = 12
BLOCK_SAMPLES = 10
"""The fewest samples of a block in place of a round."""


@dataclass(frozen=True)
class Ratio:
    """A latency divided by another, and the interval that it lies in; None if that is unknown."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def within_spread(self) -> bool | None:
        """Whether there may be no difference; None if that is unknown."""
        return None if self.low is None or self.high is None else self.low <= 1 <= self.high


def ratio(row: Row, other: Row, seed: int = 0) -> Ratio:
    """The p50 of a row divided by that of another one, with its 95 % interval.

    `row` and `other` are rows of results files, see `records.results`, with a p50. The interval is the
    bootstrap's (see above), around the ratio of the p50 of all samples. Raises ValueError without a p50.
    """
    own, base = row.latency_us.p50, other.latency_us.p50
    if own is None or base is None:
        raise ValueError("rows without a p50 have no ratio")
    value = own / base
    upper, lower = round_medians(row), round_medians(other)
    if upper is None or lower is None:
        return Ratio(value)
    random = np.random.default_rng(seed)
    relative = _resampled(upper, random) / _resampled(lower, random)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(relative, [tail, 100 - tail])
    return Ratio(value, value * float(low), value * float(high))


def round_medians(row: Row) -> Medians | None:
    """The medians of a row's rounds [R] in microseconds, or of blocks in their place; None of too few."""
    raw, counts = np.asarray(row.raw_us, dtype=float), row.round_samples
    if not counts:
        if len(raw) < BLOCKS * BLOCK_SAMPLES:
            return None
        return np.array([np.median(block) for block in np.array_split(raw, BLOCKS)])
    if sum(counts) != len(raw) or len(counts) < FEWEST:
        return None
    ends = np.cumsum(counts)
    if len(ends) > MOST:
        ends = ends[np.linspace(0, len(ends) - 1, MOST + 1).round().astype(int)[1:]]
    return np.array([np.median(part) for part in np.split(raw, ends[:-1])])


def _resampled(medians: Medians, random: np.random.Generator) -> Medians:
    """Medians [RESAMPLES] of rounds drawn with replacement, divided by the median of the rounds."""
    drawn = random.integers(0, len(medians), (RESAMPLES, len(medians)))
    resampled: Medians = np.median(medians[drawn], axis=1) / np.median(medians)
    return resampled
