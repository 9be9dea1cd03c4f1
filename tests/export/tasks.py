"""Small tasks of other shapes, images of them, and runs that are quick to make."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.data import Picture, Splits, Subset, Task
from edgefashion.models import ARCHITECTURES, Architecture
from edgefashion.recipes import NAMED_RECIPES, RECIPES
from edgefashion.tensorflow import keras
from edgefashion.training.runs import MODEL, Run
from edgefashion.training.trained import architecture_for

SIGNS = Task("signs", (40, 24, 3), ("stop", "yield", "go"), Picture("crop", (255,) * 3, (0,) * 3))
LEAVES = Task("leaves", (32, 20, 1), ("oak", "elm"), Picture("pad", (255,), (255,)))


def pictures(task: Task, count: int, seed: int) -> Subset:
    """`count` images of stripes, whose direction and color tell the class, in noise."""
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % len(task.classes)).astype(task.label_dtype)
    rows, columns = np.mgrid[: task.height, : task.width]
    images = random.integers(0, 256, (count, *task.image_shape)) / 4
    for image, label in zip(images, labels, strict=True):
        stripes = np.sin((rows * (label + 1) + columns * (3 - label)) / 4 + random.uniform(0, 6))
        image[..., label % task.channels] += 96 * (1 + stripes)
    images[:, 0, 0], images[:, -1, -1] = 0, 255
    return Subset(np.clip(images, 0, 255).astype(np.uint8), labels, np.arange(count))


def splits_of(task: Task) -> Splits:
    return Splits(pictures(task, 60, 0), pictures(task, 60, 1), pictures(task, 30, 2), task)


def run_of(folder: Path, task: Task, name: str, fine_tuning: Any = None) -> Run:
    """A run of random weights but for the last layer, which is solved for; pruned or quantization-aware,
    where asked for.
    """
    keras.utils.set_random_seed(0)
    train = pictures(task, 60, 0)
    architecture = ARCHITECTURES[name]
    model = architecture.build(task, None)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(architecture.prepare(train.images), training=True)
    solve_last(model, architecture.prepare(train.images), train.labels)
    if fine_tuning:
        model = tuned(architecture, model, task, fine_tuning, train.images)
    folder.mkdir(parents=True)
    model.save(folder / MODEL)
    recipe = replace({**NAMED_RECIPES, **RECIPES}[name], fine_tuning=fine_tuning)
    info = {"recipe": recipe.as_dict(), "task": task.to_dict(), "id": "0" * 12, "small_run": True}
    data = {"name": task.name, "complete": False, "checksums": {}}
    return Run(folder, {**info, "data": data})


def solve_last(model: keras.Model, inputs: Any, labels: npt.NDArray[Any]) -> None:
    """Give the last dense layer those weights whose logits are nearest to 4 for the class and 0 else."""
    last = model.layers[-1]
    features = np.asarray(keras.Model(model.input, last.input)(inputs, training=False))
    classes = last.output_shape[-1]
    with_ones = np.hstack([features, np.ones((len(features), 1), np.float32)])
    gram = with_ones.T @ with_ones + np.float32(0.1) * np.eye(with_ones.shape[1], dtype=np.float32)
    solved = np.linalg.solve(gram, with_ones.T @ (4 * np.eye(classes, dtype=np.float32)[labels]))
    last.set_weights([solved[:-1], solved[-1]])


def tuned(
    architecture: Architecture, model: keras.Model, task: Task, fine_tuning: str, images: Any
) -> keras.Model:
    """The model as it is deployed, with half of its dense weights 0 or the rounding of int8 in it."""
    deployed = architecture.fold(model, task)
    if fine_tuning == "qat":
        from edgefashion.models.quantization_aware import quantize

        result = quantize(deployed, architecture.normalization)
        result(architecture_for(architecture.name, "qat").prepare(images), training=True)
        return result
    for layer in deployed.layers:
        if isinstance(layer, keras.layers.Dense) and layer is not deployed.layers[-1]:
            kernel, bias = layer.get_weights()
            layer.set_weights([np.where(np.abs(kernel) < np.median(np.abs(kernel)), 0, kernel), bias])
    return deployed


Make = Callable[..., Run]
