"""Whether a row can be trusted, from the machine's state during its measurement and from the samples."""

import numpy as np

from edgefashion.benchmarking.measurement import Measurement
from edgefashion.benchmarking.watch import Watch
from edgefashion.device.trust import judge
from edgefashion.errors.wording import setting
from edgefashion.records.device import Device
from edgefashion.records.results import Flag
from edgefashion.stats import percentile

SPREAD = 0.10
"""Part of their median by which the medians of rounds may differ, from their 10th to their 90th percentile.
pyperf warns where the standard deviation of values is a tenth of their mean; this one no outlier moves."""
SPREAD_ROUNDS = 10
"""Rounds from which on there are such percentiles."""
DRIFT = 0.05
"""Part by which the two halves of a run may differ, in the median of their rounds' medians."""
FEW_SAMPLES = 50
"""What TensorFlow Lite's benchmark_model takes at least (num_runs)."""


def flags(row: Measurement, watch: Watch, machine: Device) -> list[Flag]:
    """Why the figures of a row cannot be trusted; none for one that can be, or that has no figures.

    `machine` is `device.describe()`.
    """
    if row.interrupted:
        return [Flag(flag="interrupted", why=f"stopped after {row.timed_seconds:.1f} s of its own")]
    if row.error or not row.raw_us:
        return []
    found = judge([watch.before, *row.states, watch.after], machine)
    return [*found, *filter(None, (_few(row), _spread(row), _drift(row)))]


def _few(row: Measurement) -> Flag | None:
    if row.timed_samples >= FEW_SAMPLES:
        return None
    more = setting("--seconds") if row.cut_at is None else setting("--at-most")
    few = f"{row.timed_samples}, at least {FEW_SAMPLES} needed: {more} gives more"
    return Flag(flag="too few samples", why=few)


def _spread(row: Measurement) -> Flag | None:
    medians = row.round_p50_us
    if len(medians) < SPREAD_ROUNDS:
        return None
    low, middle, high = (percentile(medians, q) for q in (10, 50, 90))
    if high - low <= SPREAD * middle:
        return None
    apart = f"p50 differs by {(high - low) / middle:.0%} between rounds".replace("%", " %")
    return Flag(flag="spread", why=f"{apart}: measure on an idle machine")


def _drift(row: Measurement) -> Flag | None:
    medians = row.round_p50_us
    half = len(medians) // 2
    if half < SPREAD_ROUNDS // 2:
        return None
    first, second = float(np.median(medians[:half])), float(np.median(medians[-half:]))
    if abs(second - first) <= DRIFT * min(first, second):
        return None
    return Flag(
        flag="drift", why=f"p50 {first:.1f} µs in the first half of the run and {second:.1f} in the second"
    )
