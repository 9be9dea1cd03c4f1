"""Training images made different each time they are seen, within the graph of the input pipeline.

What is drawn at random depends on the recipe's seed, the epoch and the number of the batch alone, so that a
resumed training sees what one that was never interrupted does.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from edgefashion.recipes import Recipe
from edgefashion.tensorflow import tf

TINY = float(np.finfo(np.float32).tiny)
ERASED_AREA = (0.02, 0.3)
"""Least and most of the image, as a share."""
ERASED_ASPECT = 0.3
"""The least of width / height and of height / width."""
CROPPED_ASPECT = 0.75
"""The same of a crop, beside those of the image."""
LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue: ITU-R BT.601."""


Color = tuple[int, ...]
"""A value, 0 to 255, for each channel."""


class Randomness:
    """Numbers for one batch: a stream that starts anew for each (seed, epoch, batch).

    Where `rows`, int32 [M], are some of the `size` images of the batch, it gives what those get. The first
    dimension of every shape is that of images, M or all.
    """

    def __init__(self, seed: int, epoch: Any, batch: Any, rows: Any = None, size: Any = None) -> None:
        start = tf.constant([seed, 0], tf.int64)
        self.state = _fold(_fold(start, epoch), batch)
        self.rows, self.size = rows, size
        self.drawn = 0

    def _next(self) -> Any:
        self.drawn += 1
        return _fold(self.state, self.drawn)

    def _draw(self, draw: Callable[[Any, Any], Any], shape: Any) -> Any:
        """`draw(shape, seed)` of all images, of which those of `rows` are taken."""
        if self.rows is None:
            return draw(shape, self._next())
        return tf.gather(draw([self.size, *shape[1:]], self._next()), self.rows)

    def uniform(self, shape: Any, low: float = 0.0, high: float = 1.0) -> Any:
        """float32 of `shape` in [low, high)."""
        return self._draw(lambda shape, seed: tf.random.stateless_uniform(shape, seed, low, high), shape)

    def integers(self, shape: Any, low: int, high: int) -> Any:
        """int32 of `shape`, `low` to `high`, both included."""
        return self._draw(
            lambda shape, seed: tf.random.stateless_uniform(shape, seed, low, high + 1, tf.int32), shape
        )

    def bytes(self, shape: Any) -> Any:
        """uint8 of `shape`."""
        return self._draw(_bytes, shape)

    def beta(self, count: Any, alpha: float) -> Any:
        """float32 [count] of the distribution Beta(alpha, alpha)."""
        one, other = (
            self._draw(lambda shape, seed: tf.random.stateless_gamma(shape, seed, alpha), [count])
            for _ in range(2)
        )
        # Below an alpha of 0.1 both may be too small for float32, and are given as its smallest number: in
        # truth nearly all lies at one of the ends.
        end = tf.cast(self.uniform([count]) < 0.5, tf.float32)
        return tf.where(one + other > 4 * TINY, one / (one + other), end)


def _bytes(shape: Any, seed: Any) -> Any:
    size = tf.reduce_prod(shape)
    words = tf.random.stateless_uniform([size // 4 + 1], seed, None, None, tf.int32)
    return tf.reshape(tf.reshape(tf.bitcast(words, tf.uint8), [-1])[:size], shape)


def _fold(state: Any, number: Any) -> Any:
    return tf.random.experimental.stateless_fold_in(state, tf.cast(number, tf.int64))


def flips(random: Randomness, recipe: Recipe, count: Any) -> Any:
    """Which images are mirrored: bool [count], half of them where the recipe says so."""
    return random.uniform([count]) < 0.5 if recipe.flip else tf.zeros([count], tf.bool)


def move(pixels: Any, mirrored: Any, random: Randomness, recipe: Recipe, fill: Color) -> Any:
    """Mirror and shift uint8 [N, height, width, channels], the color `fill` moves in; or crop and turn them
    too, see `reframe`.
    """
    if recipe.crop or recipe.rotate or recipe.flip_vertical:
        return reframe(pixels, mirrored, random, recipe)
    if not (recipe.flip or recipe.shift):
        return pixels
    height, width, channels = pixels.shape[1:]
    count = tf.shape(pixels)[0]
    down, right = (
        tf.cast(random.integers([count], -recipe.shift, recipe.shift), tf.float32) for _ in range(2)
    )
    # The pixel at (x, y) comes from (a * x + b, y + c).
    a = tf.where(mirrored, -1.0, 1.0)
    b = tf.where(mirrored, width - 1.0, 0.0) + right
    color = tf.constant(fill, tf.uint8)
    zeros, ones = tf.zeros([count]), tf.ones([count])
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=pixels - color,  # what moves in is 0, and bytes come back around
        transforms=tf.stack([a, zeros, b, zeros, ones, down, zeros, zeros], axis=1),
        output_shape=[height, width],
        interpolation="NEAREST",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
    return tf.ensure_shape(moved + color, [None, height, width, channels])


def reframe(pixels: Any, mirrored: Any, random: Randomness, recipe: Recipe) -> Any:
    """Crop at random, mirror, turn and shift uint8 [N, height, width, channels] in one bilinear step.

    A crop keeps a share of the area that is even in `recipe.crop` to 1, of an aspect that is even on a
    logarithmic scale, and lies inside (as Szegedy et al. 2015 do, where an edge is never longer than the
    image's); it is enlarged to the size that images have. Beyond an edge, its pixels go on.
    """
    height, width, channels = pixels.shape[1:]
    count = tf.shape(pixels)[0]
    area = random.uniform([count], recipe.crop or 1.0)
    stretch = tf.exp(random.uniform([count], -1.0) * (math.log(CROPPED_ASPECT) if recipe.crop else 0.0))
    wide, high = (tf.minimum(tf.sqrt(share), 1.0) for share in (area * stretch, area / stretch))
    right, down = (random.uniform([count], -0.5, 0.5) * (1 - share) for share in (wide, high))
    shifts = [random.uniform([count], -1.0) * recipe.shift for _ in range(2)]
    angle = random.uniform([count], -1.0) * math.radians(recipe.rotate)
    upside_down = random.uniform([count]) < 0.5 if recipe.flip_vertical else tf.zeros([count], tf.bool)
    across, along = tf.where(mirrored, -wide, wide), tf.where(upside_down, -high, high)
    a, b = across * tf.cos(angle), -across * tf.sin(angle)
    c, d = along * tf.sin(angle), along * tf.cos(angle)
    # The pixel at (x, y), from the center, comes from (a x + b y, c x + d y), from the center of the crop.
    x, y = (width - 1) / 2, (height - 1) / 2
    left = x - a * x - b * y + right * width + shifts[0]
    top = y - c * x - d * y + down * height + shifts[1]
    zeros = tf.zeros([count])
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=pixels,
        transforms=tf.stack([a, b, left, c, d, top, zeros, zeros], axis=1),
        output_shape=[height, width],
        interpolation="BILINEAR",
        fill_mode="NEAREST",
        fill_value=0.0,
    )
    return tf.ensure_shape(moved, [None, height, width, channels])


def recolor(pixels: Any, random: Randomness, recipe: Recipe) -> Any:
    """Change brightness, contrast and colors of uint8 [N, height, width, channels], channels 1 or 3.

    Brightness moves by up to that share of white; contrast, the distance from middle gray, is multiplied by
    1 / (1 + contrast) to 1 + contrast, even on a logarithmic scale. Of colors, what differs from gray is
    turned about the axis of gray by up to `color` half turns, and multiplied by 1 - color to 1 + color.
    """
    if not recipe.recolors:
        return pixels
    count, channels = tf.shape(pixels)[0], pixels.shape[3]
    factor = tf.exp(random.uniform([count, 1, 1], -1.0) * math.log1p(recipe.contrast))
    matrix = factor * tf.eye(channels)
    if recipe.color and channels == len(LUMA):
        gray = tf.ones([3, 1]) * tf.constant([LUMA])
        matrix = factor * (gray + _hues(random, recipe.color, count) @ (tf.eye(3) - gray))
    # A gray of 127.5 stays one.
    offset = 127.5 * (1 - factor) + 255 * recipe.brightness * random.uniform([count, 1, 1], -1.0)
    lines = tf.reshape(tf.cast(pixels, tf.float32), [count, -1, channels])
    changed = tf.clip_by_value(lines @ tf.transpose(matrix, [0, 2, 1]) + offset, 0.0, 255.0)
    return tf.reshape(tf.cast(tf.round(changed), tf.uint8), tf.shape(pixels))


def _hues(random: Randomness, strength: float, count: Any) -> Any:
    """Turns about the axis of gray (Rodrigues' formula), and scaled: float32 [N, 3, 3]."""
    angle = random.uniform([count, 1, 1], -1.0) * strength * math.pi
    cross = tf.constant([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    turn = tf.cos(angle) * tf.eye(3) + tf.sin(angle) * cross + (1 - tf.cos(angle)) / 3 * tf.ones([3, 3])
    return (1 + strength * random.uniform([count, 1, 1], -1.0)) * turn


def erase(pixels: Any, random: Randomness, recipe: Recipe) -> Any:
    """Fill a rectangle of some of the images, uint8 [N, height, width, channels], with noise
    (Zhong et al. 2020).

    It covers 2 to 30 % of the image, has an aspect of 0.3 to 1 / 0.3, even on a logarithmic scale, and lies
    inside.
    """
    if not recipe.erase:
        return pixels
    count, (height, width, channels) = tf.shape(pixels)[0], pixels.shape[1:]
    area = height * width * random.uniform([count], *ERASED_AREA)
    stretch = tf.exp(random.uniform([count], math.log(ERASED_ASPECT) / 2, -math.log(ERASED_ASPECT) / 2))
    chosen = random.uniform([count]) < recipe.erase

    def span(length: Any, size: int) -> Any:
        """bool [N, size]: one stretch of each line."""
        length = tf.minimum(tf.round(length), float(size))
        start = tf.floor(random.uniform([count]) * (size - length + 1))[:, None]
        positions = tf.range(size, dtype=tf.float32)[None]
        return (positions >= start) & (positions < start + length[:, None])

    rows, columns = span(tf.sqrt(area) * stretch, height), span(tf.sqrt(area) / stretch, width)
    inside = (rows & chosen[:, None])[:, :, None, None] & columns[:, None, :, None]
    noise = random.bytes([count, height, width, channels])
    return tf.where(inside, noise, pixels)


def mix(images: Any, labels: Any, random: Randomness, recipe: Recipe) -> tuple[Any, Any]:
    """Each image, float32 [N, height, width, channels], and its label, float32 [N, classes], with those
    of another of the batch (mixup: Zhang et al. 2018).
    """
    if not recipe.mixup:
        return images, labels
    share = random.beta(tf.shape(images)[0], recipe.mixup)[:, None]
    wide = share[:, :, None, None]
    mixed = wide * images + (1 - wide) * tf.reverse(images, [0])
    return mixed, share * labels + (1 - share) * tf.reverse(labels, [0])
