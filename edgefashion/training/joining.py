"""Joining the other processes that train the same model, and noticing when one is lost."""

import contextlib
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import fields
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from edgefashion.data import Dataset
from edgefashion.errors import BadInput, WorkerLost
from edgefashion.recipes import Recipe
from edgefashion.reporting import Report, silent
from edgefashion.tensorflow import tf
from edgefashion.training.checkpoints import TrainingState
from edgefashion.training.cluster import Cluster, from_environment
from edgefashion.training.hardware import replicated_devices, select_hardware
from edgefashion.training.meeting import CALL_S, Hello, open_meeting
from edgefashion.training.preparation import checked, prepare
from edgefashion.training.replicas import Replicas, several
from edgefashion.training.trained import compression_for, named

PATHS = ("weights", "teacher", "other_teachers")
"""What may lie elsewhere on each machine: all begin with the chief's weights, and teachers have an id."""


def cluster_of(*, chief: bool) -> Cluster | None:
    """The cluster that this process belongs to, in that role. Raises BadInput for the other one."""
    cluster = from_environment()
    if cluster and cluster.is_chief != chief:
        name, call = cluster.name(cluster.number), "training.joining.follow" if chief else "train"
        raise BadInput(f"this process is {name}: call edgefashion.{call} in it")
    return cluster


def join(cluster: Cluster | None, recipe: Recipe, dataset: Dataset, report: Report = silent) -> Replicas:
    """All replicas of the training: those of a cluster, or of the GPUs of this process.

    Raises BadInput for a worker that does not come, or is to train something else.
    """
    devices = replicated_devices()
    if cluster:
        with open_meeting(cluster) as meeting:
            meeting.agree(_hello(cluster, recipe, dataset, max(len(devices), 1)), report)
    replicas = several(cluster, devices)
    replicas.check(recipe)
    return replicas


def _hello(cluster: Cluster, recipe: Recipe, dataset: Dataset, devices: int) -> Hello:
    names = [one.name for one in fields(recipe) if one.compare and one.name not in PATHS]
    data = json.dumps([sorted(dataset.checksums.items()), dataset.task.to_dict()])
    hello = {
        **{package: version(package) for package in ("edgefashion", "tensorflow", "tf_keras")},
        "workers": list(cluster.addresses),
        "devices": devices,
        "recipe": {name: getattr(recipe, name) for name in names},
        "data": sha256(data.encode()).hexdigest(),
    }
    found: Hello = json.loads(json.dumps(hello))
    return found


@contextlib.contextmanager
def naming_lost(cluster: Cluster | None, state: TrainingState | None = None) -> Iterator[None]:
    """Raise WorkerLost where TensorFlow says that another process is not there any more."""
    try:
        yield
    except tf.errors.OpError as error:
        if not cluster:
            raise
        raise WorkerLost(_lost(cluster, str(error), state)) from error


def _lost(cluster: Cluster, said: str, state: TrainingState | None) -> str:
    others = [number for number in range(len(cluster.addresses)) if number != cluster.number]
    gone = [number for number in others if not _answers(cluster.addresses[number])]
    named = {int(digits) for digits in re.findall(r"task:(\d+)", said)}.intersection(others)
    lost = gone[:1] if len(gone) == 1 else sorted(named.intersection(gone) or gone or named or others)
    what = f"{' or '.join(map(cluster.name, lost))} was lost, and the training ended"
    if state is None:
        return what
    if not state.has_checkpoint:
        return f"{what}, before its first checkpoint"
    return f"{what}; {state.kept()}"


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CALL_S).close()
    except OSError:
        return False
    return True


def follow(
    recipe: Recipe,
    dataset: Dataset,
    folder: str | Path,
    *,
    hardware: str | None = None,
    report: Report = silent,
) -> None:
    """Train with the chief that TF_CONFIG or Slurm names, which keeps the run; `train` is what it calls.

    `folder` is where temporary files may lie. Raises what `train` raises.
    """
    cluster = cluster_of(chief=False)
    if cluster is None:
        raise BadInput("there is no chief to follow: set TF_CONFIG, or call train")
    recipe, master = checked(recipe, dataset, report)
    where = select_hardware(hardware, recipe.mixed_precision)
    replicas = join(cluster, recipe, dataset, report)
    prepared = prepare(recipe, master, dataset, Path(folder), replicas, report)
    report(f"training {named(recipe)} on {where} with {cluster.name(0)}, which keeps the run")
    with naming_lost(cluster):
        prepared.fit(prepared.learner(None), Unwritten(recipe), compression_for(recipe).callbacks())


class Unwritten(TrainingState):
    """Where a training stands whose checkpoints another process writes."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(Path(), recipe, {})

    def go_on_from(self, epoch: int, batch: int) -> None:
        """Where the chief's stands."""
        self.history, self.batch = [{}] * epoch, batch

    def add_epoch(self, *_: object) -> None:
        """One more."""
        self.history = [*self.history, {}]
        self.batch = 0

    def add_batches(self, *_: object) -> None:
        """Nothing is kept of a part of an epoch."""
