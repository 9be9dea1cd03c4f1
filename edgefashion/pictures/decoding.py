"""Opening untrusted pictures: a file or its bytes in, colors out.

JPEG, PNG, WebP, BMP and TIFF, told by their content. EXIF's rotation is applied, and color profiles are not;
palettes are looked up, CMYK and YCbCr become RGB, 16 bits a color become 8, and what is transparent shows a
background. Of a TIFF file of several pages, and of a JPEG file of several pictures, the first is taken;
animations are refused.
"""

import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from edgefashion import task
from edgefashion.errors import MissingExtra, PictureError, PictureTooLarge
from edgefashion.files import reading
from edgefashion.pictures import depth, transparency

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
JPEG = ("JPEG", "MPO")
"""The kinds of JPEG, as Pillow calls them."""
KINDS = "JPEG, PNG, WebP, BMP or TIFF"
"""The same for people."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".avif")
"""What pictures are called, those that are refused among them."""
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
Color = tuple[int, int, int]
Background = Color | Literal["none"]
"""What one sees where a picture is transparent: a color, or those that are kept under its transparency."""
MODES = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"}
"""Kinds of color, as Pillow calls them, that are defined here; besides those of 16 bits."""
MOST_PIXELS = 1 << 24
"""Of what is decoded whole, in up to 20 bytes a pixel. Of larger JPEG files fewer pixels are decoded, unless
they are progressive.
"""


def is_picture(name: str) -> bool:
    """Whether a file of this name is meant to be a picture."""
    return Path(name).suffix.lower() in SUFFIXES


def rgb(color: task.Background) -> Background:
    """A background of a task, gray or RGB, in RGB."""
    if color == "none":
        return color
    red, green, blue = color * 3 if len(color) == 1 else color
    return red, green, blue


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture, upright."""

    image: "Image"
    """RGB"""
    size: tuple[int, int]
    """Width and height of what is in the file; `image` may be smaller."""
    format: str | None
    """As Pillow calls it; None of what is in no file."""
    mode: str
    """The kind of color in the file, as Pillow calls it."""
    bits: int | None
    """Of one that has 16 bits a color: how many of them it uses."""
    behind: Color | None
    """The color that one sees where it is transparent; None where it is not, or that is left out."""


def read(path: Path, behind: Background | None = None, least: int | None = None) -> Picture:
    """A picture file; where it is transparent, one sees what is `behind`: where None is given, black if the
    picture would hardly be seen on white, else white.

    Of a JPEG file that is much larger than it has to be, as small a version is decoded as has `least` pixels
    on each edge: by 2, 4 or 8, as its cosine transform allows. Raises PictureError where the file is missing,
    empty, damaged, truncated, of another kind, animated or of too many pixels; MissingExtra without Pillow.
    """
    if not reading.is_file(path, PictureError):
        what = "is not a file" if os.path.lexists(path) else "does not exist"
        raise PictureError(f"{path} {what}: name a {KINDS} picture")
    with reading.open_file(path, f"a {KINDS} picture", PictureError) as file:
        return _guarded(path, file, file.peek(64)[:64], behind, least)


def thumbnail(path: Path, longest: int) -> "Image":
    """A picture file as people see it, in RGB, its longest edge so many pixels at most. Raises as `read`."""
    found = read(path, least=longest).image
    found.thumbnail((longest, longest))
    return found


def read_bytes(
    name: Path, content: bytes, behind: Background | None = None, least: int | None = None
) -> Picture:
    """The content of a picture file that is called `name`: see `read`."""
    return _guarded(name, io.BytesIO(content), content[:64], behind, least)


def _guarded(
    path: Path, file: BinaryIO, start: bytes, behind: Background | None, least: int | None
) -> Picture:
    """What is in a file; whatever a decoder raises becomes a PictureError of one line."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtra("Opening a picture needs Pillow", "image") from error
    reading.refuse_pointer(path, start, PictureError)
    if not start:
        raise PictureError(f"{path} is empty: copy it again")
    try:
        return _decoded(path, file, behind, least)
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(path, f"more than {Image.MAX_IMAGE_PIXELS:,} pixels") from error
    except MemoryError as error:
        raise _too_large(path, "more pixels than there is memory for") from error
    except Exception as error:  # a decoder may raise anything for a file that is damaged
        raise PictureError(f"{path} is truncated or damaged ({_reason(error)}): copy it again") from error


def _decoded(path: Path, file: BinaryIO, behind: Background | None, least: int | None) -> Picture:
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged EXIF
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            picture = Image.open(file, formats=FORMATS)
        except UnidentifiedImageError as error:
            raise PictureError(f"{path} is not a {KINDS} picture: convert it to one of these") from error
        with picture:
            if picture.format in ("PNG", "WEBP") and getattr(picture, "is_animated", False):
                raise PictureError(f"{path} is animated, and pictures are classified: save one frame of it")
            size = picture.size
            _lighten(path, picture, least)
            return prepared(picture, size, behind, path)


def undecoded(picture: "Image") -> bytes | None:
    """The content of a JPEG file that Pillow has opened and not decoded; None of any other picture."""
    file = getattr(picture, "fp", None)
    if picture.format not in JPEG or file is None or file.closed or picture.tell():
        return None
    if not getattr(picture, "tile", None) or getattr(picture, "decoderconfig", None):
        return None  # decoded, or told how to be
    place = file.tell()
    try:
        file.seek(0)
        content: bytes = file.read()
    finally:
        file.seek(place)
    return content


def prepared(picture: "Image", size: tuple[int, int], behind: Background | None, name: Path) -> Picture:
    """A picture of Pillow, upright, of 8 bits a color, in front of a background: see `read`. `size` is what
    it had before it was decoded smaller. Raises PictureError for colors that are not defined here.
    """
    mode, deep = picture.mode, depth.has_16_bits(picture)
    if not deep and mode not in MODES:
        raise PictureError(f"{name} has colors of the kind {mode}: save it as RGB or gray, of 8 or 16 bits")
    picture.load()
    shallow, bits = depth.of_8_bits(picture) if deep else (picture, None)
    upright = _upright(shallow)
    turned = upright.size != picture.size
    image, seen = _on_background(upright, behind)
    return Picture(image, size[::-1] if turned else size, picture.format, mode, bits, seen)


def _lighten(path: Path, picture: "Image", least: int | None) -> None:
    """Have a large JPEG decoded smaller than it is. Raises PictureError where that cannot be."""
    pixels, scalable = picture.width * picture.height, picture.format in JPEG
    if pixels > MOST_PIXELS and (not scalable or picture.info.get("progressive")):
        raise _too_large(path, f"{pixels:,} pixels, and more than {MOST_PIXELS:,} are not decoded here")
    needed = next(scale for scale in (1, 2, 4, 8) if pixels <= MOST_PIXELS * scale**2)
    enough = [scale for scale in (2, 4, 8) if least and min(picture.size) // scale >= least]
    scale = max([needed, *enough])
    if scalable and scale > 1:
        picture.draft(picture.mode, (picture.width // scale, picture.height // scale))


def _upright(picture: "Image") -> "Image":
    """As EXIF says that it was held; as it is where EXIF is damaged, which says nothing of the picture."""
    from PIL import ExifTags, ImageOps

    try:
        as_it_is = picture.getexif().get(ExifTags.Base.Orientation, 1) == 1
        return picture if as_it_is else ImageOps.exif_transpose(picture)
    except Exception:  # Pillow raises anything
        return picture


def _on_background(picture: "Image", behind: Background | None) -> "tuple[Image, Color | None]":
    from PIL import Image

    if not picture.has_transparency_data:
        return picture if picture.mode == "RGB" else picture.convert("RGB"), None
    picture = picture if picture.mode == "RGBA" else picture.convert("RGBA")
    if behind == "none":
        return picture.convert("RGB"), None
    seen = behind or (BLACK if transparency.is_pale(picture) else WHITE)
    background = Image.new("RGBA", picture.size, (*seen, 255))
    return Image.alpha_composite(background, picture).convert("RGB"), seen


def _too_large(path: Path, what: str) -> PictureTooLarge:
    return PictureTooLarge(f"{path} has {what}: make it smaller")


def _reason(error: Exception) -> str:
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    return said.removesuffix(" (0 bytes not processed)")
