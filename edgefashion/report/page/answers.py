"""Which images a model confuses, and how sure it was of that."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgefashion.evaluation.scores import reference
from edgefashion.report.card import Card
from edgefashion.stats import log_softmax, paired_interval


@dataclass(frozen=True)
class Mistake:
    """A test image that the model takes for another class than its own."""

    position: int
    """Among the test images."""
    label: int
    taken_for: int
    probability: float
    """That the model gives to the class it takes the image for."""


@dataclass(frozen=True)
class Paired:
    """A file beside its float32 reference, on the same images."""

    file: str
    images: int
    better: int
    """Images that only this file gets right."""
    worse: int
    """Images that only the reference gets right."""
    difference: float
    low: float
    high: float
    """The 95 % interval of the difference, see `stats.paired_interval`."""


def mistakes(card: Card) -> list[Mistake]:
    """Those of the card's deployed file, the surest first."""
    reply = card.replies[card.deployed]
    classes = reply.classes
    assert reply.logits is not None and classes is not None
    sure = np.exp(log_softmax(reply.logits).max(axis=1))
    wrong = np.flatnonzero(classes != card.labels)
    order = wrong[np.argsort(-sure[wrong], kind="stable")]
    return [Mistake(int(i), int(card.labels[i]), int(classes[i]), float(sure[i])) for i in order]


def paired(card: Card) -> list[Paired]:
    """Each file of a card that has a reference there, beside that."""
    found = []
    for number, own in enumerate(card.artifacts):
        place = reference(card.artifacts, number)
        if place is None or place == number:
            continue
        right, other = _right(card, number), _right(card, place)
        better, worse, n = int((right & ~other).sum()), int((other & ~right).sum()), len(card.labels)
        ends = paired_interval(better, worse, n)
        found.append(Paired(own.path.name, n, better, worse, (better - worse) / n, *ends))
    return found


def _right(card: Card, number: int) -> NDArray[np.bool_]:
    """Which images a file of the card gives their own class, [N]."""
    classes = card.replies[number].classes
    assert classes is not None
    right: NDArray[np.bool_] = classes == card.labels
    return right
