"""Pictures made fit for tasks of any size: cropped, padded, stretched, in gray and in color."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from edgefashion.data import FASHION_MNIST, Picture, Task
from edgefashion.errors import BadInput
from edgefashion.pictures import convert

Way = Literal["crop", "pad", "stretch"]
WAYS: tuple[Way, ...] = ("crop", "pad", "stretch")
RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


def task(way: Way, channels: int = 3) -> Task:
    """Images of 40 x 24."""
    colors = {1: ((255,), (9,)), 3: ((255, 255, 0), (9, 8, 7))}[channels]
    return Task("any", (40, 24, channels), ("one", "two"), Picture(way, *colors))


def saved(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def stripes(tmp_path: Path) -> Path:
    """A wide picture of 300 x 100: a third red, a third green, a third blue."""
    pixels = np.repeat(np.array([[RED, GREEN, BLUE]], np.uint8), 100, axis=1)
    return saved(tmp_path / "stripes.png", np.repeat(pixels, 100, axis=0))


def test_crop_keeps_the_middle(stripes: Path) -> None:
    found = convert(stripes, task("crop"))
    assert found.pixels.shape == (40, 24, 3)
    assert (found.pixels == GREEN).all()
    assert found.steps == "300x100, cropped to 24x40"
    assert found.details == {"size": [300, 100], "bits": None, "fit": "crop"}


@pytest.mark.parametrize(
    ("size", "way", "said"),
    [
        ((12, 20), "crop", "enlarged to"),
        ((48, 80), "pad", "reduced to"),
        ((12, 12), "crop", "enlarged and cropped to"),
        ((30, 30), "crop", "enlarged and cropped to"),
        ((12, 12), "pad", "enlarged and fitted with margins into"),
        ((12, 60), "stretch", "stretched to"),
    ],
)
def test_what_is_done_is_said_as_it_is(size: tuple[int, int], way: Way, said: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.zeros((size[1], size[0], 3), np.uint8))
    assert convert(path, task(way)).steps == f"{size[0]}x{size[1]}, {said} 24x40"


def test_pad_keeps_all_and_fills_the_margins(stripes: Path) -> None:
    found = convert(stripes, task("pad"))
    assert found.steps == "300x100, fitted with margins into 24x40"
    assert (found.pixels[:16] == (9, 8, 7)).all()
    assert (found.pixels[24:] == (9, 8, 7)).all()
    assert [tuple(found.pixels[20, column]) for column in (2, 12, 21)] == [RED, GREEN, BLUE]


def test_stretch_keeps_all_and_not_the_aspect(stripes: Path) -> None:
    found = convert(stripes, task("stretch"))
    assert found.steps == "300x100, stretched to 24x40"
    assert (found.pixels[:, 2] == RED).all()
    assert (found.pixels[:, 21] == BLUE).all()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_of_the_right_size_is_taken_as_it_is(way: Way, channels: int, tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (40, 24, channels), np.uint8)
    path = saved(tmp_path / "a.png", pixels.squeeze())
    found = convert(path, task(way, channels))
    assert (found.pixels == pixels).all()
    assert found.steps == "24x40, taken as it is"


@pytest.mark.parametrize("way", WAYS)
def test_gray_tasks_take_pictures_in_color_and_the_other_way_round(way: Way, tmp_path: Path) -> None:
    red = saved(tmp_path / "red.png", np.full((80, 48, 3), (255, 0, 0), np.uint8))
    assert convert(red, task(way, 1)).pixels.shape == (40, 24, 1)
    assert (convert(red, task(way, 1)).pixels == 76).all()  # 0.299 of 255
    gray = saved(tmp_path / "gray.png", np.full((80, 48), 90, np.uint8))
    assert (convert(gray, task(way)).pixels == 90).all()


@pytest.mark.parametrize("way", WAYS)
def test_the_background_is_seen_through_what_is_transparent(way: Way, tmp_path: Path) -> None:
    clear = saved(tmp_path / "clear.png", np.zeros((80, 48, 4), np.uint8))
    assert (convert(clear, task(way)).pixels == (255, 255, 0)).all()
    assert (convert(clear, task(way, 1)).pixels == 255).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P", "RGB"])
def test_without_a_background_the_colors_under_it_are_seen_as_pillow_has_them(
    mode: str, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 24, 4)).astype(np.uint8)
    transparent = {"P": {"transparency": 0}, "RGB": {"transparency": (0, 0, 0)}}.get(mode, {})
    path = tmp_path / ("a.tif" if mode == "PA" else "a.png")
    picture = Image.fromarray(pixels).convert("RGB").convert("P").convert(mode)
    if mode in ("RGBA", "LA"):
        picture = Image.fromarray(pixels).convert(mode)
    picture.save(path, **transparent)
    for channels, color in ((3, "RGB"), (1, "L")):
        made = task("crop", channels)
        made = replace(made, picture=replace(made.picture, background="none"))
        with Image.open(path) as saved_picture:
            wanted = np.asarray(saved_picture.convert("RGB").convert(color)).reshape(40, 24, channels)
        np.testing.assert_array_equal(convert(path, made).pixels, wanted)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (900, 1), (1, 900), (2000, 1500)])
def test_pictures_of_every_size_are_fitted(way: Way, shape: tuple[int, int], tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.full((*shape, 3), 90, np.uint8))
    assert convert(path, task(way)).pixels.shape == (40, 24, 3)


def test_a_large_picture_is_averaged_and_not_sampled(tmp_path: Path) -> None:
    checks = (np.indices((400, 240)).sum(axis=0) % 2 * 255).astype(np.uint8)
    found = convert(saved(tmp_path / "a.png", checks), task("stretch", 1)).pixels
    assert abs(found.astype(int) - 127).max() <= 2


@pytest.mark.parametrize("invert", [True, False])
def test_polarity_is_a_matter_of_clothing_alone(invert: bool, stripes: Path) -> None:
    with pytest.raises(BadInput, match="pictures of any are taken in their own colors: leave out invert"):
        convert(stripes, task("crop"), invert)


def test_clothing_is_fitted_into_images_of_another_size(tmp_path: Path) -> None:
    canvas = np.full((400, 1300, 3), 250, np.uint8)
    canvas[150:250, 100:300] = (200, 30, 30)
    wide = replace(FASHION_MNIST, image_shape=(20, 32, 1))
    found = convert(saved(tmp_path / "a.png", canvas), wide)
    rows, columns = (np.flatnonzero(found.pixels[..., 0].any(axis=axis)) for axis in (1, 0))
    assert (columns[0], columns[-1], rows[0], rows[-1]) == (0, 31, 2, 17)
    assert found.steps == "1300x400, trimmed, fitted into 32x20, inverted (bright border)"
