"""The data set that a verb works on: its options, and from them and what is named to a data set."""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from edgefashion.cli._options import PATH, options
from edgefashion.cli._output import say
from edgefashion.cli._progress import Bar
from edgefashion.errors import DataError, MissingExtra
from edgefashion.files import reading
from edgefashion.installation import is_installed

if TYPE_CHECKING:
    from edgefashion.data import Dataset
    from edgefashion.data.picture_sets.options import PictureOptions
    from edgefashion.pictures.decoding import Background
    from edgefashion.records.values import Dataset as DatasetInfo
    from edgefashion.task import Task
    from edgefashion.training.runs import Run

FOLDER, SKIP, DROP, FOLLOW = "data_folder", "skip_bad", "drop_duplicates", "follow_links"
FITS = ("crop", "pad", "stretch")
COLORS = {"white": (255, 255, 255), "black": (0, 0, 0), "gray": (128, 128, 128)}
_WITH_DATA = re.compile(r"\bedgefashion (train|export|evaluate|bundle|card|debug|quantize)\b")


@dataclass(frozen=True)
class Chosen:
    """What the user says of the data set."""

    folder: Path | None
    options: "PictureOptions"
    folds: bool = False
    """Whether its pictures are shared out into folds, whatever its splits are."""


class Size(click.ParamType[tuple[int, int]]):
    """Height and width of images: `96`, or `48x96`."""

    name = "size"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """How --help shows it."""
        return "N|HxW"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Height and width."""
        found = re.fullmatch(r"([0-9]{1,5})(?:x([0-9]{1,5}))?", value)
        if not found:
            self.fail(f"{value[:20]!r} is no size of images: give 96, or 48x96 (height, width)", param, ctx)
        return int(found[1]), int(found[2] or found[1])


class Color(click.ParamType["Background"]):
    """`white`, `black`, `gray`, red, green and blue as `#ff8000`, or `none`."""

    name = "color"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """How --help shows it."""
        return "COLOR|none"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Background":
        """Red, green and blue, 0 to 255, or none."""
        if value == "none":
            return "none"
        if value.lower() in COLORS:
            return COLORS[value.lower()]
        found = re.fullmatch(r"#?([0-9a-fA-F]{6})", value)
        if not found:
            self.fail(
                f"{value[:20]!r} is no color: give {', '.join(COLORS)}, one like #ff8000, or none", param, ctx
            )
        red, green, blue = bytes.fromhex(found[1])
        return red, green, blue


folder_option = click.option(
    "--data",
    FOLDER,
    type=PATH,
    help="Folder or .zip file of pictures sorted by class, or of IDX files.",
)
set_options = options(
    click.option("--skip-bad", SKIP, is_flag=True, help="Leave out files that are no pictures, or damaged."),
    click.option(
        "--drop-duplicates", DROP, is_flag=True, help="Leave out the same picture in two splits or classes."
    ),
    click.option("--follow-links", FOLLOW, is_flag=True, help="Follow symbolic links among the pictures."),
)
task_options = options(
    click.option(
        "--size", type=Size(), help="Size of the images made; default: the pictures' own up to 96, else 96."
    ),
    click.option("--fit", type=click.Choice(FITS), help="How pictures become images; default: crop."),
    click.option("--gray/--rgb", default=None, help="Channels; default: gray where all pictures are."),
    click.option(
        "--background",
        type=Color(),
        help="Seen where a picture is transparent; none: the colors kept there; default: white.",
    ),
)


def takes_data(*, makes_task: bool = False, named: bool = True) -> Callable[[Any], Any]:
    """The options that choose a data set, given to the verb as one argument `chosen`.

    `makes_task`: what images are made of pictures can be said; `named`: --data is among them.
    """

    def apply(command: Any) -> Any:
        @wraps(command)
        def wrapped(**values: Any) -> Any:
            names = ("size", "fit", "gray", "background") if makes_task else ()
            said = {name: values.pop(name) for name in (*names, SKIP, DROP, FOLLOW)}
            return command(chosen=Chosen(values.pop(FOLDER), cast("PictureOptions", said)), **values)

        groups = [folder_option] * named + [task_options] * makes_task + [set_options]
        return options(*groups)(wrapped)

    return apply


def with_data(command: str, params: Mapping[str, Any]) -> str:
    """A command that goes on with the data set that was named, and, where it trains, with the images that are
    to be made; `params` are those of the verb at work.
    """
    folder = params.get(FOLDER)
    if not folder or "--data" in command:
        return command
    flags = [f"--{name.replace('_', '-')}" for name in (SKIP, DROP, FOLLOW) if params.get(name)]
    added = shlex.join(("--data", str(folder), *flags))
    made = f"{added} {shlex.join(_task_flags(params))}".rstrip()
    return _WITH_DATA.sub(lambda verb: f"{verb[0]} {made if verb[1] == 'train' else added}", command)


def _task_flags(params: Mapping[str, Any]) -> list[str]:
    """The options that say what images to make, as they are typed."""
    found = []
    if size := params.get("size"):
        found += ["--size", f"{size[0]}x{size[1]}" if size[0] != size[1] else f"{size[0]}"]
    if fit := params.get("fit"):
        found += ["--fit", fit]
    if (gray := params.get("gray")) is not None:
        found.append("--gray" if gray else "--rgb")
    if color := params.get("background"):
        names = {"none": "none"} | {value: name for name, value in COLORS.items()}
        found += ["--background", names.get(color) or "#{:02x}{:02x}{:02x}".format(*color)]
    return found


def load(chosen: Chosen, task: "Task | None" = None, recorded: "DatasetInfo | None" = None) -> "Dataset":
    """The data set; says where it is from. Of a `task` that there is already, where no folder is chosen, that
    `recorded` with it.
    """
    from edgefashion.data.locate import find_dataset
    from edgefashion.training.learned import is_made_of

    known = None if chosen.folder else _recorded(task, recorded)
    if task and not known and not is_known(chosen, task):
        raise DataError(
            f"the model is of {task.name}, and where that is, is not known here: name it with --data"
        )
    if known:
        chosen = replace(
            chosen, folder=Path(str(known.folder)), options={**chosen.options, **options_of(known)}
        )
    with Bar(at_once=False) as progress:
        dataset = find_dataset(chosen.folder, say, progress, task=task, **chosen.options)
    if not (chosen.folds or (recorded and recorded.fold and is_made_of(recorded, dataset))):
        for note in dataset.notes:
            say(note)
    whole = "" if dataset.complete else ", a part of the data set"
    say(f"data: {dataset.source}{whole}{', which the run was made with' if known else ''}")
    return dataset


def is_known(chosen: Chosen, task: "Task | None", recorded: "DatasetInfo | None" = None) -> bool:
    """Whether there is somewhere to look for the data of a task: Fashion-MNIST's can be fetched."""
    from edgefashion.data import FASHION_MNIST, locate

    there = recorded and recorded.folder and reading.exists(Path(recorded.folder), DataError)
    return task in (None, FASHION_MNIST) or bool(there or locate.named(chosen.folder))


def for_training(chosen: Chosen, run: "Run | None" = None) -> "Dataset":
    """The data set for what needs TensorFlow, of a run that there is. Raises MissingExtra without it, before
    anything is fetched.
    """
    check_tensorflow()
    return for_run(chosen, run) if run else load(chosen)


def check_tensorflow() -> None:
    """Raise MissingExtra where it is not installed."""
    if not is_installed("tensorflow"):
        raise MissingExtra("Training and exporting need tensorflow", "train")


def check_enough(dataset: "Dataset", force: bool) -> None:
    """Say what few pictures mean. Raises DataError for too few to train on, unless that is forced."""
    from edgefashion.data import sufficiency

    if dataset.left_out is None or dataset.fold:
        return  # not of pictures, or said when they were shared out
    counts = sufficiency.counts_of(dataset)
    if not force:
        sufficiency.refuse(dataset.task.name, counts)
    if few := sufficiency.warning(counts):
        say(few)


def for_run(chosen: Chosen, run: "Run") -> "Dataset":
    """The data set of a run, or the fold of it that it learned from."""
    from edgefashion.training import learned

    dataset = learned.part_of(load(chosen, run.task, run.info.data), run)
    say_fold(dataset)
    return dataset


def say_fold(dataset: "Dataset") -> None:
    """Say how many pictures a fold has, where it is one."""
    fold = dataset.fold
    if fold is None:
        return
    which = f"fold {fold.number} of {fold.of}" if fold.number else f"all {fold.of} folds"
    test = "" if dataset.untested else f", {len(dataset.test):,} to test with"
    say(f"{which}: {len(dataset.train):,} pictures to learn from{test}")


def _recorded(task: "Task | None", recorded: "DatasetInfo | None") -> "DatasetInfo | None":
    """The data that a run of another task than Fashion-MNIST was trained with, unless others are set."""
    from edgefashion.data import FASHION_MNIST, locate

    folder = recorded.folder if recorded else None
    if task in (None, FASHION_MNIST) or not folder:
        return None
    if reading.exists(Path(folder), DataError):
        return recorded
    if locate.named():
        return None
    raise DataError(f"{folder}, which the run was made with, is not there: name it with --data")


def options_of(recorded: "DatasetInfo") -> "PictureOptions":
    """What is to be left out again, as it was in training."""
    left_out = recorded.left_out
    found: PictureOptions = {}
    if left_out and left_out.bad:
        found["skip_bad"] = True
    if left_out and left_out.duplicates:
        found["drop_duplicates"] = True
    if recorded.follow_links:
        found["follow_links"] = True
    return found
