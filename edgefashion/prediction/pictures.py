"""Opening pictures, with distrust: a PNG or JPEG file in, colours out."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgefashion import reading
from edgefashion.errors import MissingExtra, PictureError

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG")
SUFFIXES = (".png", ".jpg", ".jpeg")
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def is_picture(name: str) -> bool:
    """Whether a file of this name is meant to be a picture."""
    return Path(name).suffix.lower() in SUFFIXES


def read(path: Path, behind: tuple[int, int, int] = WHITE) -> "Image":
    """A PNG or JPEG file as an RGB picture, upright; where it is transparent, one sees the colour `behind`.

    Only decoders of these two formats are tried. EXIF's rotation is applied, 16-bit gray becomes 8-bit.
    Raises PictureError where the file is missing, empty, damaged, truncated, of another kind, animated or
    of more pixels than Pillow deems safe (89 million); MissingExtra without Pillow.
    """
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise MissingExtra("Opening a picture needs Pillow", "image") from error
    _check_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged EXIF
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                if picture.format == "PNG" and getattr(picture, "is_animated", False):
                    raise PictureError(
                        f"{path} is animated, and one picture is classified: save one frame of it"
                    )
                picture.load()
                return _on_background(ImageOps.exif_transpose(_of_8_bits(picture)), behind)
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureError(f"{path} is no PNG or JPEG picture: name one, or convert it") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        most = f"{Image.MAX_IMAGE_PIXELS:,}"
        raise PictureError(f"{path} has more than {most} pixels: make it smaller") from error
    except Exception as error:  # a decoder may raise anything for a file that is damaged
        raise PictureError(f"{path} is truncated or damaged ({_reason(error)}): copy it again") from error


def _check_file(path: Path) -> None:
    """Raise PictureError where there is nothing to open."""
    if not path.exists():
        raise PictureError(f"{path} does not exist: name a PNG or JPEG picture")
    if not path.is_file():
        raise PictureError(f"{path} is no file: name a PNG or JPEG picture")
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise PictureError(f"{path} cannot be read: {error.strerror}") from error
    reading.refuse_pointer(path, start, PictureError)
    if not start:
        raise PictureError(f"{path} is empty: copy it again")


def _of_8_bits(picture: "Image") -> "Image":
    """Gray of 16 bits as gray of 8; Pillow itself would cut off what is above 255."""
    from PIL import Image

    if not picture.mode.startswith("I"):
        return picture
    gray = Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).astype(np.uint8))
    gray.info = picture.info
    return gray


def _on_background(picture: "Image", behind: tuple[int, int, int]) -> "Image":
    from PIL import Image

    if not picture.has_transparency_data:
        return picture.convert("RGB")
    background = Image.new("RGBA", picture.size, (*behind, 255))
    return Image.alpha_composite(background, picture.convert("RGBA")).convert("RGB")


def _reason(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
