"""A recipe and a data set in, a run folder out."""

import contextlib
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

from edgefashion import device, files, tables
from edgefashion.data import Dataset, Splits, Task, split
from edgefashion.errors import BadInput, Diverged, RunError
from edgefashion.errors.arguments import PATH, takes
from edgefashion.errors.wording import setting
from edgefashion.files import reading
from edgefashion.installation import pip_install
from edgefashion.models import Architecture, check_size
from edgefashion.models.summary import page, summarize
from edgefashion.recipes import Recipe
from edgefashion.records import run as records
from edgefashion.reporting import Progress, Report, silent
from edgefashion.tables.terminal import width_of
from edgefashion.tensorflow import keras, tf
from edgefashion.training import checkpoints, frozen_layers, learned, runs, teacher
from edgefashion.training.checkpoints import TrainingState
from edgefashion.training.input_pipeline import Array, batches_of, steps_of, validation_batches
from edgefashion.training.loop import TrainingLoop, parts_of
from edgefashion.training.progress import TrainingProgress
from edgefashion.training.runs import Run
from edgefashion.training.trained import architecture_for, compression_for, named, take_along
from edgefashion.training.trainer import Learner, kept_arrays

PACKAGES = ("edgefashion", "tensorflow", "tf_keras", "numpy")
HARDWARE = ("cpu", "gpu", None)
FINE_TUNING_PACKAGES = (*PACKAGES, "tensorflow-model-optimization")


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
    """
    folder = Path(folder)
    with runs.lock(folder):
        if not force:
            _check_nothing_is_lost(folder, resume)
        staging = runs.staging(folder)
        recipe.check()
        recipe.check_shift(dataset.task.height, dataset.task.width)
        check_size(architecture_for(recipe), dataset.task)
        recipe, master = teacher.resolve_teacher(recipe, dataset.checksums)
        if resume and (staging / runs.INFO).is_file():
            return _publish_finished(folder, recipe, dataset)
        where = select_hardware(hardware, recipe.mixed_precision)
        splits = split(dataset, recipe.limit)
        steps = steps_of(len(splits.train), recipe.batch_size)
        taught = teacher.logits(master, splits, teacher.cache_folder(), report) if master else None
        if recipe.frozen and not recipe.augments:
            whole = architecture_for(recipe)
            splits = frozen_layers.features(
                whole, recipe.weights, recipe.frozen, splits, folder.parent, report
            )
        if resume:
            state = checkpoints.resume(staging, recipe, dataset.checksums)
            state.check_within(recipe.epochs, steps)
            learner = _learner(recipe, splits, steps, state if state.has_checkpoint else None)
        else:
            learner = _learner(recipe, splits, steps, None)
            told = (dataset.describe(), dataset.task.to_record())
            state = checkpoints.begin(staging, recipe, dataset.checksums, *told)
        title = f"Layers that learn, behind {recipe.frozen}" if recipe.frozen else "Layers"
        layers = page(summarize(compression_for(recipe).strip(learner.model)), title)
        for line in tables.to_text(layers, width_of(sys.stderr)).splitlines():
            report(line)
        report(f"training {named(recipe)} on {where}, TensorFlow {version('tensorflow')}")
        if state.has_checkpoint:
            report(f"resuming after {state.where} of {recipe.epochs}")
        try:
            _fit(learner, state, recipe, splits, taught, _watch(recipe, state, steps, report, progress))
        except Diverged:
            if not state.has_checkpoint:
                shutil.rmtree(staging, ignore_errors=True)
            raise
        _finish(state, recipe, dataset, splits, folder.name, where)
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


def _publish_finished(folder: Path, recipe: Recipe, dataset: Dataset) -> Run:
    """Publish a training that was interrupted when all but that was done."""
    staging = runs.staging(folder)
    info = runs.read(staging).info
    TrainingState(staging, info.recipe, info.data.checksums).check(recipe, dataset.checksums)
    checkpoints.discard(staging)
    return runs.publish(folder)


def select_hardware(wanted: str | None, mixed_precision: bool = False) -> str:
    """Choose where TensorFlow computes and say it in words. Raises BadInput for a GPU that is not there."""
    if wanted not in HARDWARE:
        raise BadInput(f"hardware is one of cpu, gpu and None, not {wanted!r}")
    gpus = tf.config.list_physical_devices("GPU")
    if mixed_precision and (wanted == "cpu" or not gpus):
        raise BadInput(f"{setting('--mixed-precision')} needs a GPU, and none is used here: leave it out")
    if wanted == "gpu" and not gpus:
        raise BadInput(
            f"TensorFlow sees no GPU: install its CUDA packages with {pip_install('gpu')}, "
            f"or train with {setting('--device cpu')}"
        )
    if gpus and wanted != "cpu":
        with contextlib.suppress(RuntimeError):  # too late after an export in this process, and no matter
            for gpu in gpus:
                tf.config.experimental.set_memory_growth(gpu, True)
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", gpus[0].name)
        return f"GPU: {name}"
    try:
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError as error:
        raise BadInput(
            "the GPU is in use already: train on its own with edgefashion train --device cpu"
        ) from error
    machine = device.describe()
    return f"CPU: {machine.cpu}, {machine.cores} cores"


def _architecture(recipe: Recipe) -> Architecture:
    """That of what is trained: of the whole model, or of the layers that are not frozen."""
    whole = architecture_for(recipe)
    if not recipe.frozen:
        return whole
    behind = frozen_layers.behind if recipe.augments else frozen_layers.on_features
    return behind(whole, recipe.frozen)


def _front(recipe: Recipe, task: Task) -> keras.Model | None:
    """The frozen layers, with their weights, where each image goes through them whenever it is seen."""
    if not (recipe.frozen and recipe.augments):
        return None
    return frozen_layers.split(architecture_for(recipe).build(task, recipe.weights), recipe.frozen)[0]


def _build(recipe: Recipe, task: Task, steps: int, weights: str | None = None) -> keras.Model:
    """The model as it is trained, with the initial `weights` where they are named."""
    return compression_for(recipe).wrap(_architecture(recipe).build(task, weights), steps)


def _learner(recipe: Recipe, splits: Splits, steps: int, state: TrainingState | None) -> Learner:
    """A model at its start, or as it was at the last checkpoint of `state`."""
    keras.utils.set_random_seed(recipe.seed)
    keras.mixed_precision.set_global_policy("mixed_float16" if recipe.mixed_precision else "float32")
    task = splits.task
    model = _build(recipe, task, steps, None if state else recipe.weights)
    counts = np.bincount(splits.train.labels, minlength=len(task.classes))
    learner = Learner(
        recipe,
        steps * recipe.epochs,
        lambda: _build(recipe, task, steps),
        model,
        _front(recipe, task),
        counts,
    )
    if state:
        learner.restore(checkpoints.load(state.last, learner.arrays()))
    return learner


def _fit(
    learner: Learner,
    state: TrainingState,
    recipe: Recipe,
    splits: Splits,
    taught: Array | None,
    callbacks: list[keras.callbacks.Callback],
) -> None:
    steps = steps_of(len(splits.train), recipe.batch_size)
    architecture = _architecture(recipe)
    validation = validation_batches(splits.validation, splits.task, architecture, recipe)
    loop = TrainingLoop(learner, state, validation, steps, callbacks)
    parts = parts_of(recipe, steps, state.epoch, state.batch)
    batches = iter(batches_of(parts, splits.train, splits.task, architecture, recipe, taught))
    for part in parts:
        loop.run(part, batches)


def _watch(
    recipe: Recipe, state: TrainingState, steps: int, report: Report, progress: Progress | None
) -> list[keras.callbacks.Callback]:
    """Who is told of each batch and epoch: compression, the caller, and TensorBoard."""
    done = state.epoch * steps + state.batch
    watched = TrainingProgress(recipe.epochs, steps, recipe.batch_size, done, report, progress)
    board = keras.callbacks.TensorBoard(state.folder / "tensorboard", write_graph=False)
    return [*compression_for(recipe).callbacks(), watched, board]


def _finish(
    state: TrainingState, recipe: Recipe, dataset: Dataset, splits: Splits, name: str, where: str
) -> None:
    """Complete the staging folder: the best epoch's model without its optimizer, and the run's record."""
    keras.mixed_precision.set_global_policy("float32")
    compression = compression_for(recipe)
    best = _build(recipe, dataset.task, steps=1)
    best.set_weights(list(checkpoints.load(state.best, kept_arrays(best)).values()))
    model = _whole_in_float32(recipe, dataset.task, compression.strip(best))
    compressed = compression.check(model)
    model_path = state.folder / runs.MODEL
    with files.replacing(model_path) as temporary:
        model.save(temporary)
    described = _describe(model, model_path)
    info = records.Run(
        schema=runs.SCHEMA,
        name=name,
        id=described.sha256[: runs.ID_DIGITS],
        small_run=recipe.limit is not None or not dataset.complete,
        validation_accuracy=state.history[state.best_epoch - 1]["val_accuracy"],
        best_epoch=state.best_epoch,
        task=dataset.task.to_record(),
        recipe=recipe,
        imported=take_along(recipe, state.folder),
        initial_weights_sha256=_weights_digest(recipe),
        history=tuple(state.history),
        seconds=round(sum(epoch["seconds"] for epoch in state.history), 1),
        model=described,
        compressed_layers=compressed,
        data=dataset.describe(),
        splits=records.Splits(
            train=len(splits.train),
            validation=len(splits.validation),
            test=0 if dataset.untested else len(splits.test),
        ),
        trained_on=where,
        device=device.describe(),
        versions=_versions(recipe),
    )
    learned.save(state.folder, dataset)
    files.write_json(state.folder / runs.INFO, info.to_dict())
    checkpoints.discard(state.folder)


def _describe(model: keras.Model, path: Path) -> records.Model:
    layers = summarize(model)
    return records.Model(
        file=path.name,
        sha256=files.sha256(path),
        parameters=sum(layer.parameters for layer in layers),
        macs=sum(layer.macs for layer in layers),
    )


def _versions(recipe: Recipe) -> dict[str, str]:
    packages = FINE_TUNING_PACKAGES if recipe.fine_tuning else PACKAGES
    return {package: version(package) for package in packages}


def _whole_in_float32(recipe: Recipe, task: Task, trained: keras.Model) -> keras.Model:
    """A model with the weights of the one that was trained, and the initial ones where they were frozen."""
    architecture = architecture_for(recipe)
    model = architecture.build(task, recipe.weights if recipe.frozen else None)
    learned = frozen_layers.split(model, recipe.frozen)[1] if recipe.frozen else model
    learned.set_weights(trained.get_weights())
    return model


def _weights_digest(recipe: Recipe) -> str | None:
    path = Path(recipe.weights) if recipe.weights else None
    return files.sha256(path) if path and reading.is_file(path, BadInput) else None
