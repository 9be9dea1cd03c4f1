"""Which class each output of a model is for: the sorted names, as the user says, or as pictures show.

Outputs are matched with classes by the assignment under which most pictures are right (Kuhn 1955), on two
halves of them: that of one half is judged on the other, so that it is not believed for having been fitted.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.errors import BadInput
from edgefashion.errors.wording import setting
from edgefashion.files import reading
from edgefashion.stats import paired

MOST = 0.5
"""Of the pictures of a class, what is to be right where its output is not in its place."""
CHANCE = 0.001
"""The p value below which another order than the sorted one is believed."""
Classes = npt.NDArray[np.intp]
"""Positions in the classes of a task."""


def read_labels(path: Path) -> tuple[str, ...]:
    """The names of the outputs, in their order: a JSON list, or a name a line. Raises BadInput for any other
    file, an empty name and one that is there twice.
    """
    text = reading.read_text(path, "the labels of a model", BadInput)
    if text.lstrip().startswith("["):
        found = reading.load_json(text.encode(), str(path), "a list of labels", BadInput, mend="name another")
        if not all(isinstance(name, str) for name in found):
            raise BadInput(f"{path} is to be a JSON list of names, and holds something else")
        names = tuple(found)
    else:
        names = tuple(line.strip() for line in text.rstrip().splitlines())
    if empty := [number for number, name in enumerate(names, 1) if not name.strip()]:
        raise BadInput(f"{path} has no name in place {empty[0]}: name every output, in their order")
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise BadInput(f"{path} has {twice[0]!r} twice: give every output a name of its own")
    return names


def listed(names: Sequence[str]) -> str:
    """The first few of them, and a sign where there are more."""
    return f"{', '.join(names[:5])}{', …' if len(names) > 5 else ''}"


def check_count(outputs: int, classes: Sequence[str], given: Path | None) -> None:
    """Raise BadInput unless a model has an output for each class: of the file `given`, else of the data."""
    if outputs == len(classes):
        return
    number = f"the model has {outputs} output{'s' if outputs > 1 else ''}"
    if given:
        raise BadInput(f"{given} has {len(classes)} names, and {number}: it has to name each, in their order")
    known = f"{number}, and the pictures are of {len(classes)} classes ({listed(classes)})"
    if outputs > len(classes):
        raise BadInput(f"{known}: say with {setting('--labels')} FILE what each output is for")
    raise BadInput(f"{known}, of which it cannot know all: name pictures of those it was trained on")


def found_order(outputs: Classes, labels: Classes, count: int) -> Classes | None:
    """The class of each output, [count], where another order than the given one is right so much more often
    that chance does not explain it, and on most pictures of each class that changes places; None where none
    is. A model that is shown pictures as it never saw any may take one class for another: that is no order.

    `outputs` are the largest outputs for pictures, [N], `labels` their classes.
    """
    half = _halves(labels)
    first, second, whole = (
        _assignment(outputs[part], labels[part], count) for part in (half, ~half, np.ones_like(half))
    )
    moved = whole != np.arange(count)
    if (first != whole)[moved].any() or (second != whole)[moved].any():
        return None
    recalls = np.array([np.mean(whole[outputs[labels == label]] == label) for label in whole[moved]])
    if (recalls <= MOST).any():
        return None
    crossed = np.where(half, second[outputs], first[outputs]) == labels
    given = outputs == labels
    better = crossed.sum() > given.sum() and paired(crossed, given) < CHANCE
    return whole if better else None


def _halves(labels: Classes) -> npt.NDArray[np.bool_]:
    """Every second picture of each class, bool [N]."""
    half = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        half[np.flatnonzero(labels == label)[::2]] = True
    return half


def _assignment(outputs: Classes, labels: Classes, count: int) -> Classes:
    """The class of each output, [count], under which every class counts alike and most pictures are right."""
    from scipy.optimize import linear_sum_assignment

    table: npt.NDArray[Any] = np.zeros((count, count))
    np.add.at(table, (outputs, labels), 1)
    shares = table / np.maximum(table.sum(axis=0), 1)
    shares[np.arange(count), np.arange(count)] += 1e-6  # what no picture tells stays as it is
    _, order = linear_sum_assignment(shares, maximize=True)
    return np.asarray(order, np.intp)
