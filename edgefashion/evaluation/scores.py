"""How good predictions are, and how they differ from those of a reference.

The reference is a float32 artifact: that of the run which the artifact's own was fine-tuned from, if it is
there, else that of its own run; in the same format if there is one, else in another. A float32
artifact in another runtime than the first one that runs it is compared with that. An artifact without any,
like the float32 of a run that was not fine-tuned, compares with nothing, and those fields are null.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgefashion.artifacts.artifact import Artifact
from edgefashion.evaluation.predictions import Candidate, Classes, Labels, Predictions
from edgefashion.records.results import Recall
from edgefashion.stats import balanced_accuracy, mean_interval, paired, paired_balanced, wilson_interval
from edgefashion.task import Task


@dataclass(frozen=True)
class Score:
    """The fields of a row that come from predictions; None where there are none. See `records.results`."""

    images: int | None = None
    accuracy: float | None = None
    accuracy_ci95: tuple[float, float] | None = None
    accuracy_delta: float | None = None
    agreement: float | None = None
    mcnemar_p: float | None = None
    balanced_accuracy: float | None = None
    balanced_accuracy_ci95: tuple[float, float] | None = None
    balanced_accuracy_delta: float | None = None
    balanced_p: float | None = None
    recalls: tuple[Recall, ...] = ()


def score(subjects: Sequence[Candidate], answers: Sequence[Predictions], number: int) -> Score:
    """How good an artifact's predictions are, and how they differ from those of its reference."""
    own, sample = answers[number].classes, subjects[number].sample
    if own is None or sample is None:
        return Score()
    labels = sample.labels
    right = own == labels
    correct, n = int(right.sum()), len(labels)
    found = Score(n, correct / n, wilson_interval(correct, n), **_balanced(own, labels, sample.task))
    same = [index for index, subject in enumerate(subjects) if subject.sample is sample]
    index = reference([subjects[index].artifact for index in same], same.index(number))
    other = None if index is None else answers[same[index]].classes
    if other is None:
        return found
    other_right = other == labels
    return replace(
        found,
        accuracy_delta=(correct - int(other_right.sum())) / n,
        agreement=float(np.mean(own == other)),
        mcnemar_p=paired(right, other_right),
        balanced_accuracy_delta=balanced_accuracy(right, labels) - balanced_accuracy(other_right, labels),
        balanced_p=paired_balanced(right, other_right, labels),
    )


def _balanced(classes: Classes, labels: Labels, task: Task) -> dict[str, Any]:
    """The fields of a score in which every class counts for one."""
    found = recalls(classes, labels, task)
    interval = mean_interval([(each.right, each.images) for each in found if each.images])
    return {
        "balanced_accuracy": balanced_accuracy(classes == labels, labels),
        "balanced_accuracy_ci95": interval,
        "recalls": found,
    }


def recalls(classes: Classes, labels: Labels, task: Task) -> tuple[Recall, ...]:
    """How often the images of each class of a task are given it: predicted classes and `labels` are [N]."""
    count = len(task.classes)
    images, right = (np.bincount(each, minlength=count) for each in (labels, labels[classes == labels]))
    return tuple(
        Recall(
            name=name,
            images=n,
            right=correct,
            recall=correct / n if n else None,
            ci95=wilson_interval(correct, n) if n else None,
        )
        for name, n, correct in zip(task.classes, images.tolist(), right.tolist(), strict=True)
    )


def reference(artifacts: Sequence[Artifact], number: int) -> int | None:
    """Which of the artifacts the one at `number` is compared with; None for none."""
    own = artifacts[number]
    runs = [own.base_run_id] if own.precision == "float32" else [own.base_run_id, own.run_id]
    for run_id in filter(None, runs):
        floats = [
            index
            for index, other in enumerate(artifacts)
            if other.run_id == run_id and other.precision == "float32"
        ]
        same = [index for index in floats if artifacts[index].format == own.format]
        if floats:
            return (same or floats)[0]
    first = next(index for index, other in enumerate(artifacts) if other.path == own.path)
    return first if first < number and own.precision == "float32" else None
