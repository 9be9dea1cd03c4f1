"""What is measured of a model file, and the figures made from its samples."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from edgefashion.errors import EdgefashionError
from edgefashion.errors.wording import setting
from edgefashion.files.stored import ImageSet
from edgefashion.records.device import State
from edgefashion.records.results import Latency, Point
from edgefashion.stats import percentile

P99_SAMPLES = 1000


@dataclass(frozen=True, eq=False)
class Job:
    """A model file to be measured with a number of threads.

    On images uint8 [N, height, width, channels], used in turn; or, of any model, on random inputs where
    they are None.
    """

    path: Path
    threads: int
    images: ImageSet | None = None
    runtime: str | None = None
    """The name of the runtime that runs it; None for the default one of its format."""
    latency_only: bool = False
    """Whether it is only there for the others to be compared with."""


@dataclass(eq=False)
class Measurement:
    """What was measured of one job. Times as named; memory in MiB; fields as in `records.results`."""

    job: Job
    runtime: str | None = None
    version: str | None = None
    part: int = 1
    """1, or more where memory was too short for all models at once."""
    load_ms: float | None = None
    first_inference_us: float | None = None
    ready_seconds: float = 0.0
    """From the start of its process to the end of the first inference."""
    inference_us: float = 0.0
    """What an inference takes about, from before the rounds."""
    block_seconds: float = 0.0
    """Time that its blocks took, untimed inferences included."""
    longest_block_seconds: float = 0.0
    spent_seconds: float = 0.0
    """Time that all of it took."""
    cut_at: float | None = None
    """The seconds of a row's time, where they were over before the row had all that it should have."""
    loops: int = 1
    kept_every: int = 1
    raw_us: list[float] = field(default_factory=list)
    round_samples: list[int] = field(default_factory=list)
    timed_seconds: float = 0.0
    """Time that all samples took, those that were not kept too."""
    timed_samples: int = 0
    """How many there were."""
    states: list[State] = field(default_factory=list)
    """The machine's, each while this model ran; see `device.state`."""
    peak_rss_mb: float | None = None
    energy_mj: float | None = None
    sustained: list[Point] | None = None
    interrupted: bool = False
    error: EdgefashionError | None = None

    @property
    def round_p50_us(self) -> list[float]:
        """The median of each round."""
        ends = [0, *np.cumsum(self.round_samples, dtype=int)]
        return [percentile(self.raw_us[start:end], 50) for start, end in pairwise(ends)]

    @property
    def note(self) -> str | None:
        """What was unusual about it; None where nothing was."""
        part = (
            f"measured in part {self.part}, memory being short: it took turns with no file of another part"
            if self.part > 1
            else None
        )
        return "; ".join(filter(None, [part, self._cut])) or None

    @property
    def _cut(self) -> str | None:
        """That its time was over; in these words the same for all rows, the figures are in the row."""
        if self.cut_at is None or self.error:
            return None
        return f"cut at the {self.cut_at:g} s that a row may take: {setting('--at-most')} gives it more"

    def add(self, block: Sequence[float]) -> None:
        """Keep the samples of one block."""
        kept = block[:: self.kept_every]
        self.raw_us += kept
        self.round_samples.append(len(kept))
        self.timed_seconds += sum(block) * self.loops / 1e6
        self.timed_samples += len(block)

    def fail(self, error: EdgefashionError) -> None:
        """End with an error, and drop the samples: a part of a protocol is not a measurement."""
        self.error = error
        self.raw_us, self.round_samples, self.sustained, self.energy_mj = [], [], None, None


def summary(samples: Sequence[float]) -> Latency:
    """p50, p90, p99 (None below 1,000 samples), mean, and the number of samples; all None of none."""
    if not samples:
        return Latency()
    return Latency(
        p50=round(percentile(samples, 50), 3),
        p90=round(percentile(samples, 90), 3),
        p99=round(percentile(samples, 99), 3) if len(samples) >= P99_SAMPLES else None,
        mean=round(float(np.mean(samples)), 3),
        samples=len(samples),
    )
