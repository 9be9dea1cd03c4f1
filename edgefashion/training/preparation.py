"""What a training is made of before its first step: images, model, and who shares the work."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgefashion.data import Dataset, Splits, Task, split
from edgefashion.data.splits import with_validation
from edgefashion.errors import BadInput
from edgefashion.models import Architecture, check_size
from edgefashion.models import replicas as layers
from edgefashion.recipes import Recipe
from edgefashion.reporting import Report
from edgefashion.tensorflow import keras
from edgefashion.training import checkpoints, frozen_layers, taught
from edgefashion.training.checkpoints import TrainingState
from edgefashion.training.input_pipeline import Array, batches_of, steps_of, validation_batches
from edgefashion.training.loop import TrainingLoop, parts_of
from edgefashion.training.replicas import ALONE, Replicas
from edgefashion.training.teacher import Teacher, resolve_teachers
from edgefashion.training.trained import architecture_for, compression_for
from edgefashion.training.trainer import Learner


@dataclass(frozen=True)
class Preparation:
    """What the steps of a training have in common. `taught` are the logits of teachers."""

    recipe: Recipe
    splits: Splits
    taught: Array | None = None
    replicas: Replicas = ALONE

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return steps_of(len(self.splits.train), self.recipe.batch_size)

    def learner(self, state: TrainingState | None) -> Learner:
        """A model at its start, or as it was at the last checkpoint of `state`."""
        recipe, task = self.recipe, self.splits.task
        keras.utils.set_random_seed(recipe.seed)
        keras.mixed_precision.set_global_policy("mixed_float16" if recipe.mixed_precision else "float32")
        model = build(recipe, task, self.steps, None if state else recipe.weights)
        learner = Learner(
            recipe,
            self.steps * recipe.epochs,
            lambda: build(recipe, task, self.steps),
            model if self.replicas.count == 1 else layers.synchronized(model),
            front(recipe, task),
            np.bincount(self.splits.train.labels, minlength=len(task.classes)),
            self.replicas,
        )
        if state:
            learner.restore(checkpoints.load(state.last, learner.arrays()))
        return learner

    def fit(self, learner: Learner, state: TrainingState, callbacks: list[keras.callbacks.Callback]) -> None:
        """All epochs from where `state` stands."""
        recipe, splits, replicas = self.recipe, self.splits, self.replicas
        learner.follow_chief()
        state.go_on_from(*replicas.sum(np.array([state.epoch, state.batch], float)).astype(int).tolist())
        made = architecture(recipe)
        own = (replicas.number, replicas.processes)
        validation = validation_batches(splits.validation, splits.task, made, recipe, *own)
        loop = TrainingLoop(learner, state, validation, self.steps, callbacks)
        parts = parts_of(recipe, self.steps, state.epoch, state.batch)
        batches = [
            iter(batches_of(parts, splits.train, splits.task, made, recipe, self.taught, share))
            for share in replicas.shares()
        ]
        for part in parts:
            loop.run(part, batches)


def checked(recipe: Recipe, dataset: Dataset, report: Report) -> tuple[Recipe, Sequence[Teacher]]:
    """The recipe with its teachers resolved, and the teachers. Raises BadInput where they do not fit."""
    recipe.check()
    recipe.check_shift(dataset.task.height, dataset.task.width)
    if recipe.use_validation and dataset.fold:
        raise BadInput(
            "the last model of several folds is measured on its validation pictures alone: leave out "
            "use_validation"
        )
    check_size(architecture_for(recipe), dataset.task)
    return resolve_teachers(recipe, dataset, report)


def prepare(
    recipe: Recipe,
    teachers: Sequence[Teacher],
    dataset: Dataset,
    folder: Path,
    replicas: Replicas,
    report: Report,
) -> Preparation:
    """What `recipe` needs of a data set, with what its `teachers` say of it, and what its frozen
    layers give, which is kept in a file without a name in `folder`.
    """
    splits = split(dataset, recipe.limit)
    if recipe.use_validation:
        splits = with_validation(splits)
    logits = taught.mean_logits(teachers, splits, taught.cache_folder(), report)
    if recipe.frozen and not recipe.augments:
        whole = architecture_for(recipe)
        splits = frozen_layers.features(whole, recipe.weights, recipe.frozen, splits, folder, report)
    return Preparation(recipe, splits, logits, replicas)


def architecture(recipe: Recipe) -> Architecture:
    """That of what is trained: of the whole model, or of the layers that are not frozen."""
    whole = architecture_for(recipe)
    if not recipe.frozen:
        return whole
    behind = frozen_layers.behind if recipe.augments else frozen_layers.on_features
    return behind(whole, recipe.frozen)


def front(recipe: Recipe, task: Task) -> keras.Model | None:
    """The frozen layers, with their weights, where each image goes through them whenever it is seen."""
    if not (recipe.frozen and recipe.augments):
        return None
    return frozen_layers.split(architecture_for(recipe).build(task, recipe.weights), recipe.frozen)[0]


def build(recipe: Recipe, task: Task, steps: int, weights: str | None = None) -> keras.Model:
    """The model as it is trained, with the initial `weights` where they are named."""
    return compression_for(recipe).wrap(architecture(recipe).build(task, weights), steps)
