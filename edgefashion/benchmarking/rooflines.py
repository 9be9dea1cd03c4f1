"""What this machine can reach: matrix products, measured in the same rounds as the models."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edgefashion.benchmarking.measurement import Job, Measurement
from edgefashion.benchmarking.roofline import formats, matrix_product
from edgefashion.stats import percentile


class Comparable(NamedTuple):
    """Models that one matrix product is compared with: the format of the file, whether most of its products
    are of integers, the number of threads, and the runtime, None for the default one.
    """

    format: str
    integer: bool
    threads: int
    runtime: str | None = None


class Rooflines:
    """A matrix product for all models that are alike: `jobs` are measured, then `take` what was found."""

    def __init__(self, kinds: Iterable[Comparable]) -> None:
        known = formats()
        self._kinds = list(dict.fromkeys(kind for kind in kinds if kind.format in known))
        self._found: dict[Comparable, float] = {}

    @property
    def jobs(self) -> list[Job]:
        """Those to be measured, one for each kind."""
        return [
            Job(
                matrix_product(each.format, each.integer).path,
                each.threads,
                runtime=each.runtime,
                latency_only=True,
            )
            for each in self._kinds
        ]

    def take(self, rows: Sequence[Measurement]) -> None:
        """Keep what was measured of `jobs`; one that failed has no limit."""
        for kind, row in zip(self._kinds, rows, strict=False):
            if row.raw_us and (p50 := percentile(row.raw_us, 50)):
                self._found[kind] = matrix_product(kind.format, kind.integer).macs * 1e6 / p50

    def macs_per_s(self, kind: Comparable) -> float | None:
        """Multiply-accumulates per second of the matrix product; None where none was measured."""
        return self._found.get(kind)
