"""From a picture of clothing to an image, by the steps that Fashion-MNIST's own images were made with.

Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
algorithms" (2017), section 2, starts from product pictures on white:

1. trim edges whose color is within 5 % of the largest possible distance from that of a corner
2. make the longest edge that of the image, 28 pixels, by leaving out rows and columns
3. sharpen with a Gaussian of radius and standard deviation 1
4. extend the shortest edge to 28, the picture in the middle
5. negate, so that clothing is bright on black
6. make it gray, of 8 bits

So here, but for four things. A picture that is bright on black already is not negated. One of 28x28 pixels
is taken to be made so: nothing but the last two is done to it. And a background that is not quite white (or
black) is extended in its own color, and then its brightness is taken away from all pixels: of 500
validation images, enlarged and put on a gray background of 200, `cnn-qat` then classifies 91.2 % right, and
78.2 % without that; 91.0 % of those on white, 92.0 % of the images themselves. Where that would take away
most of the clothing, since white clothing lies on light gray or black on dark gray, the border has misled,
and the picture is negated or not the other way round: of 300 validation images, bright on a background of
200, `zoo:cnn-256k` classifies 88.7 % right, and 12.3 % without that; 89.3 and 12.7 % of dark ones on 60.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgefashion.errors import PictureError
from edgefashion.errors.wording import setting
from edgefashion.pictures import decoding
from edgefashion.pictures.transparency import CLOSE
from edgefashion.task import Task

if TYPE_CHECKING:
    from PIL.Image import Image

Because = Literal["asked", "border", "clothing"]

BEHIND = {None: None, True: decoding.WHITE, False: decoding.BLACK}
"""The color that is seen where a picture is transparent, by whether it is to be negated: on white as product
pictures are; None: on black where it is so pale that on white it would hardly be seen.
"""
BRIGHT = 127.5
"""A border that is brighter on average belongs to a picture that is to be negated. The border of each of
the 60,000 training images is darker, and that of each of their negatives brighter.
"""
OPPOSITE = 2.0
"""How many times as much on the other side of its background there is in a picture whose border misleads."""
LARGEST = 1024
"""Longest edge of what is trimmed: of larger pictures, rows and columns are left out before that too."""


def fit(
    path: Path, picture: decoding.Picture, task: Task, invert: bool | None
) -> tuple[NDArray[np.uint8], str, dict[str, Any]]:
    """The picture read from `path` as uint8 [height, width, 1], and what was done to it, in words and as
    JSON; `invert` says whether to negate, None that its border does.

    Raises PictureError for a picture of one color.
    """
    image, size = picture.image, (task.width, task.height)
    border = _border(np.asarray(image.convert("L")))
    because: Because = "border" if invert is None else "asked"
    inverted = border > BRIGHT if invert is None else invert
    fitted = image.size != size
    gray = _gray(_fit(path, image, size, invert) if fitted else image)
    pixels = _negated(gray, inverted)
    if fitted:
        background = _gray(_background(image))
        dark = _negated(background, inverted).item() < BRIGHT
        if dark and invert is None and _is_opposite(gray, background, inverted):
            inverted, because = not inverted, "clothing"
            pixels = _negated(gray, inverted)
        if dark:
            level = _negated(background, inverted).item()
            pixels = np.maximum(pixels, level) - level
    if pixels.min() == pixels.max():
        raise _blank(path, invert)
    details = {
        "on_black": invert is None and picture.behind == decoding.BLACK,
        "border_brightness": border,
        "inverted": inverted,
        "inverted_because": because,
        "fitted": fitted,
    }
    return pixels[..., np.newaxis], _steps(details, size), details


def _steps(details: dict[str, Any], size: tuple[int, int]) -> str:
    """What was done, for people."""
    inverted = details["inverted"]
    ground = ", pale and cut out: put on black" if details["on_black"] else ""
    fitted = f"trimmed, fitted into {size[0]}x{size[1]}" if details["fitted"] else "taken as it is"
    kind = "bright" if details["border_brightness"] > BRIGHT else "dark"
    side = "darker" if inverted else "brighter"
    why = {"asked": "as asked", "border": f"{kind} border", "clothing": f"{side} than its background"}
    negated = "inverted" if inverted else "not inverted"
    return f"{ground}, {fitted}, {negated} ({why[details['inverted_because']]})"


def _border(gray: NDArray[np.uint8]) -> float:
    """Mean of the pixels along the four edges of uint8 [H, W]."""
    edges = np.concatenate([gray[0], gray[-1], gray[1:-1, 0], gray[1:-1, -1]])
    return float(edges.mean())


def _gray(picture: "Image") -> NDArray[np.uint8]:
    """Step 6: uint8 [H, W]."""
    return np.asarray(picture.convert("L"))


def _negated(gray: NDArray[np.uint8], inverted: bool) -> NDArray[np.uint8]:
    """Step 5, where it is to be done: uint8 [H, W]."""
    return 255 - gray if inverted else gray


def _is_opposite(gray: NDArray[np.uint8], background: NDArray[np.uint8], inverted: bool) -> bool:
    """Whether taking away the background would take most of the clothing away: white clothing on light
    gray, and black on dark gray.
    """
    brighter = float(np.maximum(gray, background).sum()) - background.item() * gray.size
    darker = background.item() * gray.size - float(np.minimum(gray, background).sum())
    kept, lost = (darker, brighter) if inverted else (brighter, darker)
    return lost > OPPOSITE * kept


def _corners(picture: "Image") -> NDArray[np.uint8]:
    """The colors of the four corners, uint8 [4, 3]."""
    return np.asarray(picture)[[0, 0, -1, -1], [0, -1, 0, -1]]


def _background(picture: "Image") -> "Image":
    """The median color of the corners, as a picture of one pixel."""
    from PIL import Image

    red, green, blue = (int(value) for value in np.median(_corners(picture), axis=0))
    return Image.new("RGB", (1, 1), (red, green, blue))


def _fit(path: Path, picture: "Image", size: tuple[int, int], invert: bool | None) -> "Image":
    """Steps 1 to 4."""
    from PIL import ImageFilter

    trimmed = _trimmed(_sampled(picture, (LARGEST, LARGEST)) if max(picture.size) > LARGEST else picture)
    if trimmed is None:
        raise _blank(path, invert)
    sharp = _sampled(trimmed, size).filter(ImageFilter.Kernel((3, 3), _sharpening(), scale=1))
    canvas = _background(picture).resize(size)
    # Where the margins are not equal, the first one is larger: so in 98 % of those of the training images.
    canvas.paste(sharp, ((size[0] - sharp.width + 1) // 2, (size[1] - sharp.height + 1) // 2))
    return canvas


def _trimmed(picture: "Image") -> "Image | None":
    """Without the rows and columns at its edges that have the color of a corner; None where all have."""
    colors = np.asarray(picture).astype(np.float32)
    corners = np.unique(_corners(picture), axis=0)
    far = np.all([np.linalg.norm(colors - each, axis=-1) > CLOSE for each in corners], axis=0)
    rows, columns = np.flatnonzero(far.any(axis=1)), np.flatnonzero(far.any(axis=0))
    if not len(rows):
        return None
    return picture.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))


def _sampled(picture: "Image", size: tuple[int, int]) -> "Image":
    """As large as has room in this width and height, by leaving out rows and columns or repeating them."""
    from PIL import Image

    scale = min(room / edge for room, edge in zip(size, picture.size, strict=True))
    width, height = (max(1, round(length * scale)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.NEAREST)


def _sharpening() -> list[float]:
    """The 3x3 kernel that adds what a Gaussian takes away: radius and standard deviation 1, sum 1."""
    square = np.add.outer(np.arange(-1, 2) ** 2, np.arange(-1, 2) ** 2)
    gaussian = np.exp(-square / 2)
    kernel = -gaussian
    kernel[1, 1] = 2 * gaussian.sum()
    return [float(value) for value in (kernel / kernel.sum()).ravel()]


def _blank(path: Path, invert: bool | None) -> PictureError:
    dark, bright = setting("--invert"), setting("--no-invert")
    other = f"{dark} where it is darker" if invert is False else f"{bright} where it is brighter"
    return PictureError(
        f"{path} is a single color: name a picture of clothing, or add {other} than what is around it"
    )
