"""What a container or a service may use of the machine: the limits of control groups, v1 and v2.

A limit may stand at this process's own group or at any above it; inside a container the group's path is
often one that only the host can see, and its limits stand at the root.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from edgefashion.device.machine import SYSTEM, Machine

_V2 = ("sys/fs/cgroup", "sys/fs/cgroup/unified")
_V1 = {"memory": ("sys/fs/cgroup/memory",), "cpu": ("sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct")}
_NO_LIMIT = 1 << 60
"""Version 1 says so with a number near 2^63."""


@dataclass(frozen=True)
class Memory:
    """Bytes that the tightest group may have, and may still get without giving up any."""

    limit: int
    available: int


def memory(sources: Machine = SYSTEM) -> Memory | None:
    """Of the group with the least left; None without a limit."""
    found = []
    for folder in _folders(sources, "memory"):
        limit = _integer(sources, f"{folder}/memory.max", f"{folder}/memory.limit_in_bytes")
        used = _integer(sources, f"{folder}/memory.current", f"{folder}/memory.usage_in_bytes")
        if limit is not None and used is not None and 0 < limit < _NO_LIMIT:
            # Files that were read lately fill memory too, and make room when it is wanted.
            idle = _counted(sources, f"{folder}/memory.stat", "total_inactive_file", "inactive_file")
            found.append(Memory(limit, min(limit, max(0, limit - used + (idle or 0)))))
    return min(found, key=lambda each: each.available, default=None)


def cpu_quota(sources: Machine = SYSTEM) -> float | None:
    """Cores' worth of time that this process may have; None without a limit."""
    found = []
    for folder in _folders(sources, "cpu"):
        quota, _, period = (sources.text(f"{folder}/cpu.max") or "").partition(" ")
        if not quota:
            quota = sources.text(f"{folder}/cpu.cfs_quota_us") or ""
            period = sources.text(f"{folder}/cpu.cfs_period_us") or ""
        quota, period = quota.strip(), period.strip()
        if quota.isdecimal() and period.isdecimal() and int(quota) and int(period):
            found.append(int(quota) / int(period))
    return min(found, default=None)


def quota_stops(sources: Machine = SYSTEM) -> int | None:
    """How often such a limit has made this process's groups wait so far; None where nothing counts it."""
    counts = [_counted(sources, f"{folder}/cpu.stat", "nr_throttled") for folder in _folders(sources, "cpu")]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _folders(sources: Machine, controller: str) -> Iterator[str]:
    """Where the files of this process's group and of those above it may be, the nearest first."""
    for line in (sources.text("proc/self/cgroup") or "0::/").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        roots = _V2 if number == "0" else _V1[controller] if controller in controllers.split(",") else ()
        parts = [part for part in path.strip("/").split("/") if part not in ("", "..")]
        for root in roots:
            for end in range(len(parts), -1, -1):
                yield "/".join([root, *parts[:end]])


def _integer(sources: Machine, *paths: str) -> int | None:
    """The number in the first of the files that is there."""
    for path in paths:
        text = (sources.text(path) or "").strip()
        if text:
            return int(text) if text.isdecimal() else None
    return None


def _counted(sources: Machine, path: str, *names: str) -> int | None:
    """The figure behind the first of the names that a file has."""
    figures = dict(
        line.split()[:2] for line in (sources.text(path) or "").splitlines() if len(line.split()) > 1
    )
    found = next((figures[name] for name in names if name in figures), "")
    return int(found) if found.isdecimal() else None
