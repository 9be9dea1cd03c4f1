import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgefashion.data import FASHION_MNIST, Dataset
from edgefashion.errors import PictureError
from edgefashion.pictures import Converted, conversion, image_of
from edgefashion.task import Picture, Task


def convert(path: Path, invert: bool | None = None) -> Converted:
    return conversion.convert(path, FASHION_MNIST, invert)


def saved(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def product(pixels: np.ndarray, background: int = 255) -> np.ndarray:
    """An image uint8 [28, 28, 1] as a large product picture, dark on bright with a wide margin."""
    large = background - np.kron(pixels[..., 0] * (background / 255), np.ones((10, 10)))
    return np.pad(large, ((40, 25), (100, 130)), constant_values=background).astype(np.uint8)


def likeness(found: np.ndarray, expected: np.ndarray) -> float:
    """Correlation of the pixels of two images."""
    return float(np.corrcoef(found.ravel(), expected.ravel())[0, 1])


@pytest.mark.parametrize("inverted", [False, True])
def test_images_of_the_data_set_come_back_to_the_byte(
    inverted: bool, sample: Dataset, tmp_path: Path
) -> None:
    for number, pixels in enumerate(sample.test.images):
        path = saved(tmp_path / f"{number}.png", (255 - pixels if inverted else pixels)[..., 0])
        found = convert(path)
        assert (found.pixels == pixels).all()
        assert (found.details["inverted"], found.details["fitted"]) == (inverted, False)


def test_a_product_picture_becomes_an_image_of_the_data_set(sample: Dataset, tmp_path: Path) -> None:
    alike = []
    for number, pixels in enumerate(sample.test.images[:60]):
        found = convert(saved(tmp_path / f"{number}.png", product(pixels)))
        assert found.pixels.shape == (28, 28, 1)
        assert found.size == (510, 345)
        alike.append(likeness(found.pixels, pixels))
        assert found.steps == "510x345, trimmed, fitted into 28x28, inverted (bright border)"
    assert np.median(alike) > 0.97  # not each: faint edges are trimmed, and the rest is then larger


def test_a_background_that_is_not_white_becomes_black(sample: Dataset, tmp_path: Path) -> None:
    for number, pixels in enumerate(sample.test.images[:20]):
        found = convert(saved(tmp_path / "a.png", product(pixels, background=200))).pixels
        white = convert(saved(tmp_path / "b.png", product(pixels))).pixels
        assert (found[0, 0], found[27, 27]) == (0, 0), number
        assert likeness(found, white) > 0.95


def test_the_longest_edge_fills_the_image_and_the_shortest_is_extended(tmp_path: Path) -> None:
    canvas = np.full((400, 1300, 3), 250, np.uint8)
    canvas[150:250, 100:300] = (200, 30, 30)
    found = convert(saved(tmp_path / "a.png", canvas)).pixels[..., 0]
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    assert (columns[0], columns[-1], rows[0], rows[-1]) == (0, 27, 7, 20)


def test_polarity_can_be_said(sample: Dataset, tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", sample.test.images[0, ..., 0])
    found = convert(path, invert=True)
    assert (found.pixels == 255 - sample.test.images[0]).all()
    assert found.steps == "28x28, taken as it is, inverted (as asked)"
    assert (convert(path, invert=False).pixels == sample.test.images[0]).all()


def test_clothing_cut_out_is_put_on_white_or_on_black_where_it_is_bright(
    sample: Dataset, tmp_path: Path
) -> None:
    pixels = sample.test.images[0, ..., 0]
    dark, bright = (np.dstack([color, color, color, pixels]) for color in (pixels * 0, pixels * 0 + 255))
    assert (convert(saved(tmp_path / "dark.png", dark)).pixels[..., 0] == pixels).all()
    found = convert(saved(tmp_path / "bright.png", bright), invert=False)
    assert np.abs(found.pixels[..., 0].astype(int) - pixels).max() <= 1


def test_a_huge_picture_is_converted(tmp_path: Path) -> None:
    canvas = np.full((3600, 4600), 255, np.uint8)
    canvas[1000:3000, 1200:2200] = 40
    found = convert(saved(tmp_path / "a.png", canvas))
    assert (found.size, int(found.pixels[14, 14, 0])) == ((4600, 3600), 215)
    assert convert(saved(tmp_path / "a.jpg", np.tile(canvas, (2, 1)))).size == (4600, 7200)


CUT_OUT: dict[str, tuple[int, int, bool]] = {
    "white": (255, 255, True),
    "nearly white": (252, 255, True),
    "white, half transparent": (255, 128, True),
    "light gray": (235, 255, False),
    "gray": (128, 255, False),
    "black": (0, 255, False),
    "black, half transparent": (0, 128, False),
}


@pytest.mark.parametrize("kind", CUT_OUT)
@pytest.mark.parametrize("size", [28, 300])
def test_whatever_color_it_has_what_is_cut_out_is_seen(kind: str, size: int, tmp_path: Path) -> None:
    brightness, opacity, on_black = CUT_OUT[kind]
    picture = np.zeros((size, size, 4), np.uint8)
    picture[size // 4 : -size // 4, size // 3 : -size // 3] = (*[brightness] * 3, opacity)
    found = convert(saved(tmp_path / "a.png", picture))
    shown = brightness if on_black else 255 - brightness
    assert found.details["on_black"] == on_black
    assert found.details["inverted"] != on_black
    assert abs(int(found.pixels[14, 14, 0]) - shown * opacity / 255) < 2
    assert found.pixels[0, 0] == found.pixels[27, 0] == 0
    assert ("pale and cut out: put on black" in found.steps) == on_black


def test_the_case_of_a_white_cut_out(tmp_path: Path) -> None:
    """White with a dark label: what is dark alone would be told from white."""
    picture = np.zeros((200, 200, 4), np.uint8)
    picture[40:160, 50:150] = (252, 252, 252, 255)
    picture[60:70, 90:110] = (20, 20, 20, 255)
    found = convert(saved(tmp_path / "a.png", picture))
    assert found.details["on_black"]
    assert found.pixels[20, 14, 0] == 252


def test_a_white_background_with_round_corners_stays_one(tmp_path: Path) -> None:
    picture = np.full((200, 200, 4), 255, np.uint8)
    picture[80:120, 90:110] = (20, 20, 20, 255)
    picture[:8, :8] = picture[:8, -8:] = picture[-8:, :8] = picture[-8:, -8:] = 0
    found = convert(saved(tmp_path / "a.png", picture))
    assert (found.details["on_black"], found.details["inverted"]) == (False, True)
    assert found.pixels[14, 14, 0] == 235


@pytest.mark.parametrize("background", [60, 100, 160, 200])
@pytest.mark.parametrize("brighter", [True, False])
def test_clothing_is_seen_on_every_gray_brighter_or_darker(
    background: int, brighter: bool, sample: Dataset, tmp_path: Path
) -> None:
    """The border alone would say that on dark it is brighter, and darker on bright."""
    alike = []
    for number, pixels in enumerate(sample.test.images[:10]):
        range_ = 255 - background if brighter else -background
        picture = background + np.kron(pixels[..., 0] / 255 * range_, np.ones((6, 6)))
        picture = np.pad(picture, 30, constant_values=background).round().astype(np.uint8)
        found = convert(saved(tmp_path / f"{number}.png", picture))
        assert found.details["inverted"] != brighter
        assert found.details["inverted_because"] == (
            "border" if brighter == (background < 127) else "clothing"
        )
        alike.append(likeness(found.pixels, convert(saved(tmp_path / "a.png", product(pixels))).pixels))
        said = "brighter than its background" if brighter else "darker than its background"
        assert (said in found.steps) == (found.details["inverted_because"] == "clothing")
    assert np.median(alike) > 0.9


def test_12_bits_in_16_are_said(sample: Dataset, tmp_path: Path) -> None:
    pixels = sample.test.images[0]
    twelve = pixels[..., 0].astype(np.uint16) * 16 + 3
    found = convert(saved(tmp_path / "a.png", twelve))
    assert (found.pixels == pixels).all()
    assert found.steps.startswith("28x28 of 12 bits in 16, taken as it is")
    assert found.bits == found.details["bits"] == 12


@pytest.mark.parametrize(
    ("invert", "said"), [(None, "invert=False"), (True, "invert=False"), (False, "invert=True")]
)
def test_where_nothing_is_seen_the_other_polarity_is_named(
    invert: bool | None, said: str, tmp_path: Path
) -> None:
    with pytest.raises(PictureError, match=f"add {said} where it is"):
        convert(saved(tmp_path / "a.png", np.full((50, 50), 90, np.uint8)), invert)


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (5, 300)])
@pytest.mark.parametrize("invert", [None, True, False])
def test_a_picture_of_one_color_shows_nothing(
    shape: tuple[int, int], invert: bool | None, tmp_path: Path
) -> None:
    with pytest.raises(PictureError, match=r"a\.png is a single color"):
        convert(saved(tmp_path / "a.png", np.full(shape, 90, np.uint8)), invert)


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (3, 3), (1, 900)])
def test_tiny_pictures_are_fitted(shape: tuple[int, int], tmp_path: Path) -> None:
    pixels = np.zeros(shape, np.uint8)
    pixels.flat[-1] = 255
    try:
        assert convert(saved(tmp_path / "a.png", pixels)).pixels.shape == (28, 28, 1)
    except PictureError as error:
        assert "a single color" in str(error)


def test_the_bytes_of_a_file_give_what_the_file_gives(sample: Dataset, tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", product(sample.test.images[0]))
    assert (image_of(path.read_bytes(), path, FASHION_MNIST) == convert(path).pixels).all()


def test_a_large_jpeg_that_is_opened_gives_what_its_file_does(tmp_path: Path) -> None:
    small = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    path = tmp_path / "large.jpg"
    exif = Image.Exif()
    exif[0x112] = 6
    Image.fromarray(small).resize((1200, 800), Image.Resampling.BICUBIC).save(path, exif=exif)
    task = Task("shelf", (96, 96, 3), ("a", "b"), Picture("crop", (255, 255, 255), (0, 0, 0)))
    expected = conversion.convert(path, task)
    for given in (Image.open(path), Image.open(io.BytesIO(path.read_bytes()))):
        found = conversion.convert(given, task)
        assert (found.pixels == expected.pixels).all()
        assert (found.size, found.details) == (expected.size, expected.details)
        assert given.size == (1200, 800)  # it is left as it was
        assert (conversion.convert(given, task).pixels == expected.pixels).all()
        given.load()
        difference = conversion.convert(given, task).pixels.astype(int) - expected.pixels
        assert 0 < np.abs(difference).max() < 10
