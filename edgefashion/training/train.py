"""A recipe and a data set in, a run folder out."""

import shutil
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from edgefashion import tables
from edgefashion.data import Dataset
from edgefashion.errors import BadInput, Diverged, RunError
from edgefashion.errors.arguments import PATH, takes
from edgefashion.errors.wording import setting
from edgefashion.files import reading
from edgefashion.models.summary import page, summarize
from edgefashion.recipes import Recipe
from edgefashion.reporting import Progress, Report, silent
from edgefashion.tables.terminal import width_of
from edgefashion.tensorflow import keras
from edgefashion.training import checkpoints, runs
from edgefashion.training.checkpoints import TrainingState
from edgefashion.training.finishing import finish
from edgefashion.training.hardware import select_hardware
from edgefashion.training.joining import cluster_of, join, naming_lost
from edgefashion.training.preparation import Preparation, checked, prepare
from edgefashion.training.progress import TrainingProgress
from edgefashion.training.runs import Run
from edgefashion.training.teacher import Teacher
from edgefashion.training.trained import compression_for, named
from edgefashion.training.trainer import Learner


@takes(recipe=Recipe, dataset=Dataset, folder=PATH)
def train(
    recipe: Recipe,
    dataset: Dataset,
    folder: str | Path,
    *,
    hardware: str | None = None,
    resume: bool = False,
    force: bool = False,
    report: Report = silent,
    progress: Progress | None = None,
) -> Run:
    """Train a model after `recipe` and keep it as the run `folder`.

    `hardware` is "cpu", "gpu" or None for a GPU where TensorFlow sees one. `resume` continues an
    interrupted training of the same recipe; `force` replaces an existing run once the new one is ready.
    `report` gets a line an epoch and others, `progress` how much of an epoch is done.
    Raises BadInput, RunError, OutputError, or Diverged where the model does not learn but run away.

    Where TF_CONFIG or Slurm names other processes, the chief trains with them, which call `follow`; raises
    WorkerLost when one is lost.
    """
    folder = Path(folder)
    cluster = cluster_of(chief=True)
    with runs.lock(folder):
        if not force:
            _check_nothing_is_lost(folder, resume)
        staging = runs.staging(folder)
        recipe, teachers = checked(recipe, dataset, report)
        _check_not_of_itself(folder, recipe, teachers)
        if resume and (staging / runs.INFO).is_file():
            return _publish_finished(folder, recipe, dataset)
        where = select_hardware(hardware, recipe.mixed_precision)
        replicas = join(cluster, recipe, dataset, report)
        prepared = prepare(recipe, teachers, dataset, folder.parent, replicas, report)
        state = _interrupted(staging, prepared, dataset) if resume else None
        learner = prepared.learner(state if state and state.has_checkpoint else None)
        state = state or _begin(staging, recipe, dataset)
        _introduce(learner, state, where, report)
        watched = _watch(recipe, state, prepared.steps, report, progress)
        try:
            with naming_lost(cluster, state):
                prepared.fit(learner, state, watched)
        except Diverged:
            if not state.has_checkpoint:
                shutil.rmtree(staging, ignore_errors=True)
            raise
        finish(state, recipe, dataset, prepared.splits, folder.name, where)
        return runs.publish(folder)


def is_interrupted(folder: Path) -> bool:
    """Whether a training of the run `folder` was interrupted after its first checkpoint."""
    return checkpoints.has_checkpoint(runs.staging(folder)) or (runs.staging(folder) / runs.INFO).is_file()


def _check_nothing_is_lost(folder: Path, resume: bool) -> None:
    if is_interrupted(folder) and not resume:
        raise RunError(
            f"the training of {folder} was interrupted: go on with {setting('--resume')}, or "
            f"{checkpoints.start_again()}"
        )
    # Where both are, the interrupted training began with --force: it may go on.
    if reading.exists(folder, RunError) and not (resume and runs.staging(folder).exists()):
        raise RunError(
            f"{folder} exists: choose another {setting('--name')}, or replace it with {setting('--force')}"
        )


def _check_not_of_itself(folder: Path, recipe: Recipe, teachers: Sequence[Teacher]) -> None:
    """Raise BadInput for a run that would be lost to what comes of it."""
    begun_with = [Path(recipe.weights).parent] if recipe.base_run_id and recipe.weights else []
    sources = [*begun_with, *(path for each in teachers for path in each.paths)]
    own = folder.resolve()
    if any(own in (path, *path.parents) for path in (each.resolve() for each in sources)):
        raise BadInput(
            f"{folder} would be replaced by what learns from it: choose another {setting('--name')}"
        )


def _publish_finished(folder: Path, recipe: Recipe, dataset: Dataset) -> Run:
    """Publish a training that was interrupted when all but that was done."""
    staging = runs.staging(folder)
    info = runs.read(staging).info
    TrainingState(staging, info.recipe, info.data.checksums).check(recipe, dataset.checksums)
    checkpoints.discard(staging)
    return runs.publish(folder)


def _interrupted(staging: Path, prepared: Preparation, dataset: Dataset) -> TrainingState:
    """Where a training was interrupted. Raises RunError where it cannot go on."""
    recipe = prepared.recipe
    state = checkpoints.resume(staging, recipe, dataset.checksums)
    state.check_within(recipe.epochs, prepared.steps)
    return state


def _begin(staging: Path, recipe: Recipe, dataset: Dataset) -> TrainingState:
    told = (dataset.describe(), dataset.task.to_record())
    return checkpoints.begin(staging, recipe, dataset.checksums, *told)


def _introduce(learner: Learner, state: TrainingState, where: str, report: Report) -> None:
    """Say what is trained, and where."""
    recipe = state.recipe
    title = f"Layers that learn, behind {recipe.frozen}" if recipe.frozen else "Layers"
    layers = page(summarize(compression_for(recipe).strip(learner.model)), title)
    for line in tables.to_text(layers, width_of(sys.stderr)).splitlines():
        report(line)
    report(f"training {named(recipe)} on {where}, TensorFlow {version('tensorflow')}")
    if state.has_checkpoint:
        report(f"resuming after {state.where} of {recipe.epochs}")


def _watch(
    recipe: Recipe, state: TrainingState, steps: int, report: Report, progress: Progress | None
) -> list[keras.callbacks.Callback]:
    """Who is told of each batch and epoch: compression, the caller, and TensorBoard."""
    done = state.epoch * steps + state.batch
    watched = TrainingProgress(recipe, steps, done, report, progress)
    board = keras.callbacks.TensorBoard(state.folder / "tensorboard", write_graph=False)
    return [*compression_for(recipe).callbacks(), watched, board]
