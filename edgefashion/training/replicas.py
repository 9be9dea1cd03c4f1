"""Several processes, or several GPUs of one, that learn from the same batches: each from its share of them.

Every replica computes the gradients of its share, and their sum over all, by the collective operations of
`tf.distribute`, is what one alone would have found; what follows a step (the optimizer, averages, counters)
is computed by each process for itself, in the same way. So it ends with the same weights, up to the order in
which numbers are added.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgefashion.errors import BadInput
from edgefashion.errors.wording import setting
from edgefashion.models import replicas as layers
from edgefashion.recipes import Recipe
from edgefashion.tensorflow import tf
from edgefashion.training.cluster import Cluster

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Share:
    """What one of `count` replicas has of a batch.

    An image and its counterpart from the other end, with which it may be mixed, are in the same share.
    """

    number: int = 0
    count: int = 1

    def rows(self, size: Any) -> Any:
        """The places in a batch of so many images, int32 [M], in their order."""
        places = tf.range(size)
        pairs = tf.minimum(places, size - 1 - places)
        return tf.boolean_mask(places, pairs % self.count == self.number)


@dataclass(frozen=True)
class Replicas:
    """All that train together: the replicas of each of the processes; one alone where nothing is said."""

    strategy: Any = None
    cluster: Cluster | None = None
    devices: int = 1
    """How many replicas each process has."""

    @property
    def processes(self) -> int:
        """How many there are."""
        return len(self.cluster.addresses) if self.cluster else 1

    @property
    def number(self) -> int:
        """Which of them this one is."""
        return self.cluster.number if self.cluster else 0

    @property
    def count(self) -> int:
        """How many replicas there are in all."""
        return self.processes * self.devices

    def shares(self) -> list[Share | None]:
        """Those of the replicas of this process; None is all of a batch."""
        if self.count == 1:
            return [None]
        first = self.number * self.devices
        return [Share(first + one, self.count) for one in range(self.devices)]

    def check(self, recipe: Recipe) -> None:
        """Raise BadInput for batches that not all can have a part of, and for what cannot be shared."""
        if self.count == 1:
            return
        if recipe.fine_tuning == "prune":
            raise BadInput(
                "pruning is for one process and device, since its masks cannot be shared: train without "
                f"other workers, and with {setting('--device gpu:0')} where there are several GPUs"
            )
        if recipe.batch_size < 2 * self.count:
            raise BadInput(
                f"a batch of {recipe.batch_size} images cannot be shared by {self.count}: give "
                f"{2 * self.count} or more"
            )

    def run(self, learn: Callable[[Any], Any], batches: Sequence[Any]) -> Any:
        """What `learn` gives of the next of its own batches on each replica; it must be the same on all."""
        if self.strategy is None:
            return learn(next(batches[0]))

        def learn_own() -> Any:
            place = tf.distribute.get_replica_context().replica_id_in_sync_group
            return learn(next(batches[int(tf.get_static_value(place)) % self.devices]))

        found = self.strategy.run(learn_own)
        return tf.nest.map_structure(lambda value: self.strategy.experimental_local_results(value)[0], found)

    def sum(self, values: Array) -> Array:
        """The sum over all processes of float64 [N], of the same length in each."""
        if self.processes == 1:
            return values

        def add(given: Any) -> Any:
            return layers.total(given if layers.keeps_variables() else tf.zeros_like(given))

        found = tf.function(lambda given: self.strategy.run(add, (given,)))(tf.constant(values, tf.float64))
        return np.asarray(self.strategy.experimental_local_results(found)[0])

    def join(self, values: Array) -> Array:
        """Those of all processes, float64 [N], one after the other."""
        places = np.arange(self.processes) == self.number
        lengths = self.sum(places * float(len(values))).astype(int)
        whole, start = np.zeros(lengths.sum()), lengths[: self.number].sum()
        whole[start : start + len(values)] = values
        return self.sum(whole)

    def from_chief(self, arrays: dict[str, Array]) -> dict[str, Array]:
        """The arrays as the chief has them; each process gives some of the same names and shapes."""
        if self.processes == 1:
            return arrays
        mine = np.concatenate([array.ravel().astype(np.float64) for array in arrays.values()])
        found = self.sum(mine if self.number == 0 else np.zeros_like(mine))
        ends = np.cumsum([array.size for array in arrays.values()])[:-1]
        parts = zip(arrays.items(), np.split(found, ends), strict=True)
        return {name: part.astype(array.dtype).reshape(array.shape) for (name, array), part in parts}


ALONE = Replicas()


def several(cluster: Cluster | None, devices: Sequence[str]) -> Replicas:
    """Those of a cluster, or of the `devices` of this process, GPUs or none: `["GPU:0", "GPU:1"]`.

    Must come before TensorFlow computes anything. Raises BadInput where it has.
    """
    if cluster is None:
        if len(devices) < 2:
            return ALONE
        return Replicas(tf.distribute.MirroredStrategy(list(devices)), None, len(devices))
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(cluster.addresses)}),
        task_type="worker",
        task_id=cluster.number,
        rpc_layer="grpc",
    )
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except RuntimeError as error:
        raise BadInput(
            "TensorFlow has computed something in this process already: train with others in one of its own"
        ) from error
    return Replicas(strategy, cluster, strategy.num_replicas_in_sync // len(cluster.addresses))
