"""The verb that goes the whole way."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgefashion import files
from edgefashion.cli import _data, _recipes
from edgefashion.cli._data import Chosen, takes_data
from edgefashion.cli._next_step import after_evaluation
from edgefashion.cli._options import model_option, runs_option, threads_option, training_options
from edgefashion.cli._output import following, give_out, say
from edgefashion.cli._progress import Bar, training_bar
from edgefashion.recipes import Recipe

if TYPE_CHECKING:
    from edgefashion.artifacts.artifact import Artifact
    from edgefashion.data import Dataset

SMOKE_IMAGES = 600
SMOKE_SECONDS = 0.1


@click.command()
@model_option
@click.option("--smoke", is_flag=True, help="The whole way in under a minute: 1 epoch, a few hundred images.")
@threads_option
@runs_option
@takes_data(makes_task=True)
@training_options
def run(
    models: tuple[str, ...],
    smoke: bool,
    threads: tuple[int, ...],
    root: Path,
    chosen: Chosen,
    hardware: str | None,
    force: bool,
    **changes: Any,
) -> None:
    """Train, export and evaluate, reusing what is there and valid.

    Example: edgefashion run --smoke
    """
    from edgefashion.api.measure import evaluate
    from edgefashion.cli._protocol import protocol_for
    from edgefashion.evaluation import words

    if smoke:
        changes |= {"epochs": changes["epochs"] or 1, "limit": changes["limit"] or SMOKE_IMAGES}
    path = root / ("results-small.json" if changes["limit"] else "results.json")
    dataset, recipes = _recipes.for_data(models, None, chosen, None, **changes)
    _data.check_enough(dataset, force)
    files.make_folder(root)
    files.check_writable(path)
    artifacts = [
        each
        for name, recipe in recipes.items()
        for each in _made(recipe, dataset, root / name, hardware, force)
    ]
    protocol = protocol_for(SMOKE_SECONDS if smoke else None, None, None, in_process=False)
    with Bar() as progress:
        found = evaluate(
            artifacts, dataset, threads=threads, limit=changes["limit"], options=protocol, progress=progress
        )
    give_out(found, json_file=path)
    if found.interrupted:
        raise KeyboardInterrupt
    for line in words.sentences(found):
        say(line)
    if steps := after_evaluation(artifacts, found):
        following(*steps)
    found.raise_failures()


def _made(
    recipe: Recipe, dataset: "Dataset", folder: Path, hardware: str | None, force: bool
) -> "list[Artifact]":
    """The usual exports of a recipe's run, trained and made where they are not there yet."""
    from edgefashion.export.export import export_model
    from edgefashion.training.reuse import train_or_reuse

    with training_bar() as progress:
        run = train_or_reuse(
            recipe, dataset, folder, hardware=hardware, force=force, report=say, progress=progress
        )
    return export_model(run, dataset, reuse=True, report=say)
