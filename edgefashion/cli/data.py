"""The verb that finds or fetches the data set."""

from pathlib import Path

import click

from edgefashion.cli import _data
from edgefashion.cli._data import Chosen, takes_data
from edgefashion.cli._options import PATH, PICTURE, RUNS, Whole
from edgefashion.cli._output import following, say, show
from edgefashion.errors import BadInput


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=PATH)
@takes_data(makes_task=True)
@click.option(
    "--plot", "picture", type=PICTURE, help="Draw training images into this .png, .svg or .pdf file."
)
@click.option("--index", type=Whole(min=0), help="With --plot: one image, large.")
def data(folder: Path | None, chosen: Chosen, picture: Path | None, index: int | None) -> None:
    """Find or fetch the data set, check it and describe it.

    Example: edgefashion data --plot grid.png
    """
    from edgefashion.data.describe import description
    from edgefashion.training import runs

    if index is not None and picture is None:
        raise BadInput("--index chooses the image to draw: add --plot FILE.png")
    if folder and chosen.folder:
        raise BadInput(f"{folder} and --data {chosen.folder} both name a data set: give one of them")
    dataset = _data.load(Chosen(folder or chosen.folder, chosen.options))
    if picture:
        from edgefashion.data.plot import plot_grid, plot_image

        if index is None:
            plot_grid(dataset.train, dataset.task, picture)
        else:
            plot_image(dataset.train, dataset.task, index, picture)
        say(f"written: {picture}")
    show(description(dataset))
    following("edgefashion evaluate" if runs.find(Path(RUNS)) else "edgefashion train")
