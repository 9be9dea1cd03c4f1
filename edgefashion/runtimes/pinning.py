"""The CPUs that a model may run on."""

import os
from collections.abc import Sequence

from edgefashion.errors import BadInput
from edgefashion.errors.wording import setting


def check(cpus: Sequence[int] | None) -> None:
    """Raise BadInput unless this process may use all of the CPUs; None stands for all there are."""
    if cpus is None:
        return
    if not hasattr(os, "sched_setaffinity"):
        raise BadInput(f"this system cannot pin a process to CPUs: leave out {setting('--pin')}")
    usable = os.sched_getaffinity(0)
    if not cpus or not usable.issuperset(cpus):
        wanted, there = _listed(cpus) or "none", _listed(usable)
        raise BadInput(f"cannot pin to CPU {wanted}: this process may use {there}: name some of these")


def pin(cpus: Sequence[int] | None) -> None:
    """Keep this thread, and those that it starts from now on, to the CPUs. Raises BadInput."""
    check(cpus)
    if cpus is not None:
        os.sched_setaffinity(0, cpus)


def _listed(cpus: Sequence[int] | set[int]) -> str:
    return ",".join(map(str, sorted(cpus)))
