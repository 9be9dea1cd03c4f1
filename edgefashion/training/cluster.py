"""The processes that train one model together, as TF_CONFIG or Slurm names them to each."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgefashion.errors import BadInput, first_line
from edgefashion.escaping import visible

VARIABLE = "TF_CONFIG"
SLURM = "SLURM_STEP_NUM_TASKS"
PORT = 8888
"""Of the first process on each of Slurm's nodes; the next ones there have the ports behind it."""
MOST_WORKERS = 1024
NAMES = "names"
"""What is ours in TF_CONFIG: what the workers' user calls them, in the order of their addresses."""
_ROLES = ("chief", "worker")
_EXAMPLE = '{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True)
class Cluster:
    """All workers, `host:port`, the chief first, and which of them this process is, counted from 0."""

    addresses: tuple[str, ...]
    number: int
    source: str = VARIABLE
    """What named them."""
    names: tuple[str, ...] = ()
    """What their user calls them, where that is known."""

    @property
    def is_chief(self) -> bool:
        """Whether this process keeps the run."""
        return self.number == 0

    def name(self, number: int) -> str:
        """What it is called, or else `worker 1 (b:2222)`."""
        if self.names:
            return visible(self.names[number])
        return f"worker {number} ({visible(self.addresses[number])})"

    def port(self) -> int:
        """Where this process listens."""
        return int(self.addresses[self.number].rpartition(":")[2])


def from_environment(environment: Mapping[str, str] = os.environ) -> Cluster | None:
    """The cluster that this process belongs to; None where it trains alone. Raises BadInput for one that
    makes no sense.
    """
    if text := environment.get(VARIABLE):
        return _several(_from_config(text))
    if (tasks := environment.get(SLURM, "1")).isdecimal() and int(tasks) > 1:
        return _several(_from_slurm())
    return None


def _several(cluster: Cluster) -> Cluster | None:
    """The cluster, if it is not of one process. Raises BadInput for addresses that cannot be."""
    for address in cluster.addresses:
        host, _, port = address.rpartition(":")
        if not host or not (port.isascii() and port.isdecimal() and 0 < int(port) < 2**16):
            raise _wrong(cluster.source, f"{visible(repr(address))} is not host:port")
    if twice := [one for one in cluster.addresses if cluster.addresses.count(one) > 1]:
        raise _wrong(cluster.source, f"{visible(twice[0])} is there twice")
    return cluster if len(cluster.addresses) > 1 else None


def _wrong(source: str, what: str) -> BadInput:
    if source == VARIABLE:
        return BadInput(f"{VARIABLE} is wrong: {what}; it is like {_EXAMPLE}, or is unset to train alone")
    return BadInput(f"what {source} says of the workers is wrong: {what}")


def _from_config(text: str) -> Cluster:
    try:
        config = json.loads(text)
    except ValueError as error:
        raise _wrong(VARIABLE, f"it is no JSON ({first_line(error)})") from error
    cluster = _field(config, "cluster", dict, "the addresses of all workers")
    if strange := [str(role) for role in cluster if role not in _ROLES]:
        raise _wrong(VARIABLE, f"there is no role {visible(strange[0])!r} here, but {' and '.join(_ROLES)}")
    roles = {role: _addresses(cluster.get(role, [])) for role in _ROLES}
    addresses = [*roles["chief"], *roles["worker"]]
    if not addresses:
        raise _wrong(VARIABLE, "it names no worker")
    if len(roles["chief"]) > 1 or len(addresses) > MOST_WORKERS:
        raise _wrong(VARIABLE, f"more than one chief, or than {MOST_WORKERS:,} workers")
    task = _field(config, "task", dict, "which of them this process is")
    role, index = task.get("type"), task.get("index")
    if role not in _ROLES or type(index) is not int or not 0 <= index < len(roles[role]):
        raise _wrong(VARIABLE, f"the task {visible(json.dumps(task))[:100]} is none of its cluster")
    names = _addresses(config.get(NAMES, []))
    if len(names) not in (0, len(addresses)):
        raise _wrong(VARIABLE, f"{NAMES} are one for each address, or none")
    number = index + (len(roles["chief"]) if role == "worker" else 0)
    return Cluster(tuple(addresses), number, names=tuple(names))


def _field(config: Any, name: str, kind: type, meaning: str) -> Any:
    found = config.get(name) if isinstance(config, dict) else None
    if not isinstance(found, kind):
        raise _wrong(VARIABLE, f"it lacks {name}, {meaning}")
    return found


def _addresses(found: Any) -> list[str]:
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise _wrong(VARIABLE, "addresses are a list of host:port, and names one of text")
    return found


def _from_slurm() -> Cluster:
    """Of the step of a Slurm job, by TensorFlow's own resolver."""
    from edgefashion.tensorflow import tf

    try:
        # As many GPUs as one likes: which of them a task has is left to Slurm.
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
            port_base=PORT, gpus_per_node=MOST_WORKERS, gpus_per_task=1, auto_set_gpu=False
        )
        addresses = tuple(resolver.cluster_spec().as_dict()["worker"])
        number = int(resolver.get_task_info()[1])
    except Exception as error:  # whatever is missing or no number
        raise _wrong("Slurm", first_line(error)) from error
    return Cluster(addresses, number, "Slurm")
