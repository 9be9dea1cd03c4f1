"""The verb that finds a data set and looks into it."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgefashion.cli import _data
from edgefashion.cli._data import Chosen, takes_data
from edgefashion.cli._options import PATH, PICTURE, RUNS, Whole
from edgefashion.cli._output import following, say, show, show_json, show_page
from edgefashion.cli._progress import Bar
from edgefashion.errors import BadInput, DataError

if TYPE_CHECKING:
    from edgefashion.data.picture_sets.examining import Examined
    from edgefashion.data.picture_sets.summary import Summary


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=PATH)
@takes_data(makes_task=True)
@click.option("--json", "as_json", is_flag=True, help="Of pictures: print JSON instead.")
@click.option(
    "--plot", "picture", type=PICTURE, help="Draw training images into this .png, .svg or .pdf file."
)
@click.option("--index", type=Whole(min=0), help="With --plot: one image, large.")
@click.option("--forget", is_flag=True, help="Remove what is kept of these pictures in the cache.")
def data(
    folder: Path | None,
    chosen: Chosen,
    as_json: bool,
    picture: Path | None,
    index: int | None,
    forget: bool,
) -> None:
    """Find or fetch the data set, check it and describe it: your own pictures too.

    Example: edgefashion data photos/ --plot grid.png
    """
    from edgefashion.data import locate

    if folder and chosen.folder:
        raise BadInput(f"{folder} and --data {chosen.folder} both name a data set: give one of them")
    if index is not None and picture is None:
        raise BadInput("--index chooses the image to draw: add --plot FILE.png")
    named = locate.named(folder or chosen.folder)
    if named and not locate.is_idx(named):
        chosen = Chosen(named, chosen.options)
        if index is not None:
            raise BadInput(f"--index is of IDX files: a picture of {named} can be opened itself")
        if forget:
            _forget(named)
        else:
            _describe_pictures(chosen, as_json, picture)
    elif as_json or forget:
        raise BadInput(f"{'--json' if as_json else '--forget'} is of pictures: name a folder of such")
    else:
        _describe(Chosen(named, chosen.options), picture, index)


def _describe(chosen: Chosen, picture: Path | None, index: int | None) -> None:
    """A data set of IDX files."""
    from edgefashion.data.describe import description
    from edgefashion.training import runs

    dataset = _data.load(chosen)
    if picture:
        from edgefashion.data.plot import plot_grid, plot_image

        if index is None:
            plot_grid(dataset.train, dataset.task, picture)
        else:
            plot_image(dataset.train, dataset.task, index, picture)
        say(f"written: {shlex.quote(str(picture))}")
    show(description(dataset))
    following("edgefashion evaluate" if runs.find(Path(RUNS)) else "edgefashion train")


def _describe_pictures(chosen: Chosen, as_json: bool, picture: Path | None) -> None:
    """A set of pictures: first all that is in it, then why it cannot be trained on as it is."""
    from edgefashion.data import sufficiency
    from edgefashion.data.picture_sets.examining import examine, usable
    from edgefashion.data.picture_sets.loading import made_task
    from edgefashion.data.picture_sets.summary import Summary

    assert chosen.folder
    options = chosen.options
    with Bar(at_once=False) as progress:
        examined = examine(chosen.folder, say, progress, options.get("follow_links", False))
    drop = options.get("drop_duplicates", False) or bool(examined.conflicts)
    try:
        used = usable(examined, skip_bad=True, drop_duplicates=drop)
        found = Summary(examined, used, made_task(used, options), chosen.options)
    except DataError:
        _refuse(examined, chosen)  # it may be what is wrong with the files that leaves too few of them
        raise
    if picture:
        _draw(found, picture)
        say(f"written: {shlex.quote(str(picture))}")
    if as_json:
        show_json(json.dumps(found.to_dict(), indent=2))
    else:
        show_page(found.page())
    _refuse(examined, chosen)
    sufficiency.refuse(found.task.name, found.counts)
    following(_data.with_data("edgefashion train", {_data.FOLDER: chosen.folder, **options}))


def _refuse(examined: "Examined", chosen: Chosen) -> None:
    """Raise DataError as training on it would."""
    if not chosen.options.get("skip_bad"):
        examined.refuse_bad()
    if not chosen.options.get("drop_duplicates"):
        examined.refuse_copies()


def _draw(found: "Summary", path: Path) -> None:
    """The first training pictures of each class, as images: no others are decoded."""
    from edgefashion.data.picture_sets.loading import subset_of
    from edgefashion.data.plot import grid_of, plot_grid

    train = found.used.of("train")
    most = grid_of(len(found.task.classes)).per_class
    rows = [[each for each in train if each.label == name][:most] for name in found.task.classes]
    plot_grid(subset_of([each for row in rows for each in row], found.task), found.task, path)


def _forget(folder: Path) -> None:
    from edgefashion.data.picture_sets import scanning
    from edgefashion.data.picture_sets.examining import tree_of

    freed = scanning.forget(tree_of(folder))
    say(f"removed from the cache: {freed / 1e6:,.1f} MB of {shlex.quote(str(folder))}")
