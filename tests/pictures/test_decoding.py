import os
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from edgefashion.errors import PictureError
from edgefashion.pictures import decoding


def saved(path: Path, picture: Image.Image, **options: object) -> Path:
    picture.save(path, **options)
    return path


def colored(width: int = 40, height: int = 20) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (width, height), "blue")
    picture.paste("red", (0, 0, width // 2, height))
    return picture


def bomb(path: Path, width: int, height: int) -> Path:
    """A PNG of some bytes that says it has so many pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.jpeg", "without-suffix"])
def test_png_and_jpeg_are_read_whatever_they_are_called(name: str, tmp_path: Path) -> None:
    kind = "PNG" if name.endswith("png") else "JPEG"
    found = decoding.read(saved(tmp_path / name, colored(), format=kind, quality=95)).image
    assert (found.mode, found.size) == ("RGB", (40, 20))
    assert np.abs(np.subtract(found.getpixel((3, 3)), (255, 0, 0))).max() < 8


@pytest.mark.parametrize(
    ("orientation", "size", "red"),
    [(1, (40, 20), (0, 0)), (3, (40, 20), (39, 0)), (6, (20, 40), (0, 0)), (8, (20, 40), (0, 39))],
)
def test_rotation_by_exif(
    orientation: int, size: tuple[int, int], red: tuple[int, int], tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a.png", "a.jpg"):
        found = decoding.read(saved(tmp_path / name, colored(), exif=exif)).image
        assert found.size == size
        assert found.getpixel(red)[0] > 200


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
@pytest.mark.parametrize(
    "exif", [b"junk", b"Exif\0\0II*\0\xff\xff\xff\x7f", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"]
)
def test_damaged_exif_is_left_out(exif: bytes, name: str, tmp_path: Path) -> None:
    assert decoding.read(saved(tmp_path / name, colored(), exif=exif)).size == (40, 20)


@pytest.mark.parametrize("behind", [decoding.WHITE, decoding.BLACK])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "tRNS"])
def test_what_is_transparent_is_put_on_a_background(
    mode: str, behind: tuple[int, int, int], tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    if mode == "tRNS":
        Image.new("L", (9, 9), 77).save(path, transparency=77)
    elif mode == "P":
        picture = Image.new("P", (9, 9), 3)
        picture.putpalette([50, 60, 70] * 4)
        picture.save(path, transparency=3)
    else:
        Image.new(mode, (9, 9)).save(path)
    assert decoding.read(path, behind).image.getpixel((4, 4)) == behind


def test_what_is_half_transparent_is_mixed(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGBA", (9, 9), (0, 0, 0, 128)))
    assert decoding.read(path, decoding.WHITE).image.getpixel((4, 4)) == (127, 127, 127)
    path = saved(tmp_path / "gray.png", Image.new("LA", (9, 9), (0, 128)))
    assert decoding.read(path, decoding.WHITE).image.getpixel((4, 4)) == (127, 127, 127)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_is_refused(kind: str, tmp_path: Path) -> None:
    pages = [Image.new("RGB", (40, 20))]
    path = saved(tmp_path / "a.png", colored(), format=kind, save_all=True, append_images=pages)
    with pytest.raises(PictureError, match="is animated"):
        decoding.read(path)


def test_16_bits_become_8(tmp_path: Path) -> None:
    ramp = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    found = np.asarray(decoding.read(saved(tmp_path / "a.png", Image.fromarray(ramp))).image.convert("L"))
    assert (found == np.arange(256).reshape(16, 16)).all()


@pytest.mark.parametrize(
    ("mode", "left", "right"),
    [
        ("1", 0, 0),
        ("L", 76, 29),
        ("P", (255, 0, 0), (0, 0, 255)),
        ("CMYK", (255, 0, 0), (0, 0, 255)),
    ],
)
def test_other_kinds_of_color_keep_what_is_seen(mode: str, left: Any, right: Any, tmp_path: Path) -> None:
    name, options = ("a.jpg", {"quality": 95}) if mode == "CMYK" else ("a.png", {})
    dither = Image.Dither.NONE
    found = decoding.read(saved(tmp_path / name, colored().convert(mode, dither=dither), **options)).image
    assert found.mode == "RGB"
    for place, color in (((3, 3), left), ((33, 3), right)):
        assert np.abs(np.subtract(found.getpixel(place), color)).max() < (12 if mode == "CMYK" else 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_the_content_says_what_kind_a_file_is(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    colored().save(path, format=kind, quality=95)
    found = decoding.read(path)
    assert (found.format, found.size) == (kind, (40, 20))
    assert np.abs(np.subtract(found.image.getpixel((3, 3)), (255, 0, 0))).max() < 8
    assert decoding.read_bytes(path, path.read_bytes()).image.tobytes() == found.image.tobytes()


@pytest.mark.parametrize("mode", ["F", "I", "LAB"])
def test_colors_that_are_not_defined_are_named(mode: str, tmp_path: Path) -> None:
    picture = (
        colored()
        if mode != "LAB"
        else ImageCms.profileToProfile(
            colored(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    )
    with pytest.raises(PictureError, match=f"has colors of the kind {mode}: save it as RGB or gray"):
        decoding.read(saved(tmp_path / "a.tif", picture if mode == "LAB" else picture.convert(mode)))


def test_gray_tiff_of_16_bits_is_scaled_as_png_is(tmp_path: Path) -> None:
    picture = Image.fromarray(RAMP * 16 + 3)
    for compression in ("raw", "tiff_lzw"):
        found = decoding.read(saved(tmp_path / "a.tif", picture, compression=compression))
        assert found.bits == 12
        assert (np.asarray(found.image.convert("L")) == RAMP).all()


def test_of_a_tiff_of_several_pages_the_first_is_taken(tmp_path: Path) -> None:
    pages = [Image.new("RGB", (9, 9))]
    path = saved(tmp_path / "a.tif", colored(), save_all=True, append_images=pages)
    assert decoding.read(path).size == (40, 20)


def test_a_jpeg_is_decoded_no_larger_than_is_needed(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", colored(400, 300))
    sizes = {least: decoding.read(path, None, least).image.size for least in (38, 75, 80, 150, 301)}
    assert sizes == {38: (100, 75), 75: (100, 75), 80: (200, 150), 150: (200, 150), 301: (400, 300)}
    assert decoding.read(path, None, 38).size == (400, 300)
    png = saved(tmp_path / "a.png", colored(400, 300))
    assert decoding.read(png, None, 38).image.size == (400, 300)


def test_a_phone_s_jpeg_of_several_pictures_gives_its_first(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    colored().save(path, format="MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))])
    assert decoding.read(path).image.size == (40, 20)


def test_what_is_no_picture(tmp_path: Path) -> None:
    whole = saved(tmp_path / "whole.png", Image.effect_noise((90, 90), 50)).read_bytes()
    jpeg = saved(tmp_path / "whole.jpg", Image.effect_noise((90, 90), 50)).read_bytes()
    for name in ("animated.png", "animated.webp"):
        colored().save(tmp_path / name, save_all=True, append_images=[Image.new("RGB", (40, 20))])
    contents = {
        "empty.png": b"",
        "text.png": b"no picture at all\n",
        "gif.png": saved(tmp_path / "a.gif", colored()).read_bytes(),
        "truncated.png": whole[: len(whole) // 2],
        "truncated.jpg": jpeg[: len(jpeg) // 2],
        "head.png": whole[:20],
        "damaged.png": whole[:100] + bytes(200) + whole[300:],
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    expected = {
        "gone.png": "does not exist",
        ".": "is not a file",
        "empty.png": "is empty",
        "text.png": "is not a JPEG, PNG, WebP, BMP or TIFF picture",
        "gif.png": "is not a JPEG, PNG, WebP, BMP or TIFF picture",
        "truncated.png": "is truncated or damaged",
        "truncated.jpg": "is truncated or damaged",
        "head.png": "is not a JPEG, PNG, WebP, BMP or TIFF picture|is truncated or damaged",
        "damaged.png": "is truncated or damaged",
        "animated.png": "is animated",
        "animated.webp": "is animated",
    }
    for name, said in expected.items():
        with pytest.raises(PictureError, match=said) as raised:
            decoding.read(tmp_path / name)
        assert str(raised.value).startswith(str(tmp_path / name))
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("size", [(9_500, 9_500), (30_000, 30_000), (2**31 - 1, 2**31 - 1)])
def test_a_decompression_bomb_is_not_decompressed(size: tuple[int, int], tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="has more than 89,478,485 pixels: make it smaller"):
        decoding.read(bomb(tmp_path / "bomb.png", *size))


def test_a_png_of_more_than_16_million_pixels_is_not_decompressed(tmp_path: Path) -> None:
    said = "has 48,000,000 pixels, and more than 16,777,216 are not decoded here: make it smaller"
    with pytest.raises(PictureError, match=said):
        decoding.read(bomb(tmp_path / "bomb.png", 8000, 6000))


@pytest.mark.parametrize("turned", [1, 6])
def test_a_large_jpeg_is_decoded_smaller_unless_it_is_progressive(turned: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    path = saved(tmp_path / "a.jpg", colored(5000, 3400), exif=exif)
    found = decoding.read(path)
    assert found.size == ((5000, 3400) if turned == 1 else (3400, 5000))
    assert found.image.size == (found.size[0] // 2, found.size[1] // 2)
    assert found.image.getpixel((10, 10))[0] > 200
    colored(5000, 3400).save(path, progressive=True)
    with pytest.raises(PictureError, match="has 17,000,000 pixels, and more than 16,777,216"):
        decoding.read(path)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.png")
    (tmp_path / "device.png").symlink_to("/dev/zero")
    for name in ("fifo.png", "device.png"):
        with pytest.raises(PictureError, match=f"{name} is not a file"):
            decoding.read(tmp_path / name)


def test_a_picture_that_may_not_be_read(tmp_path: Path, unprivileged: Callable[..., tuple[int, str]]) -> None:
    path = saved(tmp_path / "a.png", colored())
    path.chmod(0)
    model = Path(__file__).parents[1] / "files/models/tiny-int8.tflite"
    said = f"{path} cannot be read (Permission denied): its owner can allow it with chmod +r {path}"
    assert unprivileged("-m", "edgefashion", "predict", model, path) == (2, f"edgefashion: {said}\n")


def png(path: Path, size: tuple[int, int], kind: int, rows: "np.ndarray", *chunks: bytes) -> Path:
    """A PNG of 16 bits a color; `kind` 0 gray, 2 RGB, 4 gray with opacity, 6 RGB with opacity."""

    def chunk(content: bytes) -> bytes:
        return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))

    header = b"IHDR" + struct.pack(">IIBBBBB", *size, 16, kind, 0, 0, 0)
    lines = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rows.reshape(size[1], -1))
    parts = (header, *chunks, b"IDAT" + zlib.compress(lines), b"IEND")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(map(chunk, parts)))
    return path


RAMP = np.arange(256, dtype=np.uint16).reshape(16, 16)


@pytest.mark.parametrize(
    ("values", "bits"),
    [
        (RAMP * 257, 16),
        (RAMP // 8 * 257, 16),  # a faint picture of 8 bits stays as faint as it is
        (RAMP // 8 * 256, 16),
        (RAMP * 256 + 3, 16),
        (RAMP * 64 + 3, 14),
        (RAMP * 16 + 3, 12),
        (RAMP * 4 + 3, 10),
        (RAMP, 8),
        (RAMP * 0, 16),
    ],
)
def test_gray_of_16_bits_is_scaled_by_the_bits_that_it_uses(
    values: np.ndarray, bits: int, tmp_path: Path
) -> None:
    found = decoding.read(png(tmp_path / "a.png", (16, 16), 0, values))
    assert found.bits == bits
    assert (np.asarray(found.image.convert("L")) == values >> (bits - 8)).all()


def test_12_bits_of_16_in_several_colors(tmp_path: Path) -> None:
    ramp = RAMP[..., np.newaxis] * 16 + 3
    opaque = np.full_like(ramp, 4095)
    for kind, bands in {2: (ramp,) * 3, 4: (ramp, opaque), 6: (ramp, ramp, ramp, opaque)}.items():
        found = decoding.read(png(tmp_path / "a.png", (16, 16), kind, np.concatenate(bands, axis=2)))
        gray = np.asarray(found.image.convert("L")).astype(int)
        assert np.abs(gray - RAMP).max() <= 15  # four bits are left
        assert gray.max() == 255
        assert found.bits == 12


@pytest.mark.parametrize("key", [65535, 4095])
def test_16_bits_with_one_color_transparent(key: int, tmp_path: Path) -> None:
    ramp = RAMP * 16 + 3
    ramp[0] = key
    gray = png(tmp_path / "gray.png", (16, 16), 0, ramp, b"tRNS" + struct.pack(">H", key))
    colors = np.repeat(ramp[..., np.newaxis], 3, axis=2)
    color = png(tmp_path / "color.png", (16, 16), 2, colors, b"tRNS" + struct.pack(">3H", *[key] * 3))
    for path in (gray, color):
        found = decoding.read(path, (0, 77, 0))
        assert found.image.getpixel((3, 0)) == (0, 77, 0)
        assert found.behind == (0, 77, 0)
    assert decoding.read(gray).image.getpixel((0, 8)) == (128, 128, 128)


@pytest.mark.filterwarnings("error")
def test_however_damaged_a_file_is_it_gives_a_picture_or_one_line(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    noise = Image.effect_noise((60, 50), 80)
    whole = [saved(tmp_path / name, noise, exif=exif).read_bytes() for name in ("a.png", "a.jpg")]
    chance, path, refused = random.Random(0), tmp_path / "damaged", 0
    for _ in range(300):
        content = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 5)):
            content[chance.randrange(chance.choice((60, 400, len(content))))] = chance.randrange(256)
        path.write_bytes(content)
        try:
            assert decoding.read(path).image.mode == "RGB"
        except PictureError as error:
            refused += 1
            assert str(error).startswith(str(path))
            assert "\n" not in str(error)
    assert 100 < refused < 290
