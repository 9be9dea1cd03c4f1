"""The data set of a training that goes on, where it is not named again."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from edgefashion.cli._data import Chosen, options_of
from edgefashion.cli._output import say
from edgefashion.errors import DataError, RunError
from edgefashion.files import reading
from edgefashion.recipes import AUTO, NAMED_RECIPES, RECIPES, Recipe, changed, run_name

if TYPE_CHECKING:
    from edgefashion.data.picture_sets.options import PictureOptions
    from edgefashion.records.values import Dataset as DatasetInfo
    from edgefashion.task import Task

Origin = tuple["DatasetInfo | None", "Task | None", dict[str, str]]
"""What a training began with, what images were made of it, and its checksums."""
_RUNS = ("weights", "base_run_id", "teacher", "teacher_id", "other_teachers", "other_teacher_ids")
"""Fields of a recipe that are called otherwise, or filled in, where it is trained."""


def usual_name(recipe_name: str | None, models: tuple[str, ...], limit: int | None) -> str:
    """What the first run is called where no name is given."""
    recipe = NAMED_RECIPES.get(recipe_name or "") or RECIPES[models[0]]
    return run_name(replace(recipe, limit=limit))


def chosen_before(chosen: Chosen, folder: Path) -> Chosen:
    """What is chosen, or else what the training of the run `folder` began with, or the first of its seeds or
    folds. Raises DataError where that is not known, and is not Fashion-MNIST.
    """
    from edgefashion.data.dataset import TASK

    names = (folder.name, f"{folder.name}-seed-0", f"{folder.name}-fold-1")
    found = None if chosen.folder else next(filter(None, map(_origin, map(folder.with_name, names))), None)
    if found is None:
        return chosen
    data, task, checksums = found
    if data is None and TASK in checksums:
        raise DataError(
            f"the training of {folder} did not note which data it began with: name it with --data"
        )
    if data is None or not data.folder or task is None:
        return chosen
    say(f"going on with --data {data.folder}, which the training of {folder} began with")
    made = _options(task) if data.left_out else {}
    given = {name: value for name, value in chosen.options.items() if value not in (None, False)}
    options = cast("PictureOptions", {**made, **options_of(data), **given})
    return replace(chosen, folder=Path(data.folder), options=options)


def check_recipe(
    folder: Path, recipe: Recipe | None, name: str | None, model: str, changes: dict[str, Any]
) -> None:
    """Raise RunError where the unfinished training of the run `folder` has another recipe than `recipe`, or
    else the one called `name`, or that of the model; where that depends on pictures, than what is changed.
    """
    from edgefashion.data import FASHION_MNIST
    from edgefashion.task import Task
    from edgefashion.training import checkpoints, runs

    state = checkpoints.begun(runs.staging(folder))
    if state is None:
        return
    if recipe is None:
        usual = NAMED_RECIPES.get(name or "")
        if usual is None and name != AUTO and state.task:
            is_known = Task.from_dict(state.task.to_dict(), str(folder), RunError) == FASHION_MNIST
            usual = RECIPES[model] if is_known else None
        recipe = changed(usual or state.recipe, **changes)
    state.check(replace(recipe, **{field: getattr(state.recipe, field) for field in _RUNS}), state.data)


def _origin(folder: Path) -> Origin | None:
    """That of the unfinished training of a run, or of the run."""
    from edgefashion.task import Task
    from edgefashion.training import checkpoints, runs

    staging = runs.staging(folder)
    for path in (staging / runs.INFO, folder / runs.INFO):
        state = checkpoints.begun(path.parent)
        if state:
            task = Task.from_dict(state.task.to_dict(), str(path.parent), RunError) if state.task else None
            return state.dataset, task, state.data
        if reading.is_file(path, RunError):
            run = runs.Run(path.parent, runs.read_info(path))
            return run.info.data, run.task, run.info.data.checksums
    return None


def _options(task: "Task") -> "PictureOptions":
    """What makes the images of a task again."""
    from edgefashion.pictures.decoding import rgb

    return {
        "size": (task.height, task.width),
        "fit": task.picture.fit,
        "gray": task.channels == 1,
        "background": rgb(task.picture.background),
    }
