"""MobileNetV2 at 96x96, pretrained on ImageNet (Sandler et al. 2018)."""

from pathlib import Path
from typing import Any

from edgefashion.errors import BadInput, first_line
from edgefashion.files import reading
from edgefashion.models.architecture import Architecture, Normalization
from edgefashion.models.batch_norm_folding import fold_batch_norms
from edgefashion.models.weights import take_from_h5
from edgefashion.task import Task
from edgefashion.tensorflow import keras, tf

SIZE = 96
# Keras' own 0.999 remembers about 1,000 steps, longer than the last part of a two-epoch training: the
# model would be evaluated with the statistics of weights it no longer has (measured: 54 % after one epoch).
BATCH_NORM_MOMENTUM = 0.99


def build(task: Task, weights: str | None = None) -> keras.Model:
    """float32 [N, 96, 96, 3] in [-1, 1] → float32 [N, classes] logits; one flat model, as QAT requires.

    `weights` is "imagenet" (Keras downloads them), "none" or None (random), or the path of an .h5 file
    without the classification head. Raises BadInput when they cannot be had or do not fit.
    """
    base = _base(weights)
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = BATCH_NORM_MOMENTUM
    features = keras.layers.GlobalAveragePooling2D(name="pool")(base.output)
    features = keras.layers.Dense(128, activation="relu", name="dense")(features)
    logits = keras.layers.Dense(len(task.classes), dtype="float32", name="logits")(features)
    return keras.Model(base.input, logits, name="mobilenetv2")


def _base(weights: str | None) -> keras.Model:
    options = {"input_shape": (SIZE, SIZE, 3), "include_top": False}
    if weights == "imagenet":
        try:
            return keras.applications.MobileNetV2(weights=weights, **options)
        except Exception as error:  # Keras raises nothing more precise
            raise BadInput(
                f"the ImageNet weights cannot be downloaded ({first_line(error)}): name a file with "
                "--weights PATH, or train from random weights with --weights none"
            ) from error
    base = keras.applications.MobileNetV2(weights=None, **options)
    if weights in (None, "none"):
        return base
    reading.require_file(Path(weights), BadInput, "name a file of weights, imagenet or none")
    try:
        take_from_h5(Path(weights), base)
    except BadInput as error:
        raise BadInput(
            f"{weights} does not hold the weights of MobileNetV2 1.0 at {SIZE}x{SIZE} without its head "
            f"({error}): use imagenet, none or such a file"
        ) from error
    return base


def resize(images: Any) -> Any:
    """float32 [N, height, width, C] → float32 [N, 96, 96, C], bilinear with half-pixel centers."""
    return tf.image.resize(images, (SIZE, SIZE))


def expand(images: Any) -> Any:
    """float32 [N, height, width, 1 or 3] → float32 [N, 96, 96, 3]."""
    large = resize(images)
    return large if images.shape[-1] == 3 else tf.image.grayscale_to_rgb(large)


def fold_gray(model: keras.Model) -> keras.Model:
    """The same model for one gray channel instead of three equal ones: float32 [N, 96, 96, 1] → logits.

    Convolution is linear, so the first kernel summed over its input channels gives the same result.
    """
    config = model.get_config()
    config["layers"][0]["config"]["batch_input_shape"] = (None, SIZE, SIZE, 1)
    folded = keras.Model.from_config(config)
    weights = model.get_weights()
    folded.set_weights([weights[0].sum(axis=2, keepdims=True), *weights[1:]])
    return folded


def fold(model: keras.Model, task: Task) -> keras.Model:
    """The same model without batch normalization, and for gray images of one channel only."""
    return fold_batch_norms(fold_gray(model) if task.channels == 1 else model)


MOBILENETV2 = Architecture(
    name="mobilenetv2",
    normalization=Normalization(scale=1 / 127.5, zero_point=127),
    build=build,
    expand=expand,
    fold=fold,
    resize=resize,
)
