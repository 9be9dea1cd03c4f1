"""Whether what is cut out on transparency is so pale that it is to be put on black, and not on white.

Of 1,000 validation images, cut out and with a part of their darkness, `zoo:cnn-256k` classifies right:

    darkness    told from white    on white, inverted    on black
    all         93 %               94.8 %                76.8 %
    3/10        86 %               88.0 %                82.7 %
    1/10        64 %               73.3 %                79.8 %
    1/20         2 %               44.0 %                77.4 %
    none         0 %               10.3 %                73.6 %

At 1/10 those that are told from white to 30 to 50 % are right in 78.7 and 89.0 %, and of 50 to 70 % in 83.1
and 86.4 %.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

CLOSE = 0.05 * 255 * 3**0.5
"""How far apart two colors (R, G, B) are at least that can be told from each other: 5 % of the most."""
SHARE = 0.5
_LONGEST = 512
"""Longest edge of what is looked at: of larger pictures, rows and columns are left out."""


def is_pale(picture: "Image") -> bool:
    """Whether most of what an RGBA picture shows is so bright that on white it could not be told from it.

    Where most of the border is opaque, the white is a background, as that of a picture with round corners:
    then only what is white all over is pale.
    """
    from PIL import Image

    if max(picture.size) > _LONGEST:
        scale = _LONGEST / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.NEAREST)
    pixels = np.asarray(picture).astype(np.float32)
    opacity = pixels[..., 3] / 255
    told = np.linalg.norm(255 - pixels[..., :3], axis=-1) * opacity > CLOSE
    shown = opacity > 0
    if not shown.any():
        return False
    border = np.concatenate([opacity[0], opacity[-1], opacity[:, 0], opacity[:, -1]])
    return bool(told[shown].mean() < SHARE if border.mean() < SHARE else not told.any())
