"""How much of a row is still to be measured, and whether its time allows that.

A row's time is all that its file takes, from its loading on: untimed inferences too, and the run of its own
that memory is measured in. It is over before an inference that would not fit into it any more.
"""

import math

from edgefashion.benchmarking.measurement import Measurement
from edgefashion.benchmarking.options import BenchmarkOptions

_LEAST_S = 1e-9
"""For what a coarse clock saw no time pass in."""
_EXTRA = 1.3
"""What a row takes beside its timed inferences, of which nothing is known yet."""


def is_enough(row: Measurement, protocol: BenchmarkOptions) -> bool:
    """Whether it has all rounds, seconds and samples that it should have."""
    rounds, timed = len(row.round_samples) >= protocol.rounds, row.timed_seconds >= protocol.seconds
    return rounds and (row.job.latency_only or (timed and row.timed_samples >= protocol.samples))


def has_time(row: Measurement, protocol: BenchmarkOptions, seconds: float) -> bool:
    """Whether something that takes so long can still be done, and memory be measured after it: that counts
    less than the first samples.
    """
    after = _memory_seconds(row, protocol) if row.raw_us else 0.0
    return row.spent_seconds + seconds + after <= protocol.at_most


def longest_seconds(row: Measurement) -> float:
    """What the next block is going to take at most: as much as the longest before, or one inference."""
    return row.longest_block_seconds or row.inference_us * row.loops / 1e6


def usual_seconds(row: Measurement) -> float:
    """What the next block is going to take about: as much as those before, or one inference."""
    done = len(row.round_samples)
    return max(_LEAST_S, row.block_seconds / done if done else row.inference_us * row.loops / 1e6)


def blocks_left(row: Measurement, protocol: BenchmarkOptions) -> int:
    """Blocks that it lacks and has time for, by what it has of each so far."""
    done = len(row.round_samples)
    if row.error or is_enough(row, protocol) or row.cut_at is not None:
        return 0
    if not done:
        return protocol.rounds if row.job.latency_only else protocol.expected_rounds
    lacking = [protocol.rounds - done]
    if not row.job.latency_only:
        timed = max(_LEAST_S, row.timed_seconds)
        lacking.append(math.ceil((protocol.seconds - row.timed_seconds) * done / timed))
        lacking.append(math.ceil((protocol.samples - row.timed_samples) * done / row.timed_samples))
    time_left = protocol.at_most - row.spent_seconds - _memory_seconds(row, protocol)
    return max(1, min(max(lacking), math.ceil(time_left / usual_seconds(row))))


def seconds_left(row: Measurement, protocol: BenchmarkOptions) -> float:
    """What it is still going to take, no more than its time."""
    if row.error:
        return 0.0
    if row.runtime is None:
        return min(protocol.at_most, _EXTRA * protocol.seconds + protocol.warm_up_seconds)
    wanted = blocks_left(row, protocol) * usual_seconds(row) + _memory_seconds(row, protocol)
    return max(0.0, min(wanted, protocol.at_most - row.spent_seconds))


def _memory_seconds(row: Measurement, protocol: BenchmarkOptions) -> float:
    """What it takes to load the file once more and run it once or twice; 0 where that is not done."""
    if row.job.latency_only or protocol.in_process or row.peak_rss_mb is not None:
        return 0.0
    return row.ready_seconds + row.inference_us / 1e6
