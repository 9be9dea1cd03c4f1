"""MobileNetV2, pretrained on ImageNet (Sandler et al. 2018), for images of 96 to 224 pixels.

Smaller ones are enlarged. The width multiplies the channels of every layer; weights of ImageNet are published
for six of them. Their shapes depend on the width alone: a file for images of another size fits too.
"""

from functools import partial
from pathlib import Path
from typing import Any

from edgefashion.errors import BadInput, first_line
from edgefashion.errors.wording import setting
from edgefashion.files import reading
from edgefashion.models.architecture import Architecture, Normalization
from edgefashion.models.batch_norm_folding import fold_batch_norms
from edgefashion.models.weights import take_from_h5
from edgefashion.task import Task
from edgefashion.tensorflow import keras, tf

SIZE, LARGEST = 96, 224
"""The shortest edge that the model computes with, and the longest that it was made for."""
PUBLISHED = (96, 128, 160, 192, 224)
"""The sizes of the images that Keras has weights of."""
# Keras' own 0.999 remembers about 1,000 steps, longer than the last part of a two-epoch training: the
# model would be evaluated with the statistics of weights it no longer has (measured: 54 % after one epoch).
BATCH_NORM_MOMENTUM = 0.99
Size = tuple[int, int]


def input_size(height: int, width: int) -> Size:
    """Rows and columns of what the model reads of an image: an edge below 96 pixels is enlarged to these."""
    return max(height, SIZE), max(width, SIZE)


def build(width: float, task: Task, weights: str | None = None) -> keras.Model:
    """float32 [N, rows, columns, 3] in [-1, 1] → float32 [N, classes] logits.

    One flat model, as QAT requires. Rows and columns are those of `input_size`. `weights` is "imagenet"
    (Keras downloads them), "none" or None (random), or the path of an .h5 file without the classification
    head. Raises BadInput when they cannot be had or do not fit.
    """
    base = _base(width, input_size(task.height, task.width), weights)
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = BATCH_NORM_MOMENTUM
    features = keras.layers.GlobalAveragePooling2D(name="pool")(base.output)
    features = keras.layers.Dense(128, activation="relu", name="dense")(features)
    logits = keras.layers.Dense(len(task.classes), dtype="float32", name="logits")(features)
    return keras.Model(base.input, logits, name="mobilenetv2")


def _base(width: float, size: Size, weights: str | None) -> keras.Model:
    """The layers that ImageNet has taught."""
    if weights == "imagenet":
        return _of_imagenet(width, size)
    base = _untrained(width, size)
    if weights in (None, "none"):
        return base
    reading.require_file(Path(weights), BadInput, "name a file of weights, imagenet or none")
    try:
        take_from_h5(Path(weights), base)
    except BadInput as error:
        raise BadInput(
            f"{weights} does not hold the weights of MobileNetV2 {width} without its head ({error}): "
            f"use imagenet, none or such a file; {setting('--width')} names another width"
        ) from error
    return base


def _untrained(width: float, size: Size) -> keras.Model:
    return keras.applications.MobileNetV2(
        weights=None, input_shape=(*size, 3), include_top=False, alpha=width
    )


def _of_imagenet(width: float, size: Size) -> keras.Model:
    """With the weights of the published size that is nearest."""
    nearest = min(PUBLISHED, key=lambda edge: abs(edge**2 - size[0] * size[1]))
    try:
        published = keras.applications.MobileNetV2(
            weights="imagenet", input_shape=(nearest, nearest, 3), include_top=False, alpha=width
        )
    except Exception as error:  # Keras raises nothing more precise
        raise BadInput(
            f"the ImageNet weights cannot be downloaded ({first_line(error)}): name a file with "
            f"{setting('--weights')} PATH, or train from random weights with "
            f"{setting('--weights')} none"
        ) from error
    if size == (nearest, nearest):
        return published
    base = _untrained(width, size)
    base.set_weights(published.get_weights())
    return base


def resize(images: Any) -> Any:
    """float32 [N, height, width, C] → float32 [N, rows, columns, C], bilinear with half-pixel centers."""
    return tf.image.resize(images, input_size(*images.shape[1:3]))


def expand(images: Any) -> Any:
    """float32 [N, height, width, 1 or 3] → float32 [N, rows, columns, 3]."""
    large = resize(images)
    return large if images.shape[-1] == 3 else tf.image.grayscale_to_rgb(large)


def fold_gray(model: keras.Model) -> keras.Model:
    """The same model for one gray channel, [N, rows, columns, 1], instead of three equal ones.

    Convolution is linear, so the first kernel summed over its input channels gives the same result.
    """
    config = model.get_config()
    config["layers"][0]["config"]["batch_input_shape"] = (None, *model.input_shape[1:3], 1)
    folded = keras.Model.from_config(config)
    weights = model.get_weights()
    folded.set_weights([weights[0].sum(axis=2, keepdims=True), *weights[1:]])
    return folded


def fold(model: keras.Model, task: Task) -> keras.Model:
    """The same model without batch normalization, and for gray images of one channel only."""
    return fold_batch_norms(fold_gray(model) if task.channels == 1 else model)


def of_width(width: float) -> Architecture:
    """The one whose layers have `width` times the channels."""
    return Architecture(
        name="mobilenetv2",
        edges=(1, LARGEST),
        normalization=Normalization(scale=1 / 127.5, zero_point=127),
        build=partial(build, width),
        expand=expand,
        fold=fold,
        resize=resize,
    )


MOBILENETV2 = of_width(1.0)
