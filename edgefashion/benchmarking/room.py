"""Whether one more model fits into memory."""

import os
from collections.abc import Iterable

from edgefashion.device import SYSTEM, Machine, memory_available_mb, memory_is_short
from edgefashion.device.parsing import field, number

SHARE, MOST_MB = 0.5, 1024
"""What models that take turns may hold together: of what is free before the first is loaded, and at most."""


class Room:
    """Made before the first model of a part is loaded."""

    def __init__(self, sources: Machine = SYSTEM) -> None:
        self._sources = sources
        free = memory_available_mb(sources)
        self._most_mb = MOST_MB if free is None else min(MOST_MB, SHARE * free)
        self._before_mb = {os.getpid(): self._own_mb(os.getpid())}

    def is_taken(self, pids: Iterable[int]) -> bool:
        """Whether the processes hold what they may, or less than a quarter of the memory is free.

        Of models in this very process counts what it has gained, once: it may hold much of its own.
        """
        if memory_is_short(self._sources):
            return True
        return sum(self._own_mb(pid) - self._before_mb.get(pid, 0) for pid in set(pids)) >= self._most_mb

    def _own_mb(self, pid: int) -> float:
        """What a process holds alone: libraries and files are shared. 0 where nothing tells."""
        status = self._sources.text(f"proc/{pid}/status")
        return (number(field(status, "RssAnon")) or 0) / 1024
