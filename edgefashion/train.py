"""A recipe and a data set in, a run folder out."""

import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgefashion import checkpoints, device, files, runs
from edgefashion.checkpoints import TrainingState
from edgefashion.data import Dataset, Splits, split
from edgefashion.errors import BadInput, RunError
from edgefashion.input_pipeline import training_batches, validation_batches
from edgefashion.keras import keras, tf
from edgefashion.models import ARCHITECTURES, Architecture
from edgefashion.recipes import Recipe
from edgefashion.runs import Run
from edgefashion.summary import summarize
from edgefashion.training_progress import TrainingProgress

PACKAGES = ("edgefashion", "tensorflow", "tf_keras", "numpy")


def train(
    recipe: Recipe,
    dataset: Dataset,
    folder: Path,
    *,
    hardware: str | None = None,
    resume: bool = False,
    force: bool = False,
    report: Callable[[str], None] = print,
) -> Run:
    """Train a model after `recipe` and keep it as the run `folder`.

    `hardware` is "cpu", "gpu" or None for a GPU where TensorFlow sees one. `resume` continues an
    interrupted training of the same recipe; `force` replaces an existing run once the new one is ready.
    Raises BadInput, RunError or OutputError.
    """
    with runs.locked(folder):
        if not force:
            _refuse_to_overwrite(folder, resume)
        staging = runs.staging(folder)
        if resume and (staging / runs.INFO).is_file():
            checkpoints.discard(staging)
            return runs.publish(folder)
        prepare = checkpoints.resume if resume else checkpoints.begin
        if recipe.mixed_precision and not tf.config.list_physical_devices("GPU"):
            raise BadInput("--mixed-precision needs a GPU, and TensorFlow sees none: leave it out")
        where = select_hardware(hardware)
        state = prepare(staging, recipe, dataset.checksums)
        report(f"training {recipe.model} on {where}, TensorFlow {version('tensorflow')}")
        _fit(state, recipe, split(dataset, recipe.limit), report)
        _finish(state, recipe, dataset, folder.name, where)
        return runs.publish(folder)


def select_hardware(wanted: str | None) -> str:
    """Choose where TensorFlow computes and say it in words. Raises BadInput for a GPU that is not there."""
    gpus = tf.config.list_physical_devices("GPU")
    if wanted == "gpu" and not gpus:
        raise BadInput(
            "TensorFlow sees no GPU: install its CUDA packages with pip install 'edgefashion[gpu]', "
            "or train with --device cpu"
        )
    if gpus and wanted != "cpu":
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", gpus[0].name)
        return f"GPU: {name}"
    tf.config.set_visible_devices([], "GPU")
    machine = device.describe()
    return f"CPU: {machine['cpu']}, {machine['cores']} cores"


def _refuse_to_overwrite(folder: Path, resume: bool) -> None:
    staging = runs.staging(folder)
    if resume:
        return
    if any((staging / name).is_file() for name in (checkpoints.PROGRESS, runs.INFO)):
        raise RunError(
            f"the training of {folder} was interrupted: continue it with --resume, or start again with --force"
        )
    if folder.exists():
        raise RunError(f"{folder} exists: choose another --name, or replace it with --force")


def _fit(state: TrainingState, recipe: Recipe, splits: Splits, report: Callable[[str], None]) -> None:
    if state.epoch == recipe.epochs:
        return
    keras.utils.set_random_seed(recipe.seed)
    keras.mixed_precision.set_global_policy("mixed_float16" if recipe.mixed_precision else "float32")
    architecture = ARCHITECTURES[recipe.model]
    steps = -(-len(splits.train) // recipe.batch_size)
    if state.epoch:
        report(f"resuming after epoch {state.epoch} of {recipe.epochs}")
        model = keras.models.load_model(state.checkpoint(state.epoch))
    else:
        model = architecture.build(recipe.weights)
        _compile(model, recipe, steps)
    model.fit(
        training_batches(splits.train, architecture, recipe, state.epoch),
        validation_data=validation_batches(splits.validation, architecture, recipe),
        steps_per_epoch=steps,
        initial_epoch=state.epoch,
        epochs=recipe.epochs,
        verbose=0,
        callbacks=[
            TrainingProgress(recipe.epochs, steps, recipe.batch_size, state.epoch),
            keras.callbacks.TensorBoard(state.folder / "tensorboard", write_graph=False),
            _Checkpoint(state),
        ],
    )


def _compile(model: keras.Model, recipe: Recipe, steps: int) -> None:
    rate: Any = recipe.learning_rate
    if recipe.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps * recipe.epochs)
    losses = {
        "sparse_categorical_crossentropy": keras.losses.SparseCategoricalCrossentropy,
        "categorical_crossentropy": keras.losses.CategoricalCrossentropy,
    }
    loss = losses[recipe.loss](from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(rate), loss=loss, metrics=["accuracy"])


class _Checkpoint(keras.callbacks.Callback):
    def __init__(self, state: TrainingState) -> None:
        super().__init__()
        self.state = state

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        metrics = {key: float(value) for key, value in (logs or {}).items()}
        self.state.add_epoch(self.model, {**metrics, "seconds": round(time.monotonic() - self.began, 1)})


def _finish(state: TrainingState, recipe: Recipe, dataset: Dataset, name: str, where: str) -> None:
    """Complete the staging folder: the best epoch's model without its optimizer, and the run's story."""
    keras.mixed_precision.set_global_policy("float32")
    architecture = ARCHITECTURES[recipe.model]
    model = _in_float32(architecture, keras.models.load_model(state.checkpoint(state.best_epoch), compile=False))
    model_path = state.folder / runs.MODEL
    with files.replacing(model_path) as temporary:
        model.save(temporary)
    digest = files.sha256(model_path)
    layers = summarize(model)
    info = {
        "schema": runs.SCHEMA,
        "name": name,
        "id": digest[:12],
        "small_run": recipe.limit is not None or not dataset.complete,
        "validation_accuracy": state.history[state.best_epoch - 1]["val_accuracy"],
        "best_epoch": state.best_epoch,
        "recipe": recipe.as_dict(),
        "initial_weights_sha256": _weights_digest(recipe),
        "history": state.history,
        "seconds": round(sum(epoch["seconds"] for epoch in state.history), 1),
        "model": {
            "file": runs.MODEL,
            "sha256": digest,
            "parameters": sum(layer.parameters for layer in layers),
            "macs": sum(layer.macs for layer in layers),
        },
        "data": dataset.describe(),
        "trained_on": where,
        "device": device.describe(),
        "versions": {package: version(package) for package in PACKAGES},
    }
    files.write_json(state.folder / runs.INFO, info)
    checkpoints.discard(state.folder)


def _in_float32(architecture: Architecture, trained: keras.Model) -> keras.Model:
    model = architecture.build(None)
    model.set_weights(trained.get_weights())
    return model


def _weights_digest(recipe: Recipe) -> str | None:
    path = Path(recipe.weights) if recipe.weights else None
    return files.sha256(path) if path and path.is_file() else None


def with_overrides(recipe: Recipe, **changes: Any) -> Recipe:
    """The recipe with every change that is not None."""
    return replace(recipe, **{key: value for key, value in changes.items() if value is not None})
