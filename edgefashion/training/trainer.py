"""A model in training: one step, validation, and everything that a resumed training needs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from edgefashion.models import replicas as layers
from edgefashion.recipes import Recipe
from edgefashion.stats import balanced_accuracy
from edgefashion.tensorflow import keras, tf
from edgefashion.training import optimizers
from edgefashion.training.balance import Counts, class_weights, is_uneven
from edgefashion.training.distillation import divergence
from edgefashion.training.input_pipeline import Array
from edgefashion.training.replicas import ALONE, Replicas

LOSSES = {
    "sparse_categorical_crossentropy": keras.losses.SparseCategoricalCrossentropy,
    "categorical_crossentropy": keras.losses.CategoricalCrossentropy,
}


class Learner:
    """The model in training, its optimizer, and `kept`: what is validated and kept.

    That is the model itself, or where the recipe asks for an average a second model, whose weights are the
    moving average of the first's over the steps: w' = d w' + (1 - d) w, where d grows with the number n of
    the step as (1 + n) / (10 + n) to the recipe's decay. The statistics of batch normalization are averaged
    as the weights are, so that those that belong together cover the same steps.
    """

    def __init__(
        self,
        recipe: Recipe,
        steps: int,
        build: Callable[[], keras.Model],
        model: keras.Model,
        front: keras.Model | None = None,
        counts: Counts | None = None,
        replicas: Replicas = ALONE,
    ) -> None:
        """`steps` is that of the whole training; `build` makes another model like `model`, and `front` comes
        before it and learns nothing. `counts` are the images to learn from of each class. `model` is made
        for `replicas`.
        """
        self.recipe, self.model, self.front, self.replicas = recipe, model, front, replicas
        model.compile(optimizers.optimizer(recipe, steps, model))
        self.optimizer = model.optimizer
        self.optimizer.build(model.trainable_variables)
        self.kept = model
        if recipe.ema:
            self.kept = build()
            self.kept.set_weights(model.get_weights())
        self.losses = LOSSES[recipe.loss](from_logits=True, reduction=keras.losses.Reduction.NONE)
        self.uneven = counts is not None and is_uneven(counts)
        self.weights = class_weights(counts) if recipe.balance and counts is not None else None
        self.validated = 0
        """How many images the last validation had."""
        self.seen = keras.metrics.Mean(), keras.metrics.Mean()
        self.step = tf.function(self._step)
        """Learn from the next of the batches, (images, labels) or (images, labels, logits of the teacher)."""
        images = tf.TensorSpec((front or model).input_shape, tf.float32)
        self.forward = tf.function(
            lambda images: self.kept(self._behind_front(images), training=False), [images]
        )

    def _step(self, *batches: Any) -> None:
        gradients, loss, accuracy, count = self.replicas.run(self._learn, batches)
        self.optimizer.apply_gradients(zip(gradients, self.model.trainable_variables, strict=True))
        self._average()
        self.seen[0].update_state(loss, count)
        self.seen[1].update_state(accuracy, count)

    def _learn(self, batch: Any) -> Any:
        """Gradients, loss and accuracy of a batch, and how many images it has, all replicas together."""
        images, labels, *taught = batch
        several = self.replicas.count > 1
        features = self._behind_front(images)
        with tf.GradientTape() as tape:
            logits = self.model(features, training=True)
            loss = self._mean_loss(labels, logits, self._weights_of(labels))
            if taught:
                share, temperature = self.recipe.distillation, self.recipe.temperature
                loss = (1 - share) * loss + share * divergence(taught[0], logits, temperature)
            if several:  # what a replica adds to the mean of a whole batch, be its own share empty
                loss = tf.math.multiply_no_nan(
                    loss, tf.cast(tf.shape(labels)[0], loss.dtype) / self.recipe.batch_size
                )
        pairs = self.optimizer.compute_gradients(loss, self.model.trainable_variables, tape)
        gradients, hits = [gradient for gradient, _ in pairs], right(labels, logits)
        if several:
            return self._together(gradients, loss, hits)
        return gradients, loss, tf.reduce_mean(hits), tf.size(hits)

    def _mean_loss(self, labels: Any, logits: Any, weights: Any = None) -> Any:
        losses = self.losses(labels, logits, weights)
        return tf.math.divide_no_nan(tf.reduce_sum(losses), tf.cast(tf.size(losses), losses.dtype))

    def _together(self, gradients: Any, loss: Any, hits: Any) -> Any:
        *sums, loss, right, count = layers.total(
            [*gradients, loss, tf.reduce_sum(hits), tf.cast(tf.size(hits), tf.float32)]
        )
        whole = self.recipe.batch_size / count  # the last batch of an epoch may be smaller
        return [one * whole for one in sums], loss * whole, right / count, count

    def _weights_of(self, labels: Any) -> Any:
        """What each image counts, float32 [N], or None for all the same."""
        if self.weights is None:
            return None
        if len(labels.shape) == 1:
            return tf.gather(self.weights, labels)
        return tf.linalg.matvec(labels, self.weights)

    def _behind_front(self, images: Any) -> Any:
        return images if self.front is None else self.front(images, training=False)

    def _average(self) -> None:
        if self.kept is self.model:
            return
        number = tf.cast(self.optimizer.iterations, tf.float32)
        decay = tf.minimum(self.recipe.ema, (1 + number) / (10 + number))
        for mean, now in zip(self.kept.weights, self.model.weights, strict=True):
            # What QAT counts in integers is no weight.
            mean.assign(mean + (1 - decay) * (now - mean) if mean.dtype.is_floating else now)

    def begin_epoch(self) -> None:
        """Forget the loss and accuracy seen so far."""
        for metric in self.seen:
            metric.reset_state()

    def metrics(self) -> dict[str, float]:
        """Loss and accuracy over the images of this epoch, as they were when each was learned from."""
        return {"loss": float(self.seen[0].result()), "accuracy": float(self.seen[1].result())}

    def validate(self, batches: Any) -> dict[str, float]:
        """Loss and accuracy of the model that is kept; balanced accuracy too where the classes are uneven."""
        losses, hits, count = 0.0, 0.0, 0.0
        wanted, found = [], []
        for images, labels in batches:
            logits = self.forward(images)
            number = len(labels)
            losses += number * float(self._mean_loss(labels, logits))
            right_ones = right(labels, logits)
            hits += float(tf.reduce_sum(right_ones))
            count += number
            wanted.append(class_indices(labels))
            found.append(right_ones)
        losses, hits, count = map(float, self.replicas.sum(np.array([losses, hits, count])))
        self.validated = int(count)
        metrics = {"val_loss": losses / count, "val_accuracy": hits / count}
        if self.uneven:
            labels_seen, hits_seen = (
                self.replicas.join(np.concatenate(parts or [[]])) for parts in (wanted, found)
            )
            metrics["val_balanced_accuracy"] = balanced_accuracy(hits_seen, labels_seen.astype(int))
        return metrics

    def arrays(self) -> dict[str, Array]:
        """All that a resumed training starts with."""
        return {name: variable.numpy() for name, variable in self._variables().items()}

    def restore(self, arrays: dict[str, Array]) -> None:
        """Take over what `arrays` gave. Raises ValueError where it is of another model."""
        variables = self._variables()
        if variables.keys() != arrays.keys():
            raise ValueError("not the variables of this model")
        for name, variable in variables.items():
            variable.assign(arrays[name])

    def follow_chief(self) -> None:
        """Take over what the chief has, where several processes train: not all processors round alike."""
        if self.replicas.processes > 1:
            self.restore(self.replicas.from_chief(self.arrays()))

    def _variables(self) -> dict[str, Any]:
        groups = {
            "kept": list(self.kept.weights),
            "model": [] if self.kept is self.model else list(self.model.weights),
            "optimizer": list(self.optimizer.variables),
            "metric": [variable for metric in self.seen for variable in metric.variables],
        }
        if isinstance(self.optimizer, keras.mixed_precision.LossScaleOptimizer):
            state = self.optimizer._loss_scale
            groups["scale"] = [state.current_loss_scale, state.counter]
        return {f"{group}-{number}": one for group, all in groups.items() for number, one in enumerate(all)}


def kept_arrays(model: keras.Model) -> dict[str, Array]:
    """The weights of a model by the names that `Learner.arrays` gives those of the model that is kept."""
    return {f"kept-{number}": value for number, value in enumerate(model.get_weights())}


def class_indices(labels: Any) -> Any:
    """[N], of class indices as they are, or of one-hot labels [N, classes]."""
    return labels if len(labels.shape) == 1 else tf.argmax(labels, 1)


def right(labels: Any, logits: Any) -> Any:
    """1 where the likeliest class is the label's, else 0: float32 [N]. Labels are classes or one-hot."""
    wanted = class_indices(labels)
    found = tf.argmax(logits, 1)
    return tf.cast(tf.equal(found, tf.cast(wanted, found.dtype)), tf.float32)
