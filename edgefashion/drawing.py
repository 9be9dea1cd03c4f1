"""What every picture needs: a figure of matplotlib, and a file that is there whole or not at all."""

from pathlib import Path
from typing import TYPE_CHECKING

from edgefashion.errors import BadInput, MissingExtra
from edgefashion.files import check_writable, replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of this size in inches. Raises MissingExtra without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("Drawing needs matplotlib", "plot") from error
    return Figure(figsize=(width, height), layout="constrained")


def save(figure: "Figure", path: Path, kind: str) -> None:
    """Write a figure as `kind` of file in one step. Raises OutputError when `path` cannot be written."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format=kind, dpi=150)
