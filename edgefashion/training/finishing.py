"""The end of a training: the best epoch's model and the record of the run."""

from importlib.metadata import version
from pathlib import Path

from edgefashion import device, files
from edgefashion.data import Dataset, Splits, Task
from edgefashion.errors import BadInput
from edgefashion.files import reading
from edgefashion.models.summary import summarize
from edgefashion.recipes import Recipe
from edgefashion.records import run as records
from edgefashion.tensorflow import keras
from edgefashion.training import checkpoints, frozen_layers, learned, runs
from edgefashion.training.checkpoints import TrainingState
from edgefashion.training.preparation import build
from edgefashion.training.trained import architecture_for, compression_for, take_along
from edgefashion.training.trainer import kept_arrays

PACKAGES = ("edgefashion", "tensorflow", "tf_keras", "numpy")
FINE_TUNING_PACKAGES = (*PACKAGES, "tensorflow-model-optimization")


def finish(
    state: TrainingState, recipe: Recipe, dataset: Dataset, splits: Splits, name: str, where: str
) -> None:
    """Complete the staging folder: the best epoch's model without its optimizer, and the run's record."""
    keras.mixed_precision.set_global_policy("float32")
    compression = compression_for(recipe)
    best = build(recipe, dataset.task, steps=1)
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
            validation=0 if recipe.use_validation else len(splits.validation),
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
