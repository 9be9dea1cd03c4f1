"""Latency over minutes: the effect of heat and of the power supply."""

import time
from collections.abc import Callable

from edgefashion.benchmarking.watch import Watch
from edgefashion.records.results import Point
from edgefashion.runtimes.model import Model
from edgefashion.stats import percentile

POINTS = 60
LONGEST_WINDOW_S = 5.0


def run(
    model: Model,
    minutes: float,
    watch: Watch,
    points: list[Point],
    report: Callable[[str], None],
) -> None:
    """Run a model for so many minutes, with no pause but a look at the machine every few seconds.

    Each window adds to `points`, as in `records.results`: `at_s` of its end, `p50_us`, `temperature_c`,
    `mhz`. `report` is told before each how far it is.
    """
    seconds = minutes * 60
    window = min(LONGEST_WINDOW_S, seconds / POINTS)
    start = time.monotonic()
    while (now := time.monotonic() - start) < seconds:
        report(f"{model.path.name}: {now:.0f} of {seconds:.0f} s without a pause")
        left = min(window, seconds - now)
        samples = model.measure(1, left, left)
        state = watch.look()
        points.append(
            Point(
                at_s=round(time.monotonic() - start, 2),
                p50_us=round(percentile(samples, 50), 3),
                temperature_c=state.temperature_c,
                mhz=state.mhz,
            )
        )
