"""The latency and memory protocol.

- One child process per (model file, threads), so that no runtime's threads or caches meet another's.
  All children are alive from the start; an idle one sleeps in a blocking read.
- Each is warmed up; its very first inference and the loading of the file are reported apart.
- Then rounds: in each, every child in turn runs one block of single inferences, in an order shuffled
  anew each round, so that a machine that slows down slows all of them alike.
- A block starts with a few untimed inferences, because others have used the caches meanwhile.
- An inference is: input copied in, run, output read. Images are used in turn.
- Every sample is kept and none is clipped. p99 is given from 1,000 samples on.
- Where a file's rounds differ by more than a quarter (10th to 90th percentile of their medians), it says so.
- A crash ends its row and no other.

A child answers only when its runtime's threads have gone to sleep. ONNX Runtime's threads spin after a
run: with 2 threads they burned 32 ms of processor time in the 100 ms after a block, which the next child
would have paid for. Forbidding the spinning (0.05 ms) also ends that, but it raised the median latency of
a small CNN from 29 to 41 µs, and a user's program would not have forbidden it; so we wait. LiteRT's
threads sleep at once (0.08 ms).
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgefashion.errors import EdgefashionError
from edgefashion.runtimes.base import IMAGE_SHAPE, Images
from edgefashion.runtimes.process import ModelProcess
from edgefashion.statistics import percentile

Progress = Callable[[str, int, int], None]
"""Called with what is being done, and how many steps of how many are done."""

P99_SAMPLES = 1000
_ROTATION = 256
_STEADY = 1.25
_STEADY_ROUNDS = 10


@dataclass(frozen=True)
class Protocol:
    """How long and how often. A block has `runs` inferences and `seconds`, but ends after `at_most`."""

    rounds: int = 25
    runs: int = 40
    seconds: float = 0.02
    at_most: float = 1.0
    warm_up_seconds: float = 0.3
    timeout: float = 120
    seed: int = 0


@dataclass
class Measurement:
    """What was measured of one model file with one number of threads. Times as named; memory in MiB."""

    path: Path
    threads: int
    runtime: str | None = None
    version: str | None = None
    load_ms: float | None = None
    first_inference_us: float | None = None
    raw_us: list[float] = field(default_factory=list)
    block_p50_us: list[float] = field(default_factory=list)
    peak_rss_mb: float | None = None
    error: EdgefashionError | None = None

    @property
    def note(self) -> str | None:
        """A warning where the rounds disagree, so that the figures are the machine's mood; else None."""
        if len(self.block_p50_us) < _STEADY_ROUNDS:
            return None
        low, high = (percentile(self.block_p50_us, q) for q in (10, 90))
        if high <= _STEADY * low:
            return None
        return f"unsteady: p50 from {low:.1f} to {high:.1f} µs between rounds; measure on an idle machine"


def measure(
    jobs: Sequence[tuple[Path, int]],
    images: Images,
    protocol: Protocol | None = None,
    progress: Progress | None = None,
) -> list[Measurement]:
    """Measure every (file, threads) of `jobs` on images uint8 [N, 28, 28, 1], in the order of `jobs`.

    A file that cannot be measured has its `error` set and no samples; the others go on.
    """
    protocol = protocol or Protocol()
    rows = [Measurement(path, threads) for path, threads in jobs]
    steps = len(rows) * (1 + protocol.rounds)
    with ExitStack() as stack:
        alive: dict[int, ModelProcess] = {}
        for index, row in enumerate(rows):
            _report(progress, f"warming up {row.path.name}", index, steps)
            with _failing(row):
                alive[index] = _start(stack, row, images[:_ROTATION], protocol)
        _run_rounds(rows, alive, protocol, progress)
        for index, child in alive.items():
            if not rows[index].error:
                with _failing(rows[index]):
                    rows[index].peak_rss_mb = child.peak_rss_mb()
    _report(progress, "measured", steps, steps)
    return rows


def summary(samples: Sequence[float]) -> dict[str, float | None]:
    """p50, p90, p99 (None below 1,000 samples), mean, and the number of samples; all None of none."""
    if not samples:
        return {"p50": None, "p90": None, "p99": None, "mean": None, "samples": 0}
    return {
        "p50": round(percentile(samples, 50), 3),
        "p90": round(percentile(samples, 90), 3),
        "p99": round(percentile(samples, 99), 3) if len(samples) >= P99_SAMPLES else None,
        "mean": round(float(np.mean(samples)), 3),
        "samples": len(samples),
    }


def random_images(count: int = _ROTATION, seed: int = 0) -> Images:
    """Noise uint8 [N, 28, 28, 1], to measure latency without the data set."""
    return np.random.default_rng(seed).integers(0, 256, (count, *IMAGE_SHAPE), dtype=np.uint8)


@contextmanager
def _failing(row: Measurement) -> Iterator[None]:
    """Turn an error into the row's, and drop its samples: a part of a protocol is not a measurement."""
    try:
        yield
    except EdgefashionError as error:
        row.error = error
        row.raw_us = []


def _start(stack: ExitStack, row: Measurement, images: Images, protocol: Protocol) -> ModelProcess:
    child = stack.enter_context(ModelProcess(row.path, row.threads, protocol.timeout))
    row.runtime, row.version, row.load_ms = child.runtime, child.version, child.load_ms
    child.warm_up(images, protocol.warm_up_seconds)
    row.first_inference_us = child.first_inference_us
    return child


def _run_rounds(
    rows: list[Measurement],
    alive: dict[int, ModelProcess],
    protocol: Protocol,
    progress: Progress | None,
) -> None:
    order = random.Random(protocol.seed)
    for number in range(protocol.rounds):
        indices = list(alive)
        order.shuffle(indices)
        for index in indices:
            if rows[index].error:
                continue
            with _failing(rows[index]):
                block = alive[index].measure(protocol.runs, protocol.seconds, protocol.at_most)
                rows[index].raw_us += block
                rows[index].block_p50_us.append(percentile(block, 50))
        done = len(rows) * (1 + number)
        _report(progress, f"round {number + 1} of {protocol.rounds}", done, len(rows) * (1 + protocol.rounds))


def _report(progress: Progress | None, what: str, done: int, steps: int) -> None:
    if progress:
        progress(what, done, steps)
