"""Images on their way into the model: a streaming tf.data pipeline that prepares one batch at a time."""

from typing import Any

import numpy as np

from edgefashion.data import CLASS_NAMES, Subset
from edgefashion.keras import tf
from edgefashion.models import Architecture
from edgefashion.recipes import Recipe


def labels_for(loss: str, labels: np.ndarray[Any, Any]) -> Any:
    """Class indices, or one-hot float32 [N, 10] where the loss wants a distribution."""
    if loss == "categorical_crossentropy":
        return tf.one_hot(labels, len(CLASS_NAMES))
    return tf.constant(labels, tf.int32)


def training_batches(
    subset: Subset, architecture: Architecture, recipe: Recipe, first_epoch: int = 0
) -> tf.data.Dataset:
    """Batches of (images, labels) for the epochs from `first_epoch` (from 0) to the recipe's last.

    Each epoch has an order of its own that depends on the seed and the epoch alone: a training that is
    resumed sees the same batches as one that was never interrupted.
    """
    count = len(subset)

    def order(epoch: Any) -> tf.data.Dataset:
        seed = tf.stack([tf.constant(recipe.seed, tf.int64), epoch])
        indices = tf.random.experimental.stateless_shuffle(tf.range(count), seed)
        return tf.data.Dataset.from_tensor_slices(indices).batch(recipe.batch_size)

    epochs = tf.data.Dataset.range(first_epoch, recipe.epochs)
    return _prepared(epochs.flat_map(order), subset, architecture, recipe)


def validation_batches(subset: Subset, architecture: Architecture, recipe: Recipe) -> tf.data.Dataset:
    """Batches of (images, labels) in the order of `subset`."""
    indices = tf.data.Dataset.range(len(subset)).batch(recipe.batch_size)
    return _prepared(indices, subset, architecture, recipe)


def _prepared(
    indices: tf.data.Dataset, subset: Subset, architecture: Architecture, recipe: Recipe
) -> tf.data.Dataset:
    images = tf.constant(subset.images)
    labels = labels_for(recipe.loss, subset.labels)

    def gather(batch: Any) -> tuple[Any, Any]:
        return architecture.prepare(tf.gather(images, batch)), tf.gather(labels, batch)

    return indices.map(gather, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
