"""From any picture to an image of a task: what every verb does with a picture file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgefashion.errors import BadInput, PictureError
from edgefashion.pictures import decoding, framing, garment
from edgefashion.task import Task

if TYPE_CHECKING:
    from PIL.Image import Image

UNNAMED = Path("picture")
"""What one is called that is in no file."""


@dataclass(frozen=True, eq=False)
class Converted:
    """A picture as a model takes it."""

    path: Path
    size: tuple[int, int]
    """Width and height of the picture, upright."""
    pixels: NDArray[np.uint8]
    """uint8 [height, width, channels] of the task"""
    bits: int | None
    """Of a picture of 16 bits a color: how many of them it uses."""
    steps: str
    """What was done to it, for people."""
    details: dict[str, Any]
    """The same, as JSON."""


def convert(given: "str | Path | Image", task: Task, invert: bool | None = None) -> Converted:
    """Make a picture fit as the task says: a PNG or JPEG file, or what Pillow has opened.

    `invert` says whether to negate a picture of clothing, None that its border does; it is of such pictures
    alone (BadInput). Raises PictureError and MissingExtra: see `decoding.read`, and `garment.fit`.
    """
    path = Path(given) if isinstance(given, str | Path) else UNNAMED
    if task.picture.fit == "garment":
        picture = _opened(given, garment.BEHIND[invert])
        pixels, what, details = garment.fit(path, picture, task, invert)
    elif invert is not None:
        raise BadInput(
            f"pictures of {task.name} are taken in their own colors: leave out --invert and --no-invert"
        )
    else:
        picture = _opened(given, decoding.rgb(task.picture.background))
        pixels, what, details = framing.fit(picture.image, task)
    size = f"{picture.size[0]}x{picture.size[1]}"
    depth = f" of {picture.bits} bits in 16" if picture.bits else ""
    details = {"size": list(picture.size), "bits": picture.bits, **details}
    return Converted(path, picture.size, pixels, picture.bits, f"{size}{depth}{what}", details)


def _opened(given: "str | Path | Image", behind: decoding.Color | None) -> decoding.Picture:
    if isinstance(given, str | Path):
        return decoding.read(Path(given), behind)
    if not all(given.size):
        raise PictureError(f"{UNNAMED} has no pixels: give another")
    return decoding.prepared(given, given.size, behind)
