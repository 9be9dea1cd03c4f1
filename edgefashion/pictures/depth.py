"""From 16 bits a color to 8. Cameras and scanners write 10, 12 or 14 bits into files of 16."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

_DEPTHS = (8, 10, 12, 14, 16)
_IN_FILES = (";16B", ";16L", ";16N")
_UPPER_OF_12 = 15
"""The largest value that the upper 8 of 16 bits have where 12 are used."""


def has_16_bits(picture: "Image") -> bool:
    """Whether a picture has 16 bits a color; of a PNG file that is not loaded yet Pillow may keep 8."""
    kinds = [_kind_of(tile[3]) for tile in getattr(picture, "tile", [])[:1]]
    return picture.mode.startswith("I;16") or any(kind.endswith(_IN_FILES) for kind in kinds)


def _kind_of(arguments: object) -> str:
    """How the values of a tile are stored, as Pillow calls it."""
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


def of_8_bits(picture: "Image") -> "tuple[Image, int]":
    """A loaded picture of 16 bits a color with 8, and how many of its bits it uses.

    Of gray that is known to the bit. Of several colors Pillow has kept the upper 8 bits, and what uses 10 or
    14 is taken to use 12 and 16.
    """
    found, bits = _gray(picture) if picture.mode.startswith("I") else _colors(picture)
    found.info |= {name: value for name, value in picture.info.items() if name != "transparency"}
    return found, bits


def _gray(picture: "Image") -> "tuple[Image, int]":
    from PIL import Image

    gray = np.asarray(picture).astype(np.uint16)
    key = picture.info.get("transparency")
    opaque = np.ones(gray.shape, bool) if key is None else gray != key
    bits = _used(gray[opaque])
    found = Image.fromarray((np.minimum(gray, (1 << bits) - 1) >> (bits - 8)).astype(np.uint8))
    if key is not None:
        found.putalpha(Image.fromarray(opaque.astype(np.uint8) * 255))
    return found, bits


def _used(values: NDArray[np.uint16]) -> int:
    """How many bits values of 16 use. Those that come from 8 use all: each is 256 or 257 times another."""
    if not (values % 256).any() or not (values % 257).any():
        return 16
    return next(bits for bits in _DEPTHS if values.max() < 1 << bits)


def _colors(picture: "Image") -> "tuple[Image, int]":
    """RGB, or RGB or gray with opacity."""
    from PIL import Image

    key = picture.info.pop("transparency", None)
    if key is not None:
        picture.info["transparency"] = tuple(value >> 8 for value in key)
        picture = picture.convert("RGBA")
    bands = picture.split()
    number = 1 if picture.mode == "LA" else 3
    colors, bits = _stretched(bands[:number])
    opacity, _ = _stretched(bands[number:])
    return Image.merge(picture.mode, (*colors, *opacity)), bits


def _stretched(bands: "tuple[Image, ...]") -> "tuple[tuple[Image, ...], int]":
    """Bands of the upper 8 of 16 bits, and how many were used: of 12 these have 4, which become 8."""
    most = max((int(np.asarray(band).max()) for band in bands), default=0)
    if not 0 < most <= _UPPER_OF_12:
        return bands, 16
    return tuple(band.point([min(255, value * 17) for value in range(256)]) for band in bands), 12
