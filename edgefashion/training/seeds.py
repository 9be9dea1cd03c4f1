"""One recipe trained with several seeds: the spread due to chance, and the best of them."""

import shutil
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from msgspec import structs

from edgefashion import files
from edgefashion.errors import BadInput, RunError
from edgefashion.errors.wording import setting
from edgefashion.files import reading
from edgefashion.recipes import Recipe
from edgefashion.training import runs
from edgefashion.training.checkpoints import score
from edgefashion.training.runs import Run


@dataclass(frozen=True)
class Seeds:
    """What came of each seed. `mean` and `deviation`, that of a sample, are of validation accuracies in 0..1;
    the deviation of a single run is None. `best` is the place in `runs` of the first of the highest.
    """

    recipe: dict[str, object]
    runs: list[dict[str, object]]
    mean: float
    deviation: float | None
    best: int


def train_seeds(
    recipe: Recipe,
    folder: Path,
    count: int,
    fit: Callable[[Recipe, Path], Run],
    *,
    replacing: bool,
) -> tuple[Run, Seeds]:
    """Train `folder`-seed-0 and so on with `fit`; the best on validation becomes the run `folder`.

    The figures stand in `folder`-seeds.json. `replacing` lets an older run `folder` go, once the best is
    known. Raises RunError, BadInput where validation images are learned from, and what `fit` raises.
    """
    if reading.exists(folder, RunError) and not replacing:
        raise RunError(
            f"{folder} exists: choose another {setting('--name')}, or replace it with {setting('--force')}"
        )
    if recipe.use_validation:
        raise BadInput(
            "with use_validation nothing is left that tells which of several seeds is best: train with one, "
            f"of your {setting('--seed')}"
        )
    found = [
        fit(replace(recipe, seed=seed), folder.with_name(f"{folder.name}-seed-{seed}"))
        for seed in range(count)
    ]
    seeds = summary(recipe, found)
    files.write_json(folder.with_name(f"{folder.name}-seeds.json"), asdict(seeds))
    return _publish(found[seeds.best], folder), seeds


def summary(recipe: Recipe, found: list[Run]) -> Seeds:
    """The figures of the runs of seeds 0 and so on."""
    accuracies = [run.info.validation_accuracy for run in found]
    entries: list[dict[str, object]] = [
        {"seed": seed, "run": run.name, "id": run.id, "validation_accuracy": accuracy}
        for seed, (run, accuracy) in enumerate(zip(found, accuracies, strict=True))
    ]
    deviation = statistics.stdev(accuracies) if len(accuracies) > 1 else None
    scores = [_score(run) for run in found]
    best = scores.index(max(scores))
    return Seeds(recipe.as_dict(), entries, statistics.mean(accuracies), deviation, best)


def _score(run: Run) -> float:
    """What chooses between runs, as between epochs."""
    history, epoch = run.info.history or (), run.info.best_epoch or 0
    return score(history[epoch - 1]) if history else run.info.validation_accuracy


def _publish(run: Run, folder: Path) -> Run:
    """A copy of a run under another name, without what was exported from it."""
    with runs.lock(folder):
        copy = runs.staging(folder)
        with files.naming_output(copy):
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(run.folder, copy, ignore=shutil.ignore_patterns(runs.ARTIFACTS))
        info = structs.replace(run.info, name=folder.name, seed_run=run.name)
        files.write_json(copy / runs.INFO, info.to_dict())
        return runs.publish(folder)


def is_best_of_seeds(folder: Path) -> bool:
    """Whether the run `folder` is the best of several seeds, and not one trained by itself."""
    try:
        return bool(runs.read_info(folder / runs.INFO).seed_run)
    except RunError:
        return False
