"""The verb `train`."""

import contextlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from edgefashion.cli import _data, _fine_tuning, _recipes, _resolve, _resuming, _trained
from edgefashion.cli._data import Chosen, takes_data
from edgefashion.cli._fine_tuning import fine_tuning_options
from edgefashion.cli._options import (
    COUNT,
    FILE,
    Whole,
    model_option,
    options,
    recipe_option,
    runs_option,
    training_options,
)
from edgefashion.cli._output import following, say
from edgefashion.cli._progress import training_bar
from edgefashion.errors import BadInput, RunError
from edgefashion.files import reading
from edgefashion.recipes import AUTO, NAMED_RECIPES, VARIETIES, Recipe, Variety, overrides
from edgefashion.reporting import Report

if TYPE_CHECKING:
    from edgefashion.data import Dataset
    from edgefashion.training.runs import Run

DISTILLATION, TEMPERATURE = 0.8, 3.0
"""Of --teacher, where the recipe has none of its own."""

recipe_options = options(
    recipe_option,
    click.option("--config", type=FILE, help="A TOML file: fields of a recipe, and recipe = NAME."),
    click.option(
        "--set",
        "texts",
        multiple=True,
        metavar="FIELD=VALUE",
        help="Change a field of the recipe, of any that edgefashion recipes --json shows; once for each.",
    ),
    click.option(
        "--teacher",
        metavar="RUN",
        help=f"Learn from this run too; with weight {DISTILLATION} and temperature {TEMPERATURE:g} unless "
        "distillation and temperature are set.",
    ),
    click.option(
        "--seeds",
        type=COUNT,
        help="Train NAME-seed-0 and so many more in all; the best on validation becomes NAME.",
    ),
    click.option(
        "--folds",
        type=Whole(2),
        help="For few pictures: share them out, train NAME-fold-1 and so on, each judged on the fold that it "
        "did not see, in float and int8; and NAME on all.",
    ),
    click.option(
        "--variety",
        type=click.Choice(VARIETIES),
        help="How pictures of a class differ, of --recipe auto: as photos do (default); little, the camera "
        "being fixed; or in no way to be imitated.",
    ),
    click.option("--flip/--no-flip", default=None, help="Whether mirrored pictures are of the same class."),
    click.option(
        "--balance", is_flag=True, default=None, help="Let pictures of rare classes count for more."
    ),
)


@click.command()
@model_option
@recipe_options
@click.option("--name", help="Name of the run; default: the model's or the recipe's.")
@runs_option
@takes_data(makes_task=True)
@training_options
@fine_tuning_options
@click.option("--resume", is_flag=True, help="Continue an interrupted training.")
def train(
    models: tuple[str, ...],
    recipe_name: str | None,
    config: Path | None,
    texts: tuple[str, ...],
    teacher: str | None,
    seeds: int | None,
    folds: int | None,
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
    **named: Any,
) -> None:
    """Train a model into runs/NAME, or a trained one further.

    A trained run NAME becomes NAME-fine-tuned (--from), NAME-qat, NAME-pruned-SPARSITY or NAME-clustered-N.

    Example: edgefashion train --recipe cnn-64k --set epochs=30
    """
    _check_names(name, models, root, force or resume)
    if force and resume:
        raise BadInput("--force begins anew and --resume goes on: give one of them")
    file = overrides.read(config) if config else overrides.Config(None, {})
    recipe_name = _recipe_name(recipe_name, file.recipe)
    if teacher:
        named["teacher"] = str(_resolve.run_folder(teacher, root))
    changes = file.fields | _together(named, overrides.settings(texts))
    tuning = _fine_tuning.asked(base, qat, sparsity, clusters)
    _check_several(seeds, folds, "seed" in changes, tuning is not None)
    if recipe_name not in (None, AUTO) or (recipe_name and tuning):
        _check_alone(recipe_name, tuning is not None)
    changes |= _of_teacher(NAMED_RECIPES.get(recipe_name or ""), changes)
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
    how = _How(hardware, resume, force, _trained.said_once() if seeds or folds else say)
    for folder, recipe in folders.items():
        if seeds:
            with _interruptible(how):
                _train_seeds(recipe, dataset, folder, seeds, how)
        elif folds:
            with _interruptible(how):
                _train_folds(recipe, dataset, folder, folds, how)
        else:
            run = _fit(recipe, dataset, folder, how)
            _tell(run)
            if more := _trained.hint(run):
                say(more)
    following(shlex.join(("edgefashion", "export", *map(str, folders))))


def _check_names(name: str | None, models: tuple[str, ...], root: Path, replaces: bool) -> None:
    """Raise what the name of a run can be wrong in, before anything is read; `replaces`: it may be there."""
    if name and (Path(name).name != name or name.startswith(".")):
        raise BadInput(f"--name {name} is not the name of a folder under {root}: use letters, digits and -")
    if name and len(models) > 1:
        raise BadInput("--name names one run: train one --model at a time")
    if name and not replaces and reading.exists(root / name, RunError):
        raise RunError(f"{root / name} exists: choose another --name, or replace it with --force")


def _recipe_name(option: str | None, in_file: str | None) -> str | None:
    if option and in_file and option != in_file:
        raise BadInput(f"--recipe {option} and recipe = {in_file} of --config differ: leave one of them out")
    return option or in_file


def _together(named: dict[str, Any], texts: dict[str, Any]) -> dict[str, Any]:
    """What options of their own and --set say. Raises BadInput for a field that both set."""
    own = {field: value for field, value in named.items() if value is not None}
    if twice := sorted(own.keys() & texts.keys()):
        option = twice[0].replace("_", "-")
        raise BadInput(f"--{option} and --set {twice[0]} set the same field: give one of them")
    return own | texts


def _check_several(seeds: int | None, folds: int | None, seed: bool, fine_tuning: bool) -> None:
    """Raise BadInput where several runs are asked for, and something that they cannot be."""
    if seeds and seed:
        raise BadInput("--seeds counts the seeds from 0: leave out seed")
    if folds and seeds:
        raise BadInput("--seeds and --folds both train several runs: give one of them")
    if folds and fine_tuning:
        raise BadInput("--folds trains from the start: leave it out, or what fine-tunes a run")


def _check_alone(name: str, fine_tuning: bool) -> None:
    """Raise BadInput where something beside the recipe's name chooses a recipe too."""
    source = click.get_current_context().get_parameter_source("models")
    if source is not ParameterSource.DEFAULT:
        raise BadInput(f"--recipe names the model too: leave out --model, or --recipe {name}")
    if fine_tuning:
        raise BadInput(f"a run is fine-tuned after a recipe of its own: leave out --recipe {name}")


def _of_teacher(recipe: Recipe | None, changes: dict[str, Any]) -> dict[str, Any]:
    """The usual weight and temperature of a teacher, where neither a recipe nor the user says another."""
    if "teacher" not in changes or (recipe and recipe.distillation):
        return {}
    usual = {"distillation": DISTILLATION, "temperature": TEMPERATURE}
    return {field: value for field, value in usual.items() if field not in changes}


@dataclass(frozen=True)
class _How:
    """What is asked of every run."""

    hardware: str | None
    resume: bool
    force: bool
    report: Report = say

    @property
    def again(self) -> str:
        """What is to be typed after an interruption."""
        again = "the same command" if self.resume else "the same command with --resume"
        return f"{again}, without --force," if self.force else again


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


def _tell(run: "Run") -> None:
    say(f"{run.folder}: {_trained.sentence(run)}{_fine_tuning.compressed(run)}")


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
    _tell(run)
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


def _train_folds(recipe: Recipe, dataset: "Dataset", folder: Path, count: int, how: _How) -> None:
    from edgefashion.cli._folds import PRECISIONS, classes_of, sentence
    from edgefashion.training.folds import train_folds

    def fit(one: Recipe, part: "Dataset", where: Path) -> "Run":
        _data.say_fold(part)
        return _fit_one(one, part, where, how)

    _, found = train_folds(recipe, dataset, folder, count, fit, classes_of)
    for precision in PRECISIONS:
        say(sentence(precision, found.pooled.get(precision), count))


def _train_seeds(recipe: Recipe, dataset: "Dataset", folder: Path, count: int, how: _How) -> None:
    from edgefashion.training.seeds import is_best_of_seeds, train_seeds

    def fit(one: Recipe, where: Path) -> "Run":
        return _fit_one(one, dataset, where, how)

    replacing = how.force or (how.resume and is_best_of_seeds(folder))
    run, seeds = train_seeds(recipe, folder, count, fit, replacing=replacing)
    spread = "" if seeds.deviation is None else f", standard deviation {seeds.deviation:.4f}"
    best = seeds.runs[seeds.best]["run"]
    say(f"{count} seeds: mean validation accuracy {seeds.mean:.4f}{spread}; best: {best}")
    _tell(run)
