"""How much memory a model may take: a file of a few bytes can ask for gigabytes and bring a machine down.

What it takes beyond that of Python and its runtime, in MiB. A model needs memory for its weights, which its
file holds, and for what its layers hand on; a runtime copies weights to where it can read them faster.
"""

from collections.abc import Sequence
from pathlib import Path

from edgefashion.device import SYSTEM, Machine, memory_available_mb
from edgefashion.errors import OutOfMemory
from edgefashion.runtimes.inputs import TensorSpec

BASE_MB, THREAD_MB, COPIES = 640, 64, 8
"""What any model may take, what each thread but the first adds, and how often the file's own size."""
SHARE = 0.75
"""Of what is free, at most."""
_OTHER_THREADS = 4
_LARGEST_STACK = 8 << 20
"""What a thread's stack counts, touched or not; of more where the system makes them larger."""


def usual_mb(path: Path, threads: int, sources: Machine = SYSTEM) -> int:
    """What a model file may take in a process with so many threads, where nobody says otherwise."""
    size_mb = path.stat().st_size / 2**20
    wanted = BASE_MB + THREAD_MB * (threads - 1) + COPIES * size_mb
    free = memory_available_mb(sources)
    return int(wanted if free is None else min(wanted, SHARE * free))


def check_inputs(path: Path, specs: Sequence[TensorSpec], megabytes: float | None) -> None:
    """Raise OutOfMemory where one input of each kind alone takes more than a model may."""
    size_mb = sum(spec.size_bytes for spec in specs) / 2**20
    if megabytes is not None and size_mb > megabytes:
        raise OutOfMemory(
            f"{path} needs {size_mb:,.0f} MiB for its inputs, more than the {megabytes:,.0f} MiB it may use"
        )


def hold(megabytes: float, threads: int) -> None:
    """Let this process take no more than so many MiB than it has now, and stacks for so many threads.

    Does nothing where the system does not say what it has. An allocation above it fails, as it would on a
    machine without any more memory.
    """
    import resource

    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return
    has = [int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmData:")]
    stack = resource.getrlimit(resource.RLIMIT_STACK)[0]
    if not has:
        return
    stacks = (threads + _OTHER_THREADS) * max(stack, _LARGEST_STACK)
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = has[0] + int(megabytes * 2**20) + stacks
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if most < 0 else min(wanted, most), most))
