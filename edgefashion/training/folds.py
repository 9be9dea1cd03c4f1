"""One recipe trained once for each fold of a small data set, so that every picture judges a model that never
saw it, and a last time on all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import structs, to_builtins

from edgefashion import files
from edgefashion.data import Dataset
from edgefashion.data.folds import folds, whole
from edgefashion.recipes import Recipe
from edgefashion.records.values import Pooled
from edgefashion.stats import balanced_accuracy, wilson_interval
from edgefashion.training import runs
from edgefashion.training.runs import Run

Classes = npt.NDArray[np.integer[Any]]
Answers = dict[str, Classes]
"""Precision → the class that a model of a fold gives each of its test images, [N]."""


@dataclass(frozen=True)
class Folds:
    """What came of each fold, and of all together, by precision."""

    recipe: dict[str, object]
    runs: list[dict[str, object]]
    pooled: dict[str, Pooled]


def train_folds(
    recipe: Recipe,
    dataset: Dataset,
    folder: Path,
    count: int,
    fit: Callable[[Recipe, Dataset, Path], Run],
    judge: Callable[[Run, Dataset], Answers],
) -> tuple[Run, Folds]:
    """Train `folder`-fold-1 and so on with `fit`, and `folder` itself on all; `judge` classifies the test
    images of a fold with what came of it.

    The figures stand in `folder`-folds.json, and the pooled ones in the record of the run `folder` too.
    Raises BadInput for a class that cannot be shared out, and what `fit` and `judge` raise.
    """
    found: list[dict[str, object]] = []
    labels: list[Classes] = []
    answers: list[Answers] = []
    for number, fold in enumerate(folds(dataset, count), 1):
        run = fit(recipe, fold, folder.with_name(f"{folder.name}-fold-{number}"))
        labels.append(fold.test.labels)
        answers.append(judge(run, fold))
        right = {name: int((own == fold.test.labels).sum()) for name, own in answers[-1].items()}
        found.append({"run": run.name, "id": run.id, "pictures": len(fold.test), "right": right})
    result = Folds(recipe.as_dict(), found, pool(labels, answers))
    files.write_json(folder.with_name(f"{folder.name}-folds.json"), to_builtins(result))
    return _record(fit(recipe, whole(dataset, count), folder), result), result


def pool(labels: Sequence[Classes], answers: Sequence[Answers]) -> dict[str, Pooled]:
    """The accuracy over the pictures of all folds, for each precision that all were judged in."""
    wanted = np.concatenate(labels)
    names = [name for name in answers[0] if all(name in own for own in answers)]
    return {name: _pooled(wanted, np.concatenate([own[name] for own in answers])) for name in names}


def _pooled(labels: Classes, classes: Classes) -> Pooled:
    hits = labels == classes
    right, count = int(hits.sum()), len(hits)
    return Pooled(
        right=right,
        pictures=count,
        accuracy=right / count,
        accuracy_ci95=wilson_interval(right, count),
        balanced_accuracy=balanced_accuracy(hits, labels),
    )


def _record(run: Run, result: Folds) -> Run:
    """The run, with the pooled figures in its record."""
    info = structs.replace(run.info, folds=result.pooled)
    files.write_json(run.folder / runs.INFO, info.to_dict())
    return runs.read(run.folder)
