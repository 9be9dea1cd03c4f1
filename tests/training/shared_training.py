"""A process that trains tiny models with others: shared_training.py OUT.npz [alone]; see test_replicas.

With "alone" it trains first by itself, then by two replicas on two virtual processors; else with those that
TF_CONFIG names, and goes on until one of them is lost, which it says.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgefashion.data import FASHION_MNIST, Dataset, Splits, Subset
from edgefashion.errors import WorkerLost
from edgefashion.models import ARCHITECTURES
from edgefashion.models.quantization_aware import quantize
from edgefashion.recipes import RECIPES, Recipe
from edgefashion.task import Task
from edgefashion.tensorflow import keras, tf
from edgefashion.training.cluster import from_environment
from edgefashion.training.joining import Unwritten, join, naming_lost
from edgefashion.training.preparation import Preparation
from edgefashion.training.replicas import ALONE, Replicas, several

CNN = ARCHITECTURES["cnn"]
AUGMENTED = replace(
    RECIPES["cnn"],
    epochs=3,
    batch_size=8,
    flip=True,
    crop=0.6,
    rotate=10.0,
    contrast=0.2,
    erase=0.5,
    mixup=0.4,
    label_smoothing=0.1,
    loss="categorical_crossentropy",
    ema=0.9,
    balance=True,
    distillation=0.5,
    temperature=2.0,
)
QUANTIZED = replace(RECIPES["cnn"], epochs=3, batch_size=8)


def tiny(normal: bool) -> keras.Model:
    image = keras.Input((28, 28, 1))
    # A bias that the mean is taken from learns from rounding alone.
    tensor = keras.layers.Conv2D(4, 5, 3, use_bias=not normal, name="conv")(image)
    if normal:
        tensor = keras.layers.BatchNormalization(name="norm")(tensor)
    tensor = keras.layers.Activation("relu", name="relu")(tensor)
    tensor = keras.layers.Flatten(name="flat")(tensor)
    return keras.Model(image, keras.layers.Dense(10, name="logits")(tensor))


def normalized(task: Task, weights: str | None) -> keras.Model:
    return tiny(normal=True)


def quantized(task: Task, weights: str | None) -> keras.Model:
    return quantize(tiny(normal=False), CNN.normalization)


def splits() -> Splits:
    """Noise, in which no two numbers are the same by chance; the last batch of an epoch is of 3 images."""
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (39, 28, 28, 1), np.uint8)
    labels = (np.arange(39) % 10 * (np.arange(39) % 3 > 0)).astype(np.uint8)
    train, validation = slice(0, 19), slice(19, 39)
    made = [Subset(images[part], labels[part], np.arange(39)[part]) for part in (train, validation)]
    return Splits(*made, made[1], FASHION_MNIST)


Arrays = dict[str, Any]


def fitted(
    recipe: Recipe, build: Any, replicas: Replicas, then: Callable[[Arrays], None] = lambda _: None
) -> Arrays:
    """What is kept, what is trained and what was measured; `then` gets it after three epochs."""
    ARCHITECTURES["cnn"] = replace(CNN, build=build)
    taught = np.random.default_rng(2).normal(size=(2, 19, 10)).astype(np.float32)
    prepared = Preparation(recipe, splits(), taught if recipe.distillation else None, replicas)
    learner = prepared.learner(None)
    found: Arrays = {}

    def tell(epoch: int, logs: dict[str, float]) -> None:
        found[f"{build.__name__}-metrics-{epoch}"] = np.array(list(logs.values()))
        if epoch == 2:
            arrays = (*learner.kept.get_weights(), *learner.model.get_weights())
            found.update({f"{build.__name__}-weights-{number}": array for number, array in enumerate(arrays)})
            then(found)

    prepared.fit(learner, Unwritten(recipe), [keras.callbacks.LambdaCallback(on_epoch_end=tell)])
    return found


def trained(replicas: Replicas) -> Arrays:
    return fitted(AUGMENTED, normalized, replicas) | fitted(QUANTIZED, quantized, replicas)


def main(out: Path, alone: bool) -> None:
    if alone:
        cpu, one = tf.config.list_physical_devices("CPU")[0], tf.config.LogicalDeviceConfiguration()
        tf.config.set_logical_device_configuration(cpu, [one, one])
        np.savez(out, **trained(ALONE))
        np.savez(out.with_name("devices.npz"), **trained(several(None, ["CPU:0", "CPU:1"])))
        return
    cluster = from_environment()
    noise = splits()
    dataset = Dataset("noise", Path(), {}, noise.train, noise.test, FASHION_MNIST)
    replicas = join(cluster, AUGMENTED, dataset)
    first = fitted(AUGMENTED, normalized, replicas)

    def keep(second: Arrays) -> None:
        np.savez(out, **first, **second)
        print("trained", flush=True)

    try:
        with naming_lost(cluster):
            fitted(replace(QUANTIZED, epochs=1_000_000), quantized, replicas, keep)
    except WorkerLost as error:
        print(error, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), "alone" in sys.argv)
