"""What every picture needs: a matplotlib figure of one style, and a file that is written whole or not at all.

A picture is as wide as a page and says itself what it shows: a title and what to know above, what its marks
mean below, then the machine and the date.
"""

import contextlib
import functools
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import platformdirs

from edgefashion.errors import BadInput, MissingExtra
from edgefashion.escaping import visible
from edgefashion.files import check_writable, replacing, temporary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VARIABLE = "MPLCONFIGDIR"
_kept: list[temporary.Folder] = []
FORMATS = ("png", "svg", "pdf")
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
"""Also color-blind people tell them apart, and on white all are seen: of M. Okabe and K. Ito, Color Universal
Design, 2008, without the yellow.
"""
INK, FAINT, RULE = "#222222", "#5c5c5c", "#e4e4e4"
"""Of words and marks, of what explains them, of the lines between them."""
TITLE, TEXT, SMALL = 13.0, 9.5, 8.5
"""Points. In a README a picture is 880 pixels wide, and its smallest letters are as high as 10 pixels."""
WIDTH, MARGIN = 10.0, 0.12
"""Of a picture, in inches."""
LINE = 0.19
"""From one line of small words to the next, in inches."""
LONGEST = 200
"""Characters of a line: there is no room for more."""
DPI = 150
HINTED = 1.04
"""On pixels letters are so many times as wide as drawn, at most."""
STYLE: dict[str, Any] = {
    "font.size": TEXT,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.labelsize": TEXT,
    "axes.titlesize": TEXT,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
}


class Caption(NamedTuple):
    """What a picture says of itself."""

    title: str
    details: Sequence[str]
    """Lines below it."""
    machine: str | None
    date: str | None
    """A day, ISO 8601 from which that is taken, or several days in words."""


class Entry(NamedTuple):
    """What a mark means: the look of a Line2D, and the words beside it; a number where the mark has one."""

    words: str
    look: Mapping[str, Any]
    number: str = ""


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


@contextlib.contextmanager
def drawing(
    path: Path, height: float, caption: Caption, legends: Sequence[Sequence[Entry]] = (), width: float = WIDTH
) -> Iterator["Figure"]:
    """A block that draws into a figure, which is saved as `path` when it ends.

    `width` and `height` are inches, of which the caption and the legends take none of the height. Raises
    BadInput for a suffix other than .png, .svg and .pdf, MissingExtra without matplotlib, and OutputError
    when `path` cannot be written.
    """
    kind = kind_of(path)
    new_figure(1, 1)
    from matplotlib import rc_context

    above = MARGIN + 0.28 + LINE * len(caption.details) + 0.1
    placed = [(entries, _places(entries, width)) for entries in legends if entries]
    heights = [LINE * (1 + max(row for _, row in places)) + MARGIN for _, places in placed]
    below = MARGIN + LINE + sum(heights) + 0.06
    whole = above + height + below
    with rc_context(STYLE), _any_letters():
        figure = new_figure(width, whole)
        rect = (MARGIN / width, below / whole, 1 - 2 * MARGIN / width, height / whole)
        figure.set_layout_engine("constrained", rect=rect)
        _say(figure, caption)
        for number, (entries, places) in enumerate(placed):
            _explain(figure, entries, places, below - 0.06 - sum(heights[:number]))
        yield figure
        save(figure, path, kind)


def settle(figure: "Figure") -> None:
    """Lay out what is in a figure; from here on it is known where things are, and they stay there."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def save(figure: "Figure", path: Path, kind: str) -> None:
    """Write a figure as `kind` of file in one step. Raises OutputError when `path` cannot be written."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format=kind, dpi=DPI)


def fit(text: str, points: float, inches: float) -> str:
    """The text of others as a line that is visible, without its middle where it is wider than so many inches
    in letters of this size.
    """
    text = visible(text)
    kept = min(len(text), LONGEST)
    cut = _without_middle(text, kept)
    while kept and (width := width_of(cut, points)) > inches:
        kept = min(kept - 1, round(kept * inches / width))
        cut = _without_middle(text, kept)
    return cut


def _without_middle(text: str, kept: int) -> str:
    """The text with so many of its characters."""
    return text if kept >= len(text) else f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"


@functools.cache
def width_of(text: str, points: float) -> float:
    """How wide a line of text is at most, in inches. It needs matplotlib."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    with _any_letters():
        width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=points), False)
    return HINTED * float(width) / 72


@contextlib.contextmanager
def _any_letters() -> Iterator[None]:
    """Of a name that is too long for the picture, or in a script that the font lacks, nobody is warned."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _say(figure: "Figure", caption: Caption) -> None:
    """The caption: what is shown at the top, where and when it was measured at the bottom."""
    width, height = figure.get_size_inches()
    room = width - 2 * MARGIN
    day = (caption.date or "undated").partition("T")[0]
    stamp = f"{caption.machine or 'unknown machine'}, {day}"
    lines = [(caption.title, TITLE, INK, height - MARGIN - 0.11), (stamp, SMALL, FAINT, MARGIN + LINE / 2)]
    start = height - MARGIN - 0.28 - LINE / 2
    lines += [(line, TEXT, FAINT, start - LINE * number) for number, line in enumerate(caption.details)]
    for text, size, color, y in lines:
        figure.text(
            MARGIN,
            y,
            fit(text, size * (1.12 if size == TITLE else 1), room),
            size=size,
            color=color,
            weight="bold" if size == TITLE else "normal",
            va="center",
            transform=figure.dpi_scale_trans,
        )


HANDLE, NUMBER, GAP = 0.3, 0.25, 0.2
"""Inches for a mark and for its number in a legend, and between words and the next mark."""


def _before(entries: Sequence[Entry]) -> float:
    """Inches that an entry takes before its words."""
    return HANDLE + NUMBER * any(entry.number for entry in entries)


def _places(entries: Sequence[Entry], width: float) -> list[tuple[float, int]]:
    """Where the entries of a legend begin, in inches from the left, and their lines: those with numbers in
    columns, as many as the longest words leave; others one after the other.
    """
    room, before = width - 2 * MARGIN, _before(entries)
    lengths = [before + width_of(fit(entry.words, SMALL, room), SMALL) + GAP for entry in entries]
    if any(entry.number for entry in entries):
        rows = -(-len(entries) // max(1, int(room / max(lengths))))
        each = room / -(-len(entries) // rows)
        return [(MARGIN + place // rows * each, place % rows) for place in range(len(entries))]
    found, x, row = list[tuple[float, int]](), MARGIN, 0
    for length in lengths:
        if x > MARGIN and x + length > width:
            x, row = MARGIN, row + 1
        found.append((x, row))
        x += length
    return found


def _explain(
    figure: "Figure", entries: Sequence[Entry], places: Sequence[tuple[float, int]], top: float
) -> None:
    """A legend whose first line is below `top` inches."""
    from matplotlib.lines import Line2D

    width, before = figure.get_figwidth(), _before(entries)
    look: dict[str, Any] = {"va": "center", "size": SMALL, "transform": figure.dpi_scale_trans}
    for entry, (x, row) in zip(entries, places, strict=True):
        y = top - LINE * (row + 0.5)
        next_x = min((other for other, _ in places if other > x), default=width) if entry.number else width
        ends = [x, x + HANDLE - 0.08] if entry.look.get("linestyle", "") else [x + HANDLE / 2 - 0.04]
        figure.add_artist(Line2D(ends, [y] * len(ends), transform=figure.dpi_scale_trans, **entry.look))
        if entry.number:
            figure.text(x + before - 0.06, y, entry.number, ha="right", weight="bold", **look)
        figure.text(x + before, y, fit(entry.words, SMALL, next_x - x - before - 0.1), **look)
