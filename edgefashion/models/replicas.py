"""What layers compute together where each replica of a model sees a part of the batch: several processes or
GPUs, within `tf.distribute.Strategy.run`. Elsewhere there is one replica, and nothing to do.

The variables of a model are plain ones that all replicas of a process share, and one of them alone changes
them.
"""

from typing import Any

from edgefashion.tensorflow import keras, tf


def number_of() -> int:
    """Of replicas: 1 where no strategy runs this."""
    context = tf.distribute.get_replica_context()
    return int(context.num_replicas_in_sync) if context else 1


def keeps_variables() -> bool:
    """Whether this replica is the one of its process that changes variables."""
    if number_of() == 1:
        return True
    context = tf.distribute.get_replica_context()
    beside = len(context.strategy.extended.worker_devices)
    return bool(tf.get_static_value(context.replica_id_in_sync_group) % beside == 0)


def total(values: Any) -> Any:
    """The sum over all replicas of a tensor of the same shape on each, or of each tensor of a list."""
    here = tf.nest.map_structure(tf.identity, values)  # on the device of this replica, be it from elsewhere
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, here)


def extremes(low: Any, high: Any) -> tuple[Any, Any]:
    """The lowest of all `low` and the highest of all `high`, float32 []."""
    count = number_of()
    if count == 1:
        return low, high
    place = tf.one_hot(tf.distribute.get_replica_context().replica_id_in_sync_group, count)
    found = total(place[:, None] * tf.stack([low, high])[None])
    return tf.reduce_min(found[:, 0]), tf.reduce_max(found[:, 1])


def synchronized(model: keras.Model) -> keras.Model:
    """The model with its weights, whose batch normalization learns from the batches of all replicas."""

    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        kind = SharedBatchNormalization if type(layer) is keras.layers.BatchNormalization else type(layer)
        return kind.from_config(layer.get_config())

    if not any(type(layer) is keras.layers.BatchNormalization for layer in model.layers):
        return model
    result = keras.models.clone_model(model, clone_function=copy)
    result.set_weights(model.get_weights())
    return result


class SharedBatchNormalization(keras.layers.BatchNormalization):
    """Normalizes by mean and variance over the batches of all replicas: channels last, float32 [N, ..., C].

    As Keras's fused layer does, it keeps the variance of a sample: n / (n - 1) times that of the batches.
    """

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Like that of any batch normalization."""
        if not (training is True and self.trainable and number_of() > 1):
            return super().call(inputs, training=training, mask=mask)
        values = tf.cast(inputs, tf.float32)
        axes, channels = list(range(inputs.shape.rank - 1)), inputs.shape[-1]
        count = tf.cast(tf.size(values), tf.float32)[None] / channels
        sums = [tf.reduce_sum(values, axes), tf.reduce_sum(tf.square(values), axes), count]
        found = total(tf.concat(sums, 0))
        count = found[-1]
        mean = found[:channels] / count
        variance = tf.maximum(found[channels:-1] / count - tf.square(mean), 0.0)
        if keeps_variables():
            self._keep(self.moving_mean, mean)
            self._keep(self.moving_variance, variance * count / tf.maximum(count - 1, 1.0))
        normal = tf.nn.batch_normalization(values, mean, variance, self.beta, self.gamma, self.epsilon)
        return tf.cast(normal, inputs.dtype)

    def _keep(self, moving: Any, value: Any) -> None:
        moving.assign_sub((moving - tf.stop_gradient(value)) * (1 - self.momentum))
