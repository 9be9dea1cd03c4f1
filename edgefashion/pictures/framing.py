"""Fitting a picture into the images of a task: cropped, padded or stretched, in gray or in color."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgefashion.task import Task

if TYPE_CHECKING:
    from PIL.Image import Image

_DONE = {"crop": "cropped to", "pad": "fitted with margins into", "stretch": "stretched to"}


def least(task: Task) -> int:
    """How many pixels an edge of a picture has to have: twice as many as are looked at afterwards."""
    return 2 * max(task.height, task.width)


def fit(picture: "Image", task: Task) -> tuple[NDArray[np.uint8], str, dict[str, Any]]:
    """An RGB picture as uint8 [height, width, channels], and what was done to it, in words and as JSON.

    Resampling is bicubic, over all the pixels that an edge is made smaller by.
    """
    way, size = task.picture.fit, (task.width, task.height)
    colors = picture.convert("L") if task.channels == 1 else picture
    fitted = colors if colors.size == size else _resized(colors, way, size, task.picture.fill)
    pixels = np.asarray(fitted).reshape(task.image_shape)
    done = f"{_done(colors.size, size, way)} {size[0]}x{size[1]}"
    what = "taken as it is" if colors.size == size else done
    return pixels, f", {what}", {"fit": way}


def _done(old: tuple[int, int], new: tuple[int, int], way: str) -> str:
    """What becomes of a picture of another width and height, up to the new ones."""
    across, down = (after / before for before, after in zip(old, new, strict=True))
    if across == down:
        return "enlarged to" if across > 1 else "reduced to"
    scale = max(across, down) if way == "crop" else min(across, down)
    return f"enlarged and {_DONE[way]}" if scale > 1 else _DONE[way]


def _resized(picture: "Image", way: str, size: tuple[int, int], fill: tuple[int, ...]) -> "Image":
    from PIL import Image, ImageOps

    bicubic = Image.Resampling.BICUBIC
    if way == "stretch":
        return picture.resize(size, bicubic)
    if way == "crop":
        return ImageOps.fit(picture, size, bicubic)
    scale = min(whole / edge for whole, edge in zip(size, picture.size, strict=True))
    width, height = (max(1, round(edge * scale)) for edge in picture.size)
    canvas = Image.new(picture.mode, size, fill)
    canvas.paste(picture.resize((width, height), bicubic), ((size[0] - width) // 2, (size[1] - height) // 2))
    return canvas
