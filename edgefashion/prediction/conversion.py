"""From any picture to what a model takes, by the steps that Fashion-MNIST's own images were made with.

Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
algorithms" (2017), section 2, starts from product pictures on white:

1. trim edges whose colour is within 5 % of the largest possible distance from that of a corner
2. make the longest edge 28 pixels by leaving out rows and columns
3. sharpen with a Gaussian of radius and standard deviation 1
4. extend the shortest edge to 28, the picture in the middle
5. negate, so that clothing is bright on black
6. make it gray, of 8 bits

So here, but for three things. A picture that is bright on black already is not negated. One of 28x28 pixels
is taken to be made so: nothing but the last two is done to it. And a background that is not quite white (or
black) is extended in its own colour, and then its brightness is taken away from all pixels: of 500
validation images, enlarged and put on a gray background of 200, `cnn-qat` then classifies 91.2 % right, and
78.2 % without that; 91.0 % of those on white, 92.0 % of the images themselves.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgefashion.errors import PictureError
from edgefashion.prediction import pictures
from edgefashion.runtimes.base import IMAGE_SHAPE

if TYPE_CHECKING:
    from PIL.Image import Image

SIZE = IMAGE_SHAPE[0]
BRIGHT = 127.5
"""A border that is brighter on average belongs to a picture that is to be negated. The border of each of
the 60,000 training images is darker, and that of each of their negatives brighter.
"""
CLOSE = 0.05 * 255 * 3**0.5
LARGEST = 1024
"""Longest edge of what is trimmed: of larger pictures, rows and columns are left out before that too."""


@dataclass(frozen=True, eq=False)
class Converted:
    """A picture as a model takes it."""

    path: Path
    size: tuple[int, int]
    """Width and height of the picture, upright."""
    pixels: NDArray[np.uint8]
    """uint8 [28, 28, 1]"""
    border: float
    """Mean brightness of the picture's border, 0 to 255."""
    inverted: bool
    chosen: bool
    """Whether `inverted` was said by the user, and not found by the border."""
    fitted: bool
    """Whether it was trimmed, resized, sharpened and extended."""

    @property
    def steps(self) -> str:
        """What was done to it, for people."""
        size = f"{self.size[0]}x{self.size[1]}"
        fitted = f"trimmed, fitted into {SIZE}x{SIZE}" if self.fitted else "taken as it is"
        kind = "bright" if self.border > BRIGHT else "dark"
        why = "as asked" if self.chosen else f"{kind} border"
        return f"{size}, {fitted}, {'inverted' if self.inverted else 'not inverted'} ({why})"

    def to_dict(self) -> dict[str, Any]:
        """What was done to it, as JSON."""
        return {
            "size": list(self.size),
            "border_brightness": self.border,
            "inverted": self.inverted,
            "inverted_because": "asked" if self.chosen else "border",
            "fitted": self.fitted,
        }


def convert(path: Path, invert: bool | None = None) -> Converted:
    """Read the picture at `path` and convert it; `invert` says whether to negate, None that its border does.

    Where it is transparent it is put on white, as product pictures are; on black with `invert` False.
    Raises PictureError, also for a picture of one colour, and MissingExtra: see `pictures.read`.
    """
    picture = pictures.read(path, pictures.BLACK if invert is False else pictures.WHITE)
    border = _border(np.asarray(picture.convert("L")))
    inverted = border > BRIGHT if invert is None else invert
    fitted = picture.size != (SIZE, SIZE)
    pixels = _negated(_fit(path, picture) if fitted else picture, inverted)
    if fitted:
        background = _negated(_background(picture), inverted).item()
        if background < BRIGHT:
            pixels = np.maximum(pixels, background) - background
    if pixels.min() == pixels.max():
        raise _blank(path)
    return Converted(
        path, picture.size, pixels[..., np.newaxis], border, inverted, invert is not None, fitted
    )


def _border(gray: NDArray[np.uint8]) -> float:
    """Mean of the pixels along the four edges of uint8 [H, W]."""
    edges = np.concatenate([gray[0], gray[-1], gray[1:-1, 0], gray[1:-1, -1]])
    return float(edges.mean())


def _negated(picture: "Image", inverted: bool) -> NDArray[np.uint8]:
    """Steps 5 and 6: gray, uint8 [H, W]."""
    gray = np.asarray(picture.convert("L"))
    return 255 - gray if inverted else gray


def _corners(picture: "Image") -> NDArray[np.uint8]:
    """The colours of the four corners, uint8 [4, 3]."""
    return np.asarray(picture)[[0, 0, -1, -1], [0, -1, 0, -1]]


def _background(picture: "Image") -> "Image":
    """The median colour of the corners, as a picture of one pixel."""
    from PIL import Image

    red, green, blue = (int(value) for value in np.median(_corners(picture), axis=0))
    return Image.new("RGB", (1, 1), (red, green, blue))


def _fit(path: Path, picture: "Image") -> "Image":
    """Steps 1 to 4."""
    from PIL import ImageFilter

    trimmed = _trimmed(path, _sampled(picture, LARGEST) if max(picture.size) > LARGEST else picture)
    sharp = _sampled(trimmed, SIZE).filter(ImageFilter.Kernel((3, 3), _sharpening(), scale=1))
    canvas = _background(picture).resize((SIZE, SIZE))
    # Where the margins are not equal, the first one is larger: so in 98 % of those of the training images.
    canvas.paste(sharp, ((SIZE - sharp.width + 1) // 2, (SIZE - sharp.height + 1) // 2))
    return canvas


def _trimmed(path: Path, picture: "Image") -> "Image":
    """Without the rows and columns at its edges that have the colour of a corner."""
    colours = np.asarray(picture).astype(np.float32)
    far = np.all([np.linalg.norm(colours - each, axis=-1) > CLOSE for each in _corners(picture)], axis=0)
    rows, columns = np.flatnonzero(far.any(axis=1)), np.flatnonzero(far.any(axis=0))
    if not len(rows):
        raise _blank(path)
    return picture.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))


def _sampled(picture: "Image", longest: int) -> "Image":
    """With this longest edge, by leaving out rows and columns or repeating them."""
    from PIL import Image

    scale = longest / max(picture.size)
    width, height = (max(1, round(length * scale)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.NEAREST)


def _sharpening() -> list[float]:
    """The 3x3 kernel that adds what a Gaussian takes away: radius and standard deviation 1, sum 1."""
    square = np.add.outer(np.arange(-1, 2) ** 2, np.arange(-1, 2) ** 2)
    gaussian = np.exp(-square / 2)
    kernel = -gaussian
    kernel[1, 1] = 2 * gaussian.sum()
    return [float(value) for value in (kernel / kernel.sum()).ravel()]


def _blank(path: Path) -> PictureError:
    return PictureError(f"{path} is of one colour, and shows nothing: name a picture of clothing")
