"""How latency is measured: how long, how often, and where these numbers are from."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from edgefashion.errors import BadInput
from edgefashion.runtimes.process import ANSWER_S

BLOCK_S = 1.0
"""The longest that one file is measured before it is the next one's turn."""

DRAWN_FROM = {
    "seconds": "TensorFlow Lite's benchmark_model: min_secs 1",
    "samples": "so many that ten lie above p99; benchmark_model has num_runs 50",
    "rounds": "pyperf: 20 processes, each a look at another moment; 25 here, of the same process",
    "at_most": "benchmark_model: max_secs 150; here of all that a row takes",
    "warm_up_seconds": "benchmark_model: warmup_min_secs 0.5",
    "shuffled": "Google Benchmark: random interleaving",
    "p90": "MLPerf inference, single stream: the percentile that counts",
}
FULL_DRAWN_FROM = {
    "seconds": "MLPerf inference, single stream: min_duration 600 s",
    "samples": "MLPerf inference, single stream: 24,576 queries for the 90th percentile",
}

_LEAST = {
    **dict.fromkeys(("rounds", "samples"), 1),
    **dict.fromkeys(
        ("seconds", "at_most", "warm_up_seconds", "timeout", "memory_mb", "sustained_minutes"), 0
    ),
}


@dataclass(frozen=True)
class BenchmarkOptions:
    """How long and how often; defaults are drawn from the tools named in `DRAWN_FROM`.

    In rounds, every file in turn runs one block of single inferences, in an order shuffled anew each round.
    A file is done when it has had `rounds` blocks, `seconds` of timed inferences and `samples` samples, or,
    whatever it lacks, when it has taken `at_most` seconds, all that is not timed included, see `budget`.
    """

    seconds: float = 1.0
    samples: int = 1000
    rounds: int = 25
    at_most: float = 150.0
    warm_up_seconds: float = 0.5
    timeout: float = ANSWER_S
    """Seconds that loading and the first inference may take together, and any later inference."""
    memory_mb: float | None = None
    """What a model may take; by its file's size and what is free where it is None, see `allowance`."""
    seed: int = 0
    """Decides the order within rounds."""
    looks: int = 4
    """How often the machine is looked at while a file is measured, at least."""
    pin: tuple[int, ...] | None = None
    """The CPUs that the models are kept on; None for any."""
    in_process: bool = False
    """Whether models run in this very process, where nothing protects from their crashes."""
    sustained_minutes: float = 0.0
    """How long each file is run without a pause after its rounds."""
    full: bool = False
    """Whether the single-stream rules of MLPerf inference hold, see `full`."""

    def __post_init__(self) -> None:
        """Raise BadInput for a number that nothing can be measured by."""
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and not least <= value < math.inf:
                raise BadInput(f"{name} must be {least} or more, and finite: got {value}")

    @property
    def block_seconds(self) -> float:
        """Seconds of one block."""
        return min(BLOCK_S, self.seconds / self.rounds)

    @property
    def block_samples(self) -> int:
        """Samples of one block, unless it has lasted `BLOCK_S` before."""
        return math.ceil(self.samples / self.rounds)

    @property
    def expected_rounds(self) -> int:
        """Rounds of a model that is fast enough to get its samples in time."""
        by_time = math.ceil(self.seconds / self.block_seconds) if self.block_seconds else 0
        return max(self.rounds, by_time)

    def lasting(self, seconds: float) -> Self:
        """The same with other seconds, no more of them to warm up, and time for all; one look will do for
        less than one.
        """
        return replace(
            self,
            seconds=seconds,
            at_most=max(2 * seconds, self.at_most),
            warm_up_seconds=min(seconds, self.warm_up_seconds),
            looks=self.looks if seconds >= 1 else 1,
        )

    def within(self, seconds: float) -> Self:
        """The same with so many seconds for a row in all, a fifth of them for its first answer."""
        return replace(self, at_most=seconds, timeout=max(min(seconds, ANSWER_S), seconds / 5))

    def describe(self) -> dict[str, Any]:
        """All of it, as JSON, with where the defaults are from and a line for the readers of a table."""
        drawn_from = {**DRAWN_FROM, **(FULL_DRAWN_FROM if self.full else {})}
        return {**asdict(self), "shuffled": True, "drawn_from": drawn_from, "summary": self._summary()}

    def _summary(self) -> str:
        usual = " (as benchmark_model)" if self.seconds == BenchmarkOptions.seconds else ""
        rules = " (MLPerf single stream)" if self.full else usual
        where = "all in this process" if self.in_process else "each file in a process of its own"
        pinned = f", pinned to CPU {','.join(map(str, self.pin))}" if self.pin else ""
        return (
            f"{where}{pinned}; {self.warm_up_seconds:g} s of warm-up; {self.rounds} shuffled rounds or more "
            f"(after pyperf), until each row has {self.seconds:g} s{rules} and {self.samples:,} samples, "
            f"or has taken {self.at_most:g} s itself, starting and loading included"
        )


def full(**changes: Any) -> BenchmarkOptions:
    """The single-stream rules of MLPerf inference: 600 s and 24,576 queries a file, one image a query.

    Besides p90 they want its early-stopping estimate, see `statistics.early_stopping_bound`. Other than
    there, files take turns.
    """
    return BenchmarkOptions(
        **{"seconds": 600.0, "samples": 24_576, "at_most": 3600.0, "full": True, **changes}
    )
