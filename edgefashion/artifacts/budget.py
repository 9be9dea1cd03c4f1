"""Limits on how much of an untrusted file is read, so that it cannot exhaust a reader's time or memory."""

MOST_READS = 2_000_000
"""Fields, tables and values in all. The largest models met, of tens of thousands of operators, have half."""


class Budget:
    """What may still be read of a file: fields, values and what holds them, which bounds time and memory."""

    def __init__(self, reads: int = MOST_READS) -> None:
        self._left = min(reads, MOST_READS)

    def charge(self, reads: int) -> None:
        """Count what is read. Raises ValueError where it is too much."""
        self._left -= reads
        if self._left < 0:
            raise ValueError("it holds too many parts, or refers to the same ones over and over")
