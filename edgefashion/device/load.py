"""How many cores are used by processes other than ours: a measured model cannot have those."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from edgefashion.device.machine import SYSTEM, Machine

_IDLE, _IO_WAIT, _STEAL, _SHOWN = 3, 4, 7, 8
"""Columns of the `cpu` line of /proc/stat; those behind the eighth are counted in the first two."""
_SHORTEST_TICKS = 20
"""Ticks (of 10 ms) of a core that must have passed, for a figure that is not all rounding."""


@dataclass(frozen=True)
class Load:
    """Cores used by others since the last reading: 0.5 is half of one."""

    other_cores: float
    """By other processes and the kernel."""
    stolen_cores: float
    """By the host of a virtual machine, which gave them to others although processes here wanted them."""


@dataclass(frozen=True)
class _Ticks:
    total: int
    busy: int
    stolen: int
    cores: int
    ours: int


class LoadMeter:
    """Says how many cores were used by processes other than this one and `pids`.

    Change `pids` as children come and go: a child's whole time counts as ours, from its start, and also
    when it has ended, if this process has waited for it. What `vcgencmd` and the like take is ours too.

        meter = LoadMeter([child.pid])
        ...
        load = meter.read()     # since the meter was made, or read last
    """

    def __init__(self, pids: Iterable[int] = (), sources: Machine = SYSTEM) -> None:
        self.pids = set(pids)
        self._sources = sources
        self._last = self._count()

    def read(self) -> Load | None:
        """Load since the last reading; None where the system does not tell, or too little time has passed."""
        now, last = self._count(), self._last
        if now is None or last is None:
            self._last = now
            return None
        passed = now.total - last.total
        if passed < _SHORTEST_TICKS * now.cores:
            return None
        self._last = now
        others = now.busy - last.busy - (now.ours - last.ours)
        scale = now.cores / passed
        return Load(round(max(0, others) * scale, 3), round(max(0, now.stolen - last.stolen) * scale, 3))

    def _count(self) -> _Ticks | None:
        lines = (self._sources.text("proc/stat") or "").splitlines()
        columns = lines[0].split()[1 : 1 + _SHOWN] if lines else []
        cores = sum(line.startswith("cpu") for line in lines[1:])
        if len(columns) < _SHOWN or not all(column.isdecimal() for column in columns) or not cores:
            return None
        ticks = [int(column) for column in columns]
        stolen = ticks[_STEAL]
        busy = sum(ticks) - ticks[_IDLE] - ticks[_IO_WAIT] - stolen
        ours = sum(self._of_process(str(pid)) for pid in {os.getpid(), *self.pids})
        return _Ticks(sum(ticks), busy, stolen, cores, ours)

    def _of_process(self, pid: str) -> int:
        """Ticks of a process and of its children that have ended; 0 for one that is gone."""
        # The name, in brackets, may hold anything; what follows it is the state, column 3 of proc(5).
        columns = (self._sources.text(f"proc/{pid}/stat") or "").rpartition(")")[2].split()
        times = columns[11:15]
        return sum(map(int, times)) if len(times) == 4 and all(time.isdecimal() for time in times) else 0
