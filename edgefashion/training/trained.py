"""The model of a run, and how a recipe trains it: from names to architectures and weights."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

from edgefashion.errors import RunError
from edgefashion.models import ARCHITECTURES, Architecture, Compression, architecture, check_size
from edgefashion.models.weights import take_from_run
from edgefashion.recipes import WIDTHS, FineTuning, Recipe
from edgefashion.task import Task
from edgefashion.tensorflow import keras
from edgefashion.training import runs
from edgefashion.training.runs import Run


def architecture_for(recipe: Recipe) -> Architecture:
    """The architecture that a recipe names, as it is trained at first or when it is fine-tuned."""
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
    kinds = (None, *get_args(FineTuning))
    if recipe.model not in ARCHITECTURES or recipe.fine_tuning not in kinds or recipe.width not in WIDTHS:
        what = ", ".join(str(part) for part in (recipe.model, recipe.fine_tuning, recipe.width) if part)
        raise RunError(f"{run.folder} has a model that is not known here ({what}): train it again")
    found = architecture_for(recipe)
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


def _deployed(architecture: Architecture) -> Architecture:
    """The same classifier as it is deployed, to be fine-tuned: `build` takes the path of a run's model."""

    def build(task: Task, weights: str | None) -> keras.Model:
        model = load_model(runs.read(Path(weights).parent)) if weights else architecture.build(task, None)
        return architecture.fold(model, task)

    return replace(architecture, build=build, expand=architecture.resize, fold=lambda model, _: model)
