"""One recipe trained once for each fold of a small data set, so that every picture judges a model that never
saw it, and a last time on all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct, structs, to_builtins

from edgefashion import files
from edgefashion.data import Dataset
from edgefashion.data.folds import folds, whole
from edgefashion.errors import RunError
from edgefashion.files import reading
from edgefashion.recipes import Recipe
from edgefashion.records.values import Pooled
from edgefashion.stats import balanced_accuracy, wilson_interval
from edgefashion.training import runs
from edgefashion.training.runs import Run

Classes = npt.NDArray[np.integer[Any]]
Answers = dict[str, Classes]
"""Precision → the class that a model of a fold gives each of its test images, [N]."""
Fit = Callable[[Recipe, Dataset, Path], Run]
Judge = Callable[[Run, Dataset], Answers]
JUDGED = "judged.json"
"""In the run of a fold: what came of its test images."""
_WHAT = "what a model says of its fold"


Class = Annotated[int, Meta(ge=0, lt=1 << 16)]


class Judged(Struct, frozen=True):
    """The class of each test image of a fold, and `Answers` of the fold's model."""

    labels: Annotated[list[Class], Meta(min_length=1)]
    classes: dict[str, list[Class]]


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
    fit: Fit,
    judge: Judge,
) -> tuple[Run, Folds]:
    """Train `folder`-fold-1 and so on with `fit`, and `folder` itself on all; `judge` classifies the test
    images of a fold with what came of it.

    The figures stand in `folder`-folds.json, and the pooled ones in the record of the run `folder` too.
    Raises BadInput for a class that cannot be shared out, and what `fit` and `judge` raise.
    """
    for number, fold in enumerate(folds(dataset, count), 1):
        _train_judged(recipe, fold, fold_folder(folder, number), fit, judge)
    result = gather(recipe, folder, count)
    return record(fit(recipe, whole(dataset, count), folder), result), result


def train_fold(
    recipe: Recipe, dataset: Dataset, folder: Path, number: int, count: int, fit: Fit, judge: Judge
) -> Run:
    """Train one of those only: `folder`-fold-1 and so on, or 0, `folder` itself. What is said of a fold is
    kept with its run, for `gather`. Raises what `train_folds` raises.
    """
    if not number:
        return fit(recipe, whole(dataset, count), folder)
    fold = folds(dataset, count)[number - 1]
    return _train_judged(recipe, fold, fold_folder(folder, number), fit, judge)


def fold_folder(folder: Path, number: int) -> Path:
    """The run of fold 1 and so on; that on all is 0."""
    return folder.with_name(f"{folder.name}-fold-{number}") if number else folder


def gather(recipe: Recipe, folder: Path, count: int) -> Folds:
    """What came of all folds, once each is trained; it is written beside the run `folder` too. Raises
    RunError for one that lacks something.
    """
    found: list[dict[str, object]] = []
    labels: list[Classes] = []
    answers: list[Answers] = []
    for run in (runs.read(fold_folder(folder, number)) for number in range(1, count + 1)):
        judged = read_judged(run.folder)
        labels.append(np.array(judged.labels))
        answers.append({name: np.array(own) for name, own in judged.classes.items()})
        right = {name: int((own == labels[-1]).sum()) for name, own in answers[-1].items()}
        found.append({"run": run.name, "id": run.id, "pictures": len(labels[-1]), "right": right})
    result = Folds(recipe.as_dict(), found, pool(labels, answers))
    files.write_json(folder.with_name(f"{folder.name}-folds.json"), to_builtins(result))
    return result


def read_judged(folder: Path) -> Judged:
    """What the model of a fold says of its test images. Raises RunError."""
    found: Judged = reading.read_json(
        folder / JUDGED, _WHAT, RunError, reading.INFO_BYTES, Judged, mend="train it again"
    )
    if not all(len(own) == len(found.labels) for own in found.classes.values()):
        raise RunError(f"{folder / JUDGED} is not whole: train it again")
    return found


def _train_judged(recipe: Recipe, fold: Dataset, folder: Path, fit: Fit, judge: Judge) -> Run:
    run = fit(recipe, fold, folder)
    classes = {name: own.tolist() for name, own in judge(run, fold).items()}
    files.write_json(run.folder / JUDGED, to_builtins(Judged(fold.test.labels.tolist(), classes)))
    return run


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


def record(run: Run, result: Folds) -> Run:
    """The run on all, with the pooled figures in its record."""
    info = structs.replace(run.info, folds=result.pooled)
    files.write_json(run.folder / runs.INFO, info.to_dict())
    return runs.read(run.folder)
