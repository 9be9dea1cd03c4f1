"""The verb `train`."""

import contextlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgefashion.cli import (
    _data,
    _errands,
    _fine_tuning,
    _recipe_options,
    _recipes,
    _resuming,
    _trained,
    _workers,
)
from edgefashion.cli._data import Chosen, takes_data
from edgefashion.cli._fine_tuning import fine_tuning_options
from edgefashion.cli._options import (
    model_option,
    runs_option,
    training_options,
)
from edgefashion.cli._output import following, say
from edgefashion.cli._progress import training_bar
from edgefashion.cli._recipe_options import recipe_options
from edgefashion.errors import BadInput, RunError
from edgefashion.files import reading
from edgefashion.recipes import AUTO, NAMED_RECIPES, Recipe, Variety, overrides
from edgefashion.reporting import Report

if TYPE_CHECKING:
    from edgefashion.data import Dataset
    from edgefashion.training.cluster import Cluster
    from edgefashion.training.runs import Run


@click.command(cls=_errands.Typed)
@model_option
@recipe_options
@click.option("--name", help="Name of the run; default: the model's or the recipe's.")
@runs_option
@takes_data(makes_task=True)
@training_options
@fine_tuning_options
@click.option("--resume", is_flag=True, help="Continue an interrupted training.")
@_workers.workers_options
def train(
    models: tuple[str, ...],
    recipe_name: str | None,
    config: Path | None,
    texts: tuple[str, ...],
    teachers: tuple[str, ...],
    seeds: int | None,
    folds: int | None,
    fold: int | None,
    variety: Variety | None,
    name: str | None,
    root: Path,
    chosen: Chosen,
    hardware: str | None,
    force: bool,
    base: str | None,
    qat: str | None,
    sparsity: float | None,
    clusters: int | None,
    resume: bool,
    workers: str | None,
    python: str | None,
    **named: Any,
) -> None:
    """Train a model into runs/NAME, or a trained one further.

    A trained run NAME becomes NAME-fine-tuned (--from), NAME-qat, NAME-pruned-SPARSITY or NAME-clustered-N.

    Example: edgefashion train --recipe cnn-64k --set epochs=30
    """
    if force and resume:
        raise BadInput("--force begins anew and --resume goes on: give one of them")
    _check_names(name, models, root, force, resume or bool(fold))
    file = overrides.read(config) if config else overrides.Config(None, {})
    recipe_name = _recipe_options.name_of(recipe_name, file.recipe)
    named |= _recipe_options.teachers(teachers, root)
    own = _recipe_options.together(named, overrides.settings(texts))
    changes = file.fields | own
    tuning = _fine_tuning.asked(base, qat, sparsity, clusters)
    _check_several(seeds, folds, fold, "seed" in changes, tuning is not None)
    if recipe_name not in (None, AUTO) or (recipe_name and tuning):
        _recipe_options.check_alone(recipe_name, tuning is not None)
    changes |= _recipe_options.of_teacher(NAMED_RECIPES.get(recipe_name or ""), changes)
    cluster = _workers.cluster_of(models, bool(seeds or folds))
    if _workers.asked(workers, python, models, cluster, fold):
        hosts = _workers.hosts_of(workers or "")
        errand = _errands.made(file, own, texts, chosen.folder)
        recipe = None
        if tuning is None:
            _recipes.check(models, recipe_name, chosen, **changes)
            usual = _resuming.usual_name(recipe_name, models, changes.get("limit"))
        else:
            changes |= {"sparsity": sparsity, "clusters": clusters}
            _workers.check_shared(hosts, tuning[0], bool(seeds))
            usual, recipe = _errands.fine_tuning(errand, tuning, models, root, changes)
        folder = root / (name or usual)
        if resume:
            _resuming.check_recipe(folder, recipe, recipe_name, models[0], changes)
        _workers.Elsewhere(hosts, python, errand, folder, resume, force).run(seeds, folds)
        following(shlex.join(("edgefashion", "export", str(folder))))
        return
    if tuning is None:
        chosen = replace(chosen, folds=bool(folds))
        if resume:
            usual = _resuming.usual_name(recipe_name, models, changes.get("limit"))
            chosen = _resuming.chosen_before(chosen, root / (name or usual))
        dataset, recipes = _recipes.for_data(models, recipe_name, chosen, variety, **changes)
    else:
        kind, base_name = tuning
        bases = _fine_tuning.base_runs(base_name, models, root)
        dataset = _data.for_training(chosen, bases[0])
        changes |= {"sparsity": sparsity, "clusters": clusters}
        recipes = _fine_tuning.recipes(kind, bases, dataset, **changes)
    _data.check_enough(dataset, force)
    folders = {root / (name or usual_name): recipe for usual_name, recipe in recipes.items()}
    report = _trained.said_once() if seeds or folds else say
    how = _How(hardware, resume, force, report, cluster)
    for folder, recipe in folders.items():
        _train(recipe, dataset, folder, seeds, folds, fold, how)
    if how.keeps_runs:
        made = [_fold(folder, fold) for folder in folders] if fold else folders
        following(shlex.join(("edgefashion", "export", *map(str, made))))


def _fold(folder: Path, number: int) -> Path:
    from edgefashion.training.folds import fold_folder

    return fold_folder(folder, number)


def _check_names(name: str | None, models: tuple[str, ...], root: Path, force: bool, stays: bool) -> None:
    """Raise what the name of a run can be wrong in, before anything is read. A run of that name `stays`
    where it is gone on with, or only others are made.
    """
    if name and (Path(name).name != name or name.startswith(".")):
        raise BadInput(f"--name {name} is not the name of a folder under {root}: use letters, digits and -")
    if name and len(models) > 1:
        raise BadInput("--name names one run: train one --model at a time")
    if name and not (force or stays) and reading.exists(root / name, RunError):
        raise RunError(f"{root / name} exists: choose another --name, or replace it with --force")


def _check_several(
    seeds: int | None, folds: int | None, fold: int | None, seed: bool, fine_tuning: bool
) -> None:
    """Raise BadInput where several runs are asked for, and something that they cannot be."""
    if seeds and seed:
        raise BadInput("--seeds counts the seeds from 0: leave out seed")
    if folds and seeds:
        raise BadInput("--seeds and --folds both train several runs: give one of them")
    if fold is not None and not (folds and fold <= folds):
        raise BadInput(f"--fold {fold} is one of --folds: name it with --folds N, from 0, that on all, to N")
    if folds and fine_tuning:
        raise BadInput("--folds trains from the start: leave it out, or what fine-tunes a run")


@dataclass(frozen=True)
class _How:
    """What is asked of every run."""

    hardware: str | None
    resume: bool
    force: bool
    report: Report = say
    cluster: "Cluster | None" = None

    @property
    def keeps_runs(self) -> bool:
        """Whether this process does, and not another that trains with it."""
        return self.cluster is None or self.cluster.is_chief

    @property
    def again(self) -> str:
        """What is to be typed after an interruption."""
        again = "the same command" if self.resume else "the same command with --resume"
        return f"{again}, without --force," if self.force else again


def _train(
    recipe: Recipe,
    dataset: "Dataset",
    folder: Path,
    seeds: int | None,
    folds: int | None,
    fold: int | None,
    how: _How,
) -> None:
    """One run, or those of seeds or folds."""
    if how.cluster and not how.keeps_runs:
        _workers.follow(recipe, dataset, folder, how.hardware, how.cluster)
    elif seeds:
        with _interruptible(how):
            _train_seeds(recipe, dataset, folder, seeds, how)
    elif folds:
        with _interruptible(how):
            _train_folds(recipe, dataset, folder, folds, fold, how)
    else:
        run = _fit(recipe, dataset, folder, how)
        _trained.tell(run)
        if more := _trained.hint(run):
            say(more)


def _fit(recipe: Recipe, dataset: "Dataset", folder: Path, how: _How) -> "Run":
    from edgefashion.training.reuse import resumable
    from edgefashion.training.train import train as fit

    with resumable(folder, how.again), training_bar() as progress:
        return fit(
            recipe,
            dataset,
            folder,
            hardware=how.hardware,
            resume=how.resume,
            force=how.force,
            report=how.report,
            progress=progress,
        )


def _fit_one(recipe: Recipe, dataset: "Dataset", folder: Path, how: _How) -> "Run":
    """One of several runs: with --resume one that is there already is taken as it is."""
    from edgefashion.training.reuse import train_or_reuse

    say(f"{folder}:")
    if how.resume:
        with training_bar() as progress:
            run = train_or_reuse(
                recipe, dataset, folder, hardware=how.hardware, report=how.report, progress=progress
            )
    else:
        run = _fit(recipe, dataset, folder, how)
    _trained.tell(run)
    return run


@contextlib.contextmanager
def _interruptible(how: _How) -> Iterator[None]:
    """Say how several trainings go on, where they are interrupted between two."""
    try:
        yield
    except KeyboardInterrupt as interruption:
        if interruption.args:
            raise
        raise KeyboardInterrupt(f"interrupted; {how.again} goes on from there") from interruption


def _train_folds(
    recipe: Recipe, dataset: "Dataset", folder: Path, count: int, only: int | None, how: _How
) -> None:
    from edgefashion.cli._folds import classes_of
    from edgefashion.training.folds import train_fold, train_folds

    def fit(one: Recipe, part: "Dataset", where: Path) -> "Run":
        _data.say_fold(part)
        return _fit_one(one, part, where, how)

    if only is not None:
        train_fold(recipe, dataset, folder, only, count, fit, classes_of)
    else:
        _, found = train_folds(recipe, dataset, folder, count, fit, classes_of)
        _trained.tell_folds(found, count)


def _train_seeds(recipe: Recipe, dataset: "Dataset", folder: Path, count: int, how: _How) -> None:
    from edgefashion.training.seeds import is_best_of_seeds, train_seeds

    def fit(one: Recipe, where: Path) -> "Run":
        return _fit_one(one, dataset, where, how)

    replacing = how.force or (how.resume and is_best_of_seeds(folder))
    _trained.tell_seeds(*train_seeds(recipe, folder, count, fit, replacing=replacing))
