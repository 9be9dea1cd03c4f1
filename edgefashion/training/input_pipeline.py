"""The input pipeline: a stream of images by tf.data that prepares one batch at a time."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from edgefashion.data import Subset, Task
from edgefashion.models import Architecture
from edgefashion.recipes import Recipe
from edgefashion.tensorflow import gather, tf
from edgefashion.training import augmentation
from edgefashion.training.augmentation import Randomness
from edgefashion.training.replicas import Share

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Part:
    """Some of the batches of a training: of epoch `epoch` (from 0) those from `first` to before `last`."""

    epoch: int
    first: int
    last: int


def labels_for(loss: str, labels: Array, classes: int) -> Any:
    """Class indices, or one-hot float32 [N, classes] where the loss wants a distribution."""
    if loss == "categorical_crossentropy":
        return tf.one_hot(labels.astype(np.int32), classes)
    return tf.constant(labels, tf.int32)


def steps_of(count: int, batch_size: int) -> int:
    """How many batches an epoch of `count` images has; the last may be a smaller one."""
    return -(-count // batch_size)


def training_batches(
    subset: Subset, task: Task, architecture: Architecture, recipe: Recipe, first_epoch: int = 0
) -> tf.data.Dataset:
    """Batches of (images, labels) for the epochs from `first_epoch` (from 0) to the recipe's last."""
    steps = steps_of(len(subset), recipe.batch_size)
    parts = [Part(epoch, 0, steps) for epoch in range(first_epoch, recipe.epochs)]
    return batches_of(parts, subset, task, architecture, recipe)


def batches_of(
    parts: list[Part],
    subset: Subset,
    task: Task,
    architecture: Architecture,
    recipe: Recipe,
    teacher: Array | None = None,
    share: Share | None = None,
) -> tf.data.Dataset:
    """Batches of (images, labels), or (images, labels, logits of the teacher); of each its `share` alone.

    Each epoch has an order of its own, and each batch randomness of its own, that depend on the seed, the
    epoch and the number of the batch alone: a training that is resumed sees the same batches as one that
    was never interrupted. `teacher` has logits of each image and of its mirror image: float32
    [2, N, classes].
    """
    classes = len(task.classes)
    labels = labels_for(recipe.loss, subset.labels, classes)
    logits = None if teacher is None else tf.constant(teacher)

    def prepare(epoch: Any, batch: Any, chosen: Any) -> tuple[Any, ...]:
        if share is None:
            random = Randomness(recipe.seed, epoch, batch)
        else:
            rows = share.rows(tf.size(chosen))
            random = Randomness(recipe.seed, epoch, batch, rows, tf.size(chosen))
            chosen = tf.gather(chosen, rows)
        mirrored = augmentation.flips(random, recipe, tf.size(chosen))
        pixels = augmentation.move(gather(subset.images, chosen), mirrored, random, recipe, task.picture.fill)
        pixels = augmentation.recolor(pixels, random, recipe)
        pixels = augmentation.erase(pixels, random, recipe)
        normalized = architecture.normalization(pixels)
        normalized, wanted = augmentation.mix(normalized, tf.gather(labels, chosen), random, recipe)
        if recipe.label_smoothing:
            wanted = wanted * (1 - recipe.label_smoothing) + recipe.label_smoothing / classes
        prepared = architecture.expand(normalized)
        if logits is None:
            return prepared, wanted
        return prepared, wanted, tf.gather_nd(logits, tf.stack([tf.cast(mirrored, chosen.dtype), chosen], 1))

    return (
        _numbered(parts, len(subset), recipe)
        .map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


def _numbered(parts: list[Part], count: int, recipe: Recipe) -> tf.data.Dataset:
    """(epoch, number of the batch, positions of its images) of all parts, in their order."""

    def order(epoch: Any, first: Any, last: Any) -> tf.data.Dataset:
        seed = tf.stack([tf.constant(recipe.seed, tf.int64), epoch])
        indices = tf.random.experimental.stateless_shuffle(tf.range(count), seed)
        chosen = indices[first * recipe.batch_size : last * recipe.batch_size]
        positions = tf.data.Dataset.from_tensor_slices(chosen).batch(recipe.batch_size)
        numbers = tf.data.Dataset.range(first, last)
        return tf.data.Dataset.zip((tf.data.Dataset.from_tensors(epoch).repeat(), numbers, positions))

    table = np.array([[part.epoch, part.first, part.last] for part in parts], np.int64).reshape(-1, 3)
    return tf.data.Dataset.from_tensor_slices(tuple(table.T)).flat_map(order)


def validation_batches(
    subset: Subset,
    task: Task,
    architecture: Architecture,
    recipe: Recipe,
    process: int = 0,
    processes: int = 1,
) -> tf.data.Dataset:
    """Batches of (images, labels), class indices or one-hot, in the order of `subset`; of those, the ones
    that are for one of several processes.
    """
    labels = labels_for(recipe.loss, subset.labels, len(task.classes))

    def prepare(batch: Any) -> tuple[Any, Any]:
        return architecture.prepare(gather(subset.images, batch)), tf.gather(labels, batch)

    indices = tf.data.Dataset.range(len(subset)).batch(recipe.batch_size).shard(processes, process)
    return indices.map(prepare, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
