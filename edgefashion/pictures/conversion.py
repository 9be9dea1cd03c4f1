"""From any picture to an image of a task: what every verb does with a picture file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgefashion.errors import BadInput, PictureError
from edgefashion.errors.wording import setting
from edgefashion.pictures import decoding, framing, garment
from edgefashion.task import Task

if TYPE_CHECKING:
    from PIL.Image import Image

Open = Callable[[decoding.Background | None, int | None], decoding.Picture]
"""Opens a picture; see `decoding.read` for what it is called with."""
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


def image_of(content: bytes, name: Path, task: Task) -> NDArray[np.uint8]:
    """The content of a picture file as `convert` makes it fit: uint8 [height, width, channels].

    `name` is for errors. Raises PictureError and MissingExtra.
    """
    return convert_bytes(content, name, task).pixels


def convert_bytes(content: bytes, name: Path, task: Task, invert: bool | None = None) -> Converted:
    """The content of a picture file made fit: see `convert`; `name` is for errors."""
    return _fitted(lambda *how: decoding.read_bytes(name, content, *how), name, task, invert)


def convert(given: "str | Path | Image", task: Task, invert: bool | None = None) -> Converted:
    """Make a picture fit as the task says: a picture file, or what Pillow has opened.

    `invert` says whether to negate a picture of clothing, None that its border does; it is of such pictures
    alone (BadInput). A JPEG that Pillow has opened and not loaded gives the pixels that its file does; of one
    that is loaded, all pixels are resampled, where those of a large file are first decoded smaller: a few
    values differ by a few of 255. Raises PictureError and MissingExtra: see `decoding.read`, `garment.fit`.
    """
    if isinstance(given, str | Path):
        path = Path(given)
        return _fitted(lambda *how: decoding.read(path, *how), path, task, invert)
    content = decoding.undecoded(given)
    if content is not None:
        return convert_bytes(content, UNNAMED, task, invert)
    return _fitted(lambda behind, _: _taken(given, behind), UNNAMED, task, invert)


def _fitted(opened: Open, path: Path, task: Task, invert: bool | None) -> Converted:
    if task.picture.fit == "garment":
        picture = opened(garment.BEHIND[invert], None)
        pixels, what, details = garment.fit(path, picture, task, invert)
    elif invert is not None:
        raise BadInput(
            f"pictures of {task.name} are taken in their own colors: leave out {setting('--invert')}"
        )
    else:
        picture = opened(decoding.rgb(task.picture.background), framing.least(task))
        pixels, what, details = framing.fit(picture.image, task)
    size = f"{picture.size[0]}x{picture.size[1]}"
    depth = f" of {picture.bits} bits in 16" if picture.bits else ""
    details = {"size": list(picture.size), "bits": picture.bits, **details}
    return Converted(path, picture.size, pixels, picture.bits, f"{size}{depth}{what}", details)


def _taken(given: "Image", behind: decoding.Background | None) -> decoding.Picture:
    if not all(given.size):
        raise PictureError(f"{UNNAMED} has no pixels: give another")
    return decoding.prepared(given, given.size, behind, UNNAMED)
