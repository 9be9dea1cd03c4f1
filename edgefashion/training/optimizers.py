"""The optimizer and the learning rate of each step that a recipe asks for."""

from typing import Any

from edgefashion.recipes import Recipe
from edgefashion.tensorflow import keras

MOMENTUM = 0.9


def learning_rate(recipe: Recipe, steps: int) -> Any:
    """A constant, or the schedule over all `steps` of the training."""
    highest = recipe.learning_rate
    if recipe.schedule == "constant":
        return highest
    if recipe.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(highest, steps)
    rising = round(recipe.warm_up * steps)
    if not rising:
        return keras.optimizers.schedules.CosineDecay(highest, steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - rising, warmup_target=highest, warmup_steps=rising
    )


def optimizer(recipe: Recipe, steps: int, model: keras.Model) -> keras.optimizers.Optimizer:
    """The optimizer of a model that is trained for so many `steps`."""
    rate = learning_rate(recipe, steps)
    decay = recipe.weight_decay or None
    if recipe.optimizer == "sgd":
        chosen = keras.optimizers.SGD(rate, momentum=MOMENTUM, nesterov=True, weight_decay=decay)
    else:
        chosen = keras.optimizers.Adam(rate, weight_decay=decay)
    if decay:
        vectors = [variable for variable in model.trainable_variables if len(variable.shape) < 2]
        chosen.exclude_from_weight_decay(vectors)
    return chosen
