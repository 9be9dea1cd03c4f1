"""What the user says of a set of pictures, and the task that is made of it."""

from collections.abc import Sequence
from typing import TypedDict

from edgefashion.data.picture_sets.picture import Picture
from edgefashion.errors import BadInput
from edgefashion.errors.wording import setting
from edgefashion.pictures.decoding import BLACK, WHITE, Background, Color
from edgefashion.records.task import LONGEST_EDGE
from edgefashion.task import Fit, Task
from edgefashion.task import Picture as Framing

LARGEST = 96
"""Where all pictures are of one size up to this, that is the size of the images; else this is."""
FITS: tuple[Fit, ...] = ("crop", "pad", "stretch")
_GRAY = (299, 587, 114)
"""Thousandths of red, green and blue: ITU-R BT.601, as Pillow has it."""


class TaskOptions(TypedDict, total=False):
    """What images to make of the pictures; each None where the user does not say."""

    size: int | tuple[int, int] | None
    """Height and width of the images, or both in one number; default: the pictures' own up to 96, else 96."""
    fit: Fit | None
    """`crop` keeps the middle (default), `pad` adds margins, `stretch` does not keep the aspect."""
    gray: bool | None
    """Whether images have one channel; default: where all pictures of the training split are gray."""
    background: Background | None
    """Red, green and blue that are seen where a picture is transparent, or "none" for the colors kept there;
    default: white.
    """


class SetOptions(TypedDict, total=False):
    """Which of the files to take."""

    skip_bad: bool
    """Leave out what is damaged or no picture; else it is an error."""
    drop_duplicates: bool
    """Leave out the same picture in two splits or classes; else it is an error."""
    follow_links: bool
    """Follow symbolic links."""


class PictureOptions(TaskOptions, SetOptions, total=False):
    """All of it."""


def check(options: TaskOptions) -> None:
    """Raise BadInput for a size, fit or color that there is not."""
    height, width = _edges(options.get("size")) or (1, 1)
    if not (1 <= height <= LONGEST_EDGE and 1 <= width <= LONGEST_EDGE):
        raise BadInput(f"images of {height}x{width} pixels are not made: give 1 to {LONGEST_EDGE} an edge")
    if (fit := options.get("fit")) not in (None, *FITS):
        raise BadInput(f"fit {fit!r} is not known: choose from {', '.join(FITS)}")
    color = options.get("background")
    if color in (None, "none"):
        return
    if isinstance(color, str) or len(color) != 3 or not all(0 <= value <= 255 for value in color):
        raise BadInput(f'{color} is no color: give red, green and blue, 0 to 255 each, or "none"')


def task_for(name: str, classes: Sequence[str], learned: Sequence[Picture], options: TaskOptions) -> Task:
    """The task of a set: what the user says, and else what the pictures are that are learned from."""
    asked = options.get("gray")
    gray = all(each.scanned.gray for each in learned) if asked is None else asked
    height, width = _edges(options.get("size")) or _usual_size(learned)
    behind = options.get("background") or WHITE
    background = (_level(behind),) if gray and behind != "none" else behind
    framing = Framing(options.get("fit") or "crop", background, BLACK[:1] if gray else BLACK)
    return Task(name, (height, width, 1 if gray else 3), tuple(classes), framing)


def _level(color: Color) -> int:
    """Its gray."""
    return round(sum(part * value for part, value in zip(_GRAY, color, strict=True)) / 1000)


def said(options: TaskOptions) -> list[str]:
    """The options that the user gave, as they are given."""
    found = [setting(f"--{name}") for name in ("size", "fit", "background") if options.get(name) is not None]
    gray = options.get("gray")
    return found if gray is None else [*found, setting("--gray") if gray else setting("--rgb")]


def _edges(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """Height and width."""
    return (size, size) if isinstance(size, int) else size


def _usual_size(learned: Sequence[Picture]) -> tuple[int, int]:
    sizes = {each.scanned.size for each in learned}
    if len(sizes) == 1 and max(max(sizes)) <= LARGEST:
        width, height = sizes.pop()
        return height, width
    return LARGEST, LARGEST
