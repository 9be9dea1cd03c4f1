"""The verb that writes model cards."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgefashion.cli import _data, _resolve
from edgefashion.cli._data import Chosen, takes_data
from edgefashion.cli._options import OUTPUT, PATH, PICTURE, runs_option
from edgefashion.cli._output import deliver, following, keep_inputs, text_of
from edgefashion.cli._progress import Bar
from edgefashion.installation import is_installed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgefashion.artifacts.artifact import Artifact
    from edgefashion.records.run import Story


@click.command()
@click.argument("name", metavar="RUN|zoo:NAME")
@click.argument("measured", metavar="[RESULTS.json]...", nargs=-1, type=PATH)
@click.option("-o", "--output", type=OUTPUT, required=True, help="The Markdown file to write.")
@click.option("--plot", "picture", type=PICTURE, help="Draw the confusion matrix: .png, .svg or .pdf.")
@runs_option
@takes_data()
def card(
    name: str,
    measured: tuple[Path, ...],
    output: Path,
    picture: Path | None,
    root: Path,
    chosen: Chosen,
) -> None:
    """Write a model's card: data, recipe, accuracy, sizes, latencies, weaknesses.

    All of it comes from the run and its exported files, which classify the test images for it, and from
    results files of bench or evaluate, for what is measured on other machines.

    Example: edgefashion card runs/cnn pi4.json pi5.json -o MODEL_CARD.md
    """
    from edgefashion.report.card import gather, to_markdown

    keep_inputs((name, *measured), (output, picture))
    stories, artifacts = _known(name, root)
    dataset = _data.for_artifacts(artifacts, chosen)
    with Bar() as progress:
        evidence = gather(stories[0].name, stories, artifacts, dataset, measured, progress)

    def draw(path: Path) -> None:
        from edgefashion.report.card.plot import plot

        plot(evidence, path)

    text = to_markdown(evidence, picture.name if picture else None)
    deliver([(output, text_of(lambda: text)), (picture, draw)], lambda: None)
    if not picture and is_installed("matplotlib"):
        own = shlex.join(("edgefashion", "card", *map(str, (name, *measured)), "-o", str(output)))
        following(f"{own} --plot confusion.png")


def _known(name: str, root: Path) -> "tuple[Sequence[Story], list[Artifact]]":
    """What is known of the trainings behind a model, the last first, and its files.

    With them, the float32 files of the runs that it was fine-tuned from: what quantization is to be compared
    with.
    """
    from edgefashion import zoo
    from edgefashion.artifacts import artifact
    from edgefashion.training import runs

    artifacts = _resolve.named_artifacts([name], root)
    if zoo.is_name(name):
        return zoo.open_zoo().runs(name), artifacts
    trained = runs.lineage(_resolve.named_runs([name], root)[0])
    bases = [artifact.inspect(path) for run in trained[1:] for path in artifact.find(run.artifacts)]
    artifacts += [each for each in bases if each.precision == "float32"]
    return runs.stories(trained), artifacts
