"""What every picture needs: a matplotlib figure, and a file that is written whole or not at all."""

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from edgefashion.errors import BadInput, MissingExtra
from edgefashion.files import check_writable, replacing, temporary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VARIABLE = "MPLCONFIGDIR"
_kept: list[temporary.Folder] = []
FORMATS = ("png", "svg", "pdf")


def kind_of(path: Path) -> str:
    """`png`, `svg` or `pdf`, from the end of the name. Raises BadInput for any other."""
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise BadInput(f"{path}: cannot draw a picture of this kind; end the name in .png, .svg or .pdf")
    return kind


def check(path: Path) -> None:
    """Raise what drawing into `path` would raise before a figure is there, so that no work is lost."""
    kind_of(path)
    check_writable(path)
    new_figure(1, 1)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """A block to import matplotlib in: it would obey a `matplotlibrc` of the current folder, whoever wrote
    that, and complain where it can keep nothing at home.
    """
    if "matplotlib" not in sys.modules:
        _settle()
    here = os.open(".", os.O_PATH | os.O_CLOEXEC)
    os.chdir(Path(__file__).parent)
    try:
        yield
    finally:
        os.fchdir(here)
        os.close(here)


def _settle() -> None:
    """Let matplotlib keep its files in a temporary folder where its own cannot be written."""
    own = platformdirs.user_config_path("matplotlib"), platformdirs.user_cache_path("matplotlib")
    if VARIABLE not in os.environ and not all(map(_can_be_written, own)):
        _kept.append(temporary.Folder())
        os.environ[VARIABLE] = str(_kept[-1].path)


def _can_be_written(folder: Path) -> bool:
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of this size in inches. Raises MissingExtra without matplotlib."""
    try:
        with undisturbed():
            from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("Drawing needs matplotlib", "plot") from error
    return Figure(figsize=(width, height), layout="constrained")


def save(figure: "Figure", path: Path, kind: str) -> None:
    """Write a figure as `kind` of file in one step. Raises OutputError when `path` cannot be written."""
    with replacing(path) as temporary, warnings.catch_warnings():
        # Of a name that is too long for the picture, or in a script that the font lacks.
        warnings.simplefilter("ignore", UserWarning)
        figure.savefig(temporary, format=kind, dpi=150)
