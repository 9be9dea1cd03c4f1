"""Small residual CNNs of plain 3x3 convolutions, trained from scratch, for int8 inference on a processor.

    conv 3x3; conv 3x3 to half the size, residual block; conv 3x3 to a quarter, residual block; average; dense

Larger images are halved first, by the first convolution and by max pooling behind it, until the shorter edge
is 40 pixels or less: the multiply-accumulates stay near those of 28x28, and no parameter is added. At 96x96
the pooling makes a model four times faster, and cost no validation accuracy: of 8 kinds of emoji 67.9 % were
right with it and 68.4 % without, of solar cells 78.8 % and 77.3 % (cnn-64k, a training each of 30 and 25
epochs).

A residual block is two convolutions and the sum with their input (He et al. 2016). Every convolution is
followed by batch normalization, which is folded into it for deployment, and by ReLU, which the runtimes
compute within it. Nothing here computes slowly in integers: no depthwise layer, no other activation.
"""

from functools import partial
from typing import Any

from edgefashion.models.architecture import Architecture, Normalization
from edgefashion.models.batch_norm_folding import fold_batch_norms
from edgefashion.task import Task
from edgefashion.tensorflow import keras

WIDTHS = {"cnn-64k": (16, 24, 40), "cnn-256k": (24, 56, 88)}
"""The channels at the size of the image, at half and at a quarter of it."""
# Of some 430 steps an epoch, the statistics remember the last 20; the average over the weights smoothes them.
BATCH_NORM_MOMENTUM = 0.95
MOST_ROWS = 40
"""Or columns, behind the first convolution and its pooling."""


def build(name: str, task: Task, weights: str | None = None) -> keras.Model:
    """float32 [N, height, width, channels] in [-1, 1] → float32 [N, classes] logits.

    One flat model, as QAT requires. Names are short: a TFLite file has each of them several times.
    """
    first, second, third = WIDTHS[name]
    image = keras.Input(task.image_shape, name="image")
    edge = min(task.height, task.width)
    tensor = _convolution(image, first, "1", strides=2 if edge > MOST_ROWS else 1)
    if edge > 2 * MOST_ROWS:
        tensor = keras.layers.MaxPooling2D(name="pool1")(tensor)
    tensor = _block(_convolution(tensor, second, "2", strides=2), "2")
    tensor = _block(_convolution(tensor, third, "3", strides=2), "3")
    features = keras.layers.GlobalAveragePooling2D(name="pool")(tensor)
    logits = keras.layers.Dense(len(task.classes), dtype="float32", name="logits")(features)
    return keras.Model(image, logits, name="cnn")


def _convolution(tensor: Any, channels: int, name: str, strides: int = 1, rectify: bool = True) -> Any:
    tensor = keras.layers.Conv2D(
        channels,
        3,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"conv{name}",
    )(tensor)
    tensor = keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"norm{name}")(tensor)
    return keras.layers.ReLU(name=f"relu{name}")(tensor) if rectify else tensor


def _block(tensor: Any, name: str) -> Any:
    channels = tensor.shape[-1]
    inner = _convolution(tensor, channels, f"{name}a")
    inner = _convolution(inner, channels, f"{name}b", rectify=False)
    return keras.layers.ReLU(name=f"relu{name}b")(keras.layers.Add(name=f"add{name}")([tensor, inner]))


def _architecture(name: str) -> Architecture:
    return Architecture(
        name=name,
        edges=(24, 96),
        normalization=Normalization(scale=1 / 127.5, zero_point=127),
        build=partial(build, name),
        expand=lambda images: images,
        fold=lambda model, _: fold_batch_norms(model),
        resize=lambda images: images,
    )


RESIDUAL_CNNS = tuple(_architecture(name) for name in WIDTHS)
