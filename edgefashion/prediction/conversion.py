"""From any picture to what a model takes, by the steps that Fashion-MNIST's own images were made with.

Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
algorithms" (2017), section 2, starts from product pictures on white:

1. trim edges whose color is within 5 % of the largest possible distance from that of a corner
2. make the longest edge 28 pixels by leaving out rows and columns
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

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgefashion.errors import PictureError
from edgefashion.prediction import pictures
from edgefashion.prediction.transparency import CLOSE
from edgefashion.runtimes.base import IMAGE_SHAPE

if TYPE_CHECKING:
    from PIL.Image import Image

Because = Literal["asked", "border", "clothing"]

SIZE = IMAGE_SHAPE[0]
_BEHIND = {None: None, True: pictures.WHITE, False: pictures.BLACK}
BRIGHT = 127.5
"""A border that is brighter on average belongs to a picture that is to be negated. The border of each of
the 60,000 training images is darker, and that of each of their negatives brighter.
"""
OPPOSITE = 2.0
"""How many times as much on the other side of its background there is in a picture whose border misleads."""
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
    because: Because
    """What `inverted` follows from."""
    fitted: bool
    """Whether it was trimmed, resized, sharpened and extended."""
    bits: int | None = None
    """Of a picture of 16 bits a color: how many of them it uses."""
    on_black: bool = False
    """Whether it was put on black where it is transparent, since on white it would hardly be seen."""

    @property
    def steps(self) -> str:
        """What was done to it, for people."""
        size = f"{self.size[0]}x{self.size[1]}"
        depth = f" of {self.bits} bits in 16" if self.bits else ""
        ground = ", pale and cut out: put on black" if self.on_black else ""
        fitted = f"trimmed, fitted into {SIZE}x{SIZE}" if self.fitted else "taken as it is"
        kind = "bright" if self.border > BRIGHT else "dark"
        side = "darker" if self.inverted else "brighter"
        why = {"asked": "as asked", "border": f"{kind} border", "clothing": f"{side} than its background"}
        inverted = "inverted" if self.inverted else "not inverted"
        return f"{size}{depth}{ground}, {fitted}, {inverted} ({why[self.because]})"

    def to_dict(self) -> dict[str, Any]:
        """What was done to it, as JSON."""
        return {
            "size": list(self.size),
            "bits": self.bits,
            "on_black": self.on_black,
            "border_brightness": self.border,
            "inverted": self.inverted,
            "inverted_because": self.because,
            "fitted": self.fitted,
        }


def convert(path: Path, invert: bool | None = None) -> Converted:
    """Read the picture at `path` and convert it; `invert` says whether to negate, None that its border does.

    Where it is transparent it is put on white, as product pictures are; on black with `invert` False, or
    where it is so pale that on white it would hardly be seen. Raises PictureError, also for a picture of one
    color, and MissingExtra: see `pictures.read`.
    """
    picture = pictures.read(path, _BEHIND[invert])
    image = picture.image
    border = _border(np.asarray(image.convert("L")))
    because: Because = "border" if invert is None else "asked"
    inverted = border > BRIGHT if invert is None else invert
    fitted = image.size != (SIZE, SIZE)
    gray = _gray(_fit(path, image, invert) if fitted else image)
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
    on_black = invert is None and picture.behind == pictures.BLACK
    pixels = pixels[..., np.newaxis]
    return Converted(path, picture.size, pixels, border, inverted, because, fitted, picture.bits, on_black)


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


def _fit(path: Path, picture: "Image", invert: bool | None) -> "Image":
    """Steps 1 to 4."""
    from PIL import ImageFilter

    trimmed = _trimmed(_sampled(picture, LARGEST) if max(picture.size) > LARGEST else picture)
    if trimmed is None:
        raise _blank(path, invert)
    sharp = _sampled(trimmed, SIZE).filter(ImageFilter.Kernel((3, 3), _sharpening(), scale=1))
    canvas = _background(picture).resize((SIZE, SIZE))
    # Where the margins are not equal, the first one is larger: so in 98 % of those of the training images.
    canvas.paste(sharp, ((SIZE - sharp.width + 1) // 2, (SIZE - sharp.height + 1) // 2))
    return canvas


def _trimmed(picture: "Image") -> "Image | None":
    """Without the rows and columns at its edges that have the color of a corner; None where all have."""
    colors = np.asarray(picture).astype(np.float32)
    far = np.all([np.linalg.norm(colors - each, axis=-1) > CLOSE for each in _corners(picture)], axis=0)
    rows, columns = np.flatnonzero(far.any(axis=1)), np.flatnonzero(far.any(axis=0))
    if not len(rows):
        return None
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


def _blank(path: Path, invert: bool | None) -> PictureError:
    other = "--invert where it is darker" if invert is False else "--no-invert where it is brighter"
    return PictureError(
        f"{path} is of one color, and shows nothing: name a picture of clothing,"
        f" or add {other} than what is around it"
    )
