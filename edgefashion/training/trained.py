"""The model of a run, and how a recipe trains it: from names to architectures and weights."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

from msgspec import UNSET, UnsetType

from edgefashion import files
from edgefashion.errors import RunError
from edgefashion.files import reading
from edgefashion.models import (
    ARCHITECTURES,
    Architecture,
    Compression,
    Normalization,
    architecture,
    check_size,
    imported,
)
from edgefashion.models.weights import take_from_run
from edgefashion.recipes import WIDTHS, FineTuning, Recipe
from edgefashion.records.imported import Imported
from edgefashion.task import Task
from edgefashion.tensorflow import keras
from edgefashion.training import runs
from edgefashion.training.runs import Run


def architecture_of(run: Run) -> Architecture:
    """The architecture of a run's model. Raises RunError for one that is not known."""
    return architecture_for(run.recipe, run)


def architecture_for(recipe: Recipe, run: Run | None = None) -> Architecture:
    """The architecture that a recipe names, as it is trained at first or when it is fine-tuned; of an
    imported model that of the `run`, by default the one that the recipe starts from.
    """
    if recipe.model == imported.NAME:
        plain = _imported(run or runs.read(Path(recipe.weights or "").parent))
    else:
        plain = architecture(recipe.model, recipe.width)
    if recipe.fine_tuning is None:
        return plain
    floats = _deployed(plain)
    if recipe.fine_tuning != "qat":
        return floats
    from edgefashion.models import quantization_aware

    return quantization_aware.quantized(floats)


def load_model(run: Run) -> keras.Model:
    """The trained model of a run: built as its recipe says, with the weights of its file and nothing else
    of that. Raises RunError where it is another model, BadInput where it is not for images of that size.
    """
    recipe, task = run.recipe, run.task
    kinds, models = (None, *get_args(FineTuning)), (*ARCHITECTURES, imported.NAME)
    if recipe.model not in models or recipe.fine_tuning not in kinds or recipe.width not in WIDTHS:
        what = ", ".join(str(part) for part in (recipe.model, recipe.fine_tuning, recipe.width) if part)
        raise runs.unknown(run, what)
    found = architecture_of(run)
    check_size(found, task)
    model = found.build(task, None)
    take_from_run(run.model_path, model, recipe.model)
    return model


def compression_for(recipe: Recipe) -> Compression:
    """What is done to the weights while a model is trained after `recipe`."""
    if recipe.sparsity is not None:
        from edgefashion.training.compression import Pruning

        return Pruning(recipe.sparsity)
    if recipe.clusters is not None:
        from edgefashion.training.compression import Clustering

        return Clustering(recipe.clusters)
    return Compression()


def _imported(run: Run) -> Architecture:
    """That of a run whose model was trained elsewhere, or was fine-tuned from such."""
    told = run.info.imported
    if not told:
        raise RunError(f"{run.folder} does not say what was imported: import the model again")
    layers = run.folder / runs.ARCHITECTURE
    if reading.sha256(layers, "the layers of a run", RunError) != told.layers_sha256:
        raise RunError(f"{layers} is not what was imported: import the model again")
    most = run.model_path.stat().st_size // 2  # of 4 bytes each, and of what was folded away
    normalization = Normalization(told.scale, told.zero_point)
    return imported.architecture(normalization, layers, most)


def take_along(recipe: Recipe, folder: Path) -> Imported | UnsetType:
    """What is known of the imported model that a run in `folder` is fine-tuned from, whose layers are written
    there too; UNSET of any other recipe.
    """
    if recipe.model != imported.NAME:
        return UNSET
    base = runs.read(Path(recipe.weights or "").parent)
    files.write_bytes(folder / runs.ARCHITECTURE, (base.folder / runs.ARCHITECTURE).read_bytes())
    return base.info.imported


def _deployed(architecture: Architecture) -> Architecture:
    """The same classifier as it is deployed, to be fine-tuned: `build` takes the path of a run's model."""

    def build(task: Task, weights: str | None) -> keras.Model:
        model = load_model(runs.read(Path(weights).parent)) if weights else architecture.build(task, None)
        return architecture.fold(model, task)

    return replace(architecture, build=build, expand=architecture.resize, fold=lambda model, _: model)


def named(recipe: Recipe) -> str:
    """The model that a recipe trains, for people: its architecture, or the run that one of others is in."""
    if recipe.model != imported.NAME:
        return recipe.model
    return f"the model of {Path(recipe.weights or '').parent}"
