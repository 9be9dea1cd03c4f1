"""Augmentation: what may happen to an image, how often, and that the seed, epoch and batch decide it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgefashion.recipes import NAMED_RECIPES
from edgefashion.tensorflow import tf
from edgefashion.training import augmentation
from edgefashion.training.augmentation import Randomness

COUNT = 400
PLAIN = replace(NAMED_RECIPES["cnn-64k"], flip=False, shift=0, erase=0.0)
Array = np.ndarray[Any, Any]


@pytest.fixture
def random() -> Randomness:
    return Randomness(0, 3, 5)


def pixels(count: int = COUNT) -> Array:
    """Images with a different value, 1 or more, everywhere."""
    one = np.arange(784).reshape(28, 28, 1) % 255 + 1
    return np.repeat(one[None], count, axis=0).astype(np.uint8)


def test_nothing_happens_where_nothing_is_asked_for(random: Randomness) -> None:
    images, labels = tf.constant(pixels(4)), tf.one_hot([1, 2, 3, 4], 10)
    mirrored = augmentation.flips(random, PLAIN, 4)
    assert not mirrored.numpy().any()
    assert augmentation.move(images, mirrored, random, PLAIN, (0,)) is images
    assert augmentation.erase(images, random, PLAIN) is images
    assert augmentation.mix(images, labels, random, PLAIN) == (images, labels)


def test_half_of_the_images_are_mirrored(random: Randomness) -> None:
    recipe = replace(PLAIN, flip=True)
    mirrored = augmentation.flips(random, recipe, COUNT)
    moved = augmentation.move(tf.constant(pixels()), mirrored, random, recipe, (0,)).numpy()
    assert 150 < mirrored.numpy().sum() < 250
    for image, original, turned in zip(moved, pixels(), mirrored.numpy(), strict=True):
        assert np.array_equal(image, original[:, ::-1] if turned else original)


def test_images_move_by_whole_pixels_and_background_comes_in(random: Randomness) -> None:
    recipe = replace(PLAIN, shift=2)
    still = tf.zeros([COUNT], tf.bool)
    moved = augmentation.move(tf.constant(pixels()), still, random, recipe, (0,)).numpy()
    padded = np.pad(pixels(1)[0], [(2, 2), (2, 2), (0, 0)])
    possible = {
        padded[down : down + 28, right : right + 28].tobytes() for down in range(5) for right in range(5)
    }
    assert {image.tobytes() for image in moved} == possible


def test_images_in_color_that_are_not_square_move_too_and_their_own_color_comes_in(
    random: Randomness,
) -> None:
    one = np.random.default_rng(1).integers(0, 256, (12, 8, 3), np.uint8)
    fill = (7, 250, 255)
    images = tf.constant(np.repeat(one[None], COUNT, axis=0))
    mirrored = augmentation.flips(random, replace(PLAIN, flip=True), COUNT)
    recipe = replace(PLAIN, flip=True, shift=2)
    moved = augmentation.move(images, mirrored, random, recipe, fill).numpy()
    padded = np.full((16, 12, 3), fill, np.uint8)
    possible = set()
    for image in (one, one[:, ::-1]):
        padded[2:14, 2:10] = image
        possible |= {
            padded[down : down + 12, right : right + 8].tobytes() for down in range(5) for right in range(5)
        }
    assert {image.tobytes() for image in moved} == possible


def test_a_rectangle_of_noise_in_all_colors_is_erased(random: Randomness) -> None:
    white = np.full((COUNT, 12, 8, 3), 255, np.uint8)
    erased = augmentation.erase(tf.constant(white), random, replace(PLAIN, erase=1.0)).numpy()
    touched = (erased != 255).all(axis=3)
    assert touched.any(axis=(1, 2)).mean() > 0.95
    assert 0.02 < touched.mean() < 0.3
    inside = erased[touched]
    assert (np.ptp(inside, axis=1) > 5).mean() > 0.9


def test_a_rectangle_is_erased(random: Randomness) -> None:
    recipe = replace(PLAIN, erase=0.5)
    white = np.full((COUNT, 28, 28, 1), 255, np.uint8)
    erased = augmentation.erase(tf.constant(white), random, recipe).numpy()
    touched = (erased != 255)[..., 0]
    chosen = touched.any(axis=(1, 2))
    assert 150 < chosen.sum() < 250
    shares = []
    for mask, image in zip(touched[chosen], erased[chosen], strict=True):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        shares.append(height * width / 784)
        assert mask.sum() >= 0.8 * height * width  # noise is white too, now and then
        assert 0.2 < width / height < 5
        assert len(np.unique(image)) > 5
    assert 0.01 < min(shares) < 0.06
    assert 0.24 < max(shares) < 0.34


def test_mixup_mixes_images_as_it_mixes_labels(random: Randomness) -> None:
    recipe = replace(PLAIN, mixup=0.4)
    images = tf.reshape(tf.range(10, dtype=tf.float32), [10, 1, 1, 1]) * tf.ones([10, 28, 28, 1])
    mixed, labels = augmentation.mix(images, tf.one_hot(tf.range(10), 10), random, recipe)
    np.testing.assert_allclose(labels.numpy().sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(mixed[:, 3, 4, 0], labels.numpy() @ np.arange(10), atol=1e-5)
    assert (labels.numpy().max(axis=1) < 0.99).any()


def test_randomness_is_that_of_seed_epoch_and_batch() -> None:
    def drawn(*which: int) -> Any:
        random = Randomness(*which)
        return [random.uniform([4]).numpy().tolist(), random.bytes(6).numpy().tolist()]

    assert drawn(1, 2, 3) == drawn(1, 2, 3)
    assert len({str(drawn(*which)) for which in [(1, 2, 3), (0, 2, 3), (1, 1, 3), (1, 2, 4), (1, 3, 2)]}) == 5


def test_bytes_are_even() -> None:
    drawn = Randomness(0, 0, 0).bytes(256 * 200).numpy()
    assert drawn.shape == (256 * 200,)
    assert np.bincount(drawn, minlength=256).min() > 120


@pytest.mark.parametrize("alpha", [1e-3, 0.05, 0.2, 100.0])
def test_the_shares_of_mixup_are_numbers_for_every_alpha(alpha: float) -> None:
    shares = Randomness(0, tf.constant(0, tf.int64), tf.constant(0, tf.int64)).beta(200_000, alpha).numpy()
    assert np.isfinite(shares).all()
    assert shares.mean() == pytest.approx(0.5, abs=0.01)
    assert shares.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.02)


def ramp(count: int = COUNT) -> Array:
    """Images that get brighter by 4 a pixel to the right, and by 2 downwards."""
    rows, columns = np.mgrid[:20, :30]
    return np.repeat((2 * rows + 4 * columns)[None, ..., None], count, axis=0).astype(np.uint8)


def test_a_crop_is_a_part_of_the_image_enlarged(random: Randomness) -> None:
    still = tf.zeros([COUNT], tf.bool)
    recipe = replace(PLAIN, crop=0.25)
    cropped = augmentation.move(tf.constant(ramp()), still, random, recipe, (0,)).numpy()[..., 0].astype(int)
    assert cropped.shape == (COUNT, 20, 30)
    across = (cropped[:, 10, 25] - cropped[:, 10, 5]) / 80
    down = (cropped[:, 16, 15] - cropped[:, 4, 15]) / 24
    area = across * down
    assert area.min() > 0.18
    assert area.max() < 1.1
    assert 0.5 < area.mean() < 0.7
    assert np.quantile(across / down, 0.95) < 4 / 3 + 0.2
    assert len(set(cropped[:, 10, 15])) > 20


def test_images_are_turned_upside_down_and_sideways(random: Randomness) -> None:
    still = tf.zeros([COUNT], tf.bool)
    recipe = replace(PLAIN, flip_vertical=True)
    images = pixels() // 2
    moved = augmentation.move(tf.constant(images), still, random, recipe, (0,)).numpy()
    turned = [np.array_equal(one, other[::-1]) for one, other in zip(moved, images, strict=True)]
    assert 150 < sum(turned) < 250
    assert all(
        one or np.array_equal(image, other) for one, image, other in zip(turned, moved, images, strict=True)
    )
    recipe = replace(PLAIN, rotate=20.0)
    moved = augmentation.move(tf.constant(ramp()), still, random, recipe, (0,)).numpy()[..., 0].astype(int)
    angles = np.degrees(np.arctan2(moved[:, 12, 15] - moved[:, 8, 15], moved[:, 10, 17] - moved[:, 10, 13]))
    assert 15 < np.ptp(angles) / 2 < 25
    assert np.ptp(moved[:, 10, 15]) <= 2


def test_brightness_and_contrast_change_all_pixels_of_an_image_alike(random: Randomness) -> None:
    images = np.repeat(np.array([[[100], [150]]], np.uint8)[None], COUNT, axis=0)
    bright = augmentation.recolor(tf.constant(images), random, replace(PLAIN, brightness=0.2)).numpy()
    differences = bright.astype(int) - images
    assert np.array_equal(differences[:, 0, 0], differences[:, 0, 1])
    assert 40 < np.abs(differences).max() <= 51
    strong = augmentation.recolor(tf.constant(images), random, replace(PLAIN, contrast=1.0)).numpy()
    spread = strong[:, 0, 1, 0].astype(int) - strong[:, 0, 0, 0]
    assert 24 <= spread.min() < 30
    assert 85 < spread.max() <= 101


def test_colors_turn_and_gray_stays(random: Randomness) -> None:
    images = np.tile(np.array([[[200, 80, 60], [90, 90, 90]]], np.uint8), (COUNT, 1, 1, 1))
    changed = augmentation.recolor(tf.constant(images), random, replace(PLAIN, color=0.5)).numpy()
    assert np.abs(changed[:, 0, 1].astype(int) - 90).max() <= 1
    greenest = (changed[:, 0, 0].argmax(axis=1) != 0).mean()
    assert 0.1 < greenest < 0.6
    gray = tf.constant(images[..., :1])
    assert np.array_equal(augmentation.recolor(gray, random, replace(PLAIN, color=0.5)), gray)
