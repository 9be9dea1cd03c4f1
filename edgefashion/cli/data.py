"""The verb that finds or fetches the data set."""

from pathlib import Path

import click

from edgefashion.cli._options import PICTURE, RUNS, Whole, data_option
from edgefashion.cli._output import following, say, show
from edgefashion.errors import BadInput


@click.command()
@data_option
@click.option(
    "--plot", "picture", type=PICTURE, help="Draw training images into this .png, .svg or .pdf file."
)
@click.option("--index", type=Whole(min=0), help="With --plot: one image, large.")
def data(data_folder: Path | None, picture: Path | None, index: int | None) -> None:
    """Find or fetch the data set, check it and describe it.

    Example: edgefashion data --plot grid.png
    """
    from edgefashion.data import load_dataset
    from edgefashion.data.describe import description
    from edgefashion.training import runs

    if index is not None and picture is None:
        raise BadInput("--index chooses the image to draw: add --plot FILE.png")
    dataset = load_dataset(data_folder, say)
    if picture:
        from edgefashion.data.plot import plot_grid, plot_image

        if index is None:
            plot_grid(dataset.train, dataset.task, picture)
        else:
            plot_image(dataset.train, dataset.task, index, picture)
        say(f"written: {picture}")
    show(description(dataset))
    following("edgefashion evaluate" if runs.find(Path(RUNS)) else "edgefashion train")
