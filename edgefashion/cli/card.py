"""The verb that writes model cards."""

import shlex
from pathlib import Path

import click

from edgefashion.cli import _judging, _resolve
from edgefashion.cli._data import Chosen, takes_data
from edgefashion.cli._options import OUTPUT, PATH, PICTURE, runs_option
from edgefashion.cli._output import deliver, following, keep_inputs, text_of
from edgefashion.cli._progress import Bar
from edgefashion.installation import is_installed


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
    from edgefashion import zoo
    from edgefashion.api.cards import known_of
    from edgefashion.report.card import gather

    keep_inputs((name, *measured), (output, picture))
    stories, artifacts = known_of(name if zoo.is_name(name) else _resolve.run_folder(name, root))
    dataset = _judging.for_artifacts(artifacts, chosen)
    with Bar() as progress:
        evidence = gather(stories[0].name, stories, artifacts, dataset, measured, progress)

    text = evidence.to_markdown(picture.name if picture else None)
    deliver([(output, text_of(lambda: text)), (picture, evidence.plot)], lambda: None)
    if picture or not is_installed("matplotlib"):
        shipped = zoo.is_name(name)
        packing = f"edgefashion bundle {shlex.quote(name)} -o {shlex.quote(evidence.name)}.zip"
        following(f"edgefashion bench {shlex.quote(name)}" if shipped else packing)
    else:
        own = shlex.join(("edgefashion", "card", *map(str, (name, *measured)), "-o", str(output)))
        following(f"{own} --plot confusion.png")
