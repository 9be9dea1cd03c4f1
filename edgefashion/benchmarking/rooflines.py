"""What this machine can reach: matrix products, measured in the same rounds as the models."""

from collections.abc import Iterable, Sequence

from edgefashion.benchmarking.measurement import Job, Measurement
from edgefashion.benchmarking.roofline import formats, matrix_product
from edgefashion.stats import percentile

Kind = tuple[str, bool, int]
"""Format of a file, whether most of its products are of integers, and the number of threads."""


class Rooflines:
    """A matrix product for each kind: its `jobs` are measured with the others, then `take` what was found."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        known = formats()
        self._kinds = list(dict.fromkeys(kind for kind in kinds if kind[0] in known))
        self._found: dict[Kind, float] = {}

    @property
    def jobs(self) -> list[Job]:
        """Those to be measured, one for each kind."""
        return [
            Job(matrix_product(format, integer).path, threads, latency_only=True)
            for format, integer, threads in self._kinds
        ]

    def take(self, rows: Sequence[Measurement]) -> None:
        """Keep what was measured of `jobs`; one that failed has no limit."""
        for kind, row in zip(self._kinds, rows, strict=False):
            if row.raw_us:
                self._found[kind] = matrix_product(*kind[:2]).macs * 1e6 / percentile(row.raw_us, 50)

    def macs_per_s(self, kind: Kind) -> float | None:
        """Multiply-accumulates per second of the matrix product; None where none was measured."""
        return self._found.get(kind)
