"""How fast a model learns from one feed of batches and from another, in turns on the same machine."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from statistics import median
from typing import Any

from edgefashion import device
from edgefashion.data.fashion_mnist import FASHION_MNIST
from edgefashion.models import ARCHITECTURES
from edgefashion.recipes import Recipe
from edgefashion.task import Task
from edgefashion.tensorflow import keras, tf
from edgefashion.training.trainer import Learner

WARM_UP_STEPS = 20
UNCOUNTED_STEPS = 3  # of each turn: they may find batches that were prepared during the other's
Feed = Iterator[tuple[Any, Any]]
Clock = Callable[[], float]
Speeds = dict[str, list[float]]


def trainer(recipe: Recipe, task: Task = FASHION_MNIST) -> Callable[[Feed], None]:
    """One training step, which draws its batch itself; random weights, for no speed depends on them."""

    def build() -> keras.Model:
        return ARCHITECTURES[recipe.model].build(task, None)

    learner = Learner(recipe, steps=10_000, build=build, model=build())

    def step(feed: Feed) -> None:
        learner.step(feed)
        learner.optimizer.iterations.numpy()  # wait for it

    return step


def in_turns(
    step: Callable[[Feed], Any],
    feeds: dict[str, Feed],
    seconds: float,
    repeats: int,
    batch_size: int,
    clock: Clock = time.perf_counter,
) -> Speeds:
    """Images a second of each feed, in turns of so many seconds of the clock, in alternating order."""
    speeds: Speeds = {name: [] for name in feeds}
    for feed in feeds.values():
        for _ in range(WARM_UP_STEPS):
            step(feed)
    for repeat in range(repeats):
        for name in sorted(feeds, reverse=bool(repeat % 2)):
            speeds[name].append(speed(step, feeds[name], seconds, batch_size, clock))
    return speeds


def speed(
    step: Callable[[Feed], Any],
    feed: Feed,
    seconds: float,
    batch_size: int,
    clock: Clock = time.perf_counter,
) -> float:
    """Images a second over so many seconds."""
    for _ in range(UNCOUNTED_STEPS):
        step(feed)
    steps, begin = 0, clock()
    while clock() - begin < seconds:
        step(feed)
        steps += 1
    return steps * batch_size / (clock() - begin)


def spread(values: list[float], digits: int) -> str:
    """Median and extremes."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def ratios(speeds: Speeds, one: str, other: str) -> list[float]:
    """Of each pair of turns that follow each other: the speed of one feed over that of the other."""
    return [a / b for a, b in zip(speeds[one], speeds[other], strict=True)]


def machine() -> str:
    """What was measured, where and when."""
    found = device.describe()
    return (
        f"{found.cpu}, {found.cores} cores, {found.os}, Python {found.python}\n"
        f"TensorFlow {tf.__version__}, tf_keras {keras.__version__}, {datetime.now(UTC):%Y-%m-%d}"
    )
