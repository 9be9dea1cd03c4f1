"""Images inside the page, as many as it has room for."""

import base64
import io
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from edgefashion.errors import MissingExtra
from edgefashion.files.stored import ImageSet, take

EDGE, EXACT = 96, 32
"""Pixels of the longer edge at most; those of an image up to which nothing of it is lost."""
QUALITY = 75


AROUND = 250
"""Bytes of the page around an image, of its caption and what shows it."""


def data_uris(images: ImageSet, positions: Iterable[int], room: int) -> list[str]:
    """Images as data URIs, the first ones, as many as there is room for, in bytes. One that is asked for
    twice takes room twice. Raises MissingExtra without Pillow.
    """
    made: dict[int, str] = {}
    found: list[str] = []
    for position in positions:
        if position not in made:
            (pixels,) = np.asarray(take(images, np.array([position])))
            made[position] = _data_uri(pixels)
        room -= len(made[position]) + AROUND
        if room < 0:
            break
        found.append(made[position])
    return found


def _data_uri(pixels: NDArray[np.uint8]) -> str:
    """An image uint8 [height, width, channels] as WebP, made smaller where it is large."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtra("Images in a report need pillow", "report") from error
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    exact = max(image.size) <= EXACT
    image.thumbnail((EDGE, EDGE))
    content = io.BytesIO()
    image.save(content, "WEBP", lossless=exact, quality=QUALITY, method=4)
    return f"data:image/webp;base64,{base64.b64encode(content.getvalue()).decode('ascii')}"
