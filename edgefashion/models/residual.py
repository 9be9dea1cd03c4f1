"""Small residual CNNs of plain 3x3 convolutions, trained from scratch, for int8 inference on a processor.

    conv 3x3; conv 3x3 to half the size, residual block; conv 3x3 to a quarter, residual block; average; dense

`cnn-64k` and `cnn-256k` are these. The others have other numbers of residual blocks; and all but `cnn-1m`,
which is there to teach, have weights for the places that are left instead of an average over them, a
depthwise convolution as large as they are. Where something lies tells garments apart, and an average forgets
it. Of 10,000 images set aside cnn-64k was right on 94.2 % with it and 93.6 % without after 12 epochs, and on
95.0 and 94.9 % after 80 (a training or two each, in another framework; so were the others chosen, of some
60 that were tried).

Larger images are halved first, by the first convolution and by max pooling behind it, until the shorter edge
is 40 pixels or less: the multiply-accumulates stay near those of 28x28, and no parameter is added. At 96x96
the pooling makes a model four times faster, and cost no validation accuracy: of 8 kinds of emoji 67.9 % were
right with it and 68.4 % without, of solar cells 78.8 % and 77.3 % (cnn-64k, a training each of 30 and 25
epochs).

A residual block is two convolutions and the sum with their input (He et al. 2016). Every convolution is
followed by batch normalization, which is folded into it for deployment, and by ReLU, which the runtimes
compute within it. Nothing else here computes slowly in integers: no other depthwise layer or activation.

`cnn-64k-v2` learns each convolution outside the blocks as the sum of two, of 3x3 and of 1x1 at its center
(Ding et al. 2021), which are one when deployed: 95.39 % against 95.13 in that other framework.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from edgefashion.models.architecture import Architecture, Normalization
from edgefashion.models.batch_norm_folding import fold_batch_norms
from edgefashion.models.branches import Centers, merge_branches
from edgefashion.task import Task
from edgefashion.tensorflow import keras


@dataclass(frozen=True)
class Shape:
    """What sets one of them apart.

    channels, blocks: how many channels, and how many blocks, there are at the size of the image, at half and
        at a quarter of it.
    residual: whether a block adds its input, which takes 200 bytes of an int8 file.
    weighted: whether each place counts as training has it, instead of all alike.
    branches: whether a convolution outside the blocks is trained as the sum of 3x3 and 1x1.
    """

    channels: tuple[int, int, int]
    blocks: tuple[int, int, int] = (0, 1, 1)
    residual: bool = True
    weighted: bool = True
    branches: bool = False


SHAPES = {
    "cnn-16k": Shape((8, 16, 14), (0, 1, 0), residual=False),
    "cnn-64k": Shape((16, 24, 40), weighted=False),
    "cnn-64k-v2": Shape((16, 24, 40), branches=True),
    "cnn-256k": Shape((24, 56, 88), weighted=False),
    "cnn-256k-v2": Shape((16, 40, 64), (1, 2, 2)),
    "cnn-1m": Shape((32, 64, 160), (0, 2, 2), weighted=False),
}
# Of some 430 steps an epoch, the statistics remember the last 20; the average over the weights smoothes them.
BATCH_NORM_MOMENTUM = 0.95
MOST_ROWS = 40
"""Or columns, behind the first convolution and its pooling."""


def build(shape: Shape, task: Task, weights: str | None = None) -> keras.Model:
    """float32 [N, height, width, channels] in [-1, 1] → float32 [N, classes] logits.

    One flat model, as QAT requires. Names are short: a TFLite file has each of them several times.
    """
    tensor = image = keras.Input(task.image_shape, name="image")
    edge = min(task.height, task.width)
    for stage, (channels, blocks) in enumerate(zip(shape.channels, shape.blocks, strict=True), 1):
        halved = stage > 1 or edge > MOST_ROWS
        convolution = _branches if shape.branches else _convolution
        tensor = convolution(tensor, channels, str(stage), strides=2 if halved else 1)
        if stage == 1 and edge > 2 * MOST_ROWS:
            tensor = keras.layers.MaxPooling2D(name="pool1")(tensor)
        for block in range(1, blocks + 1):
            tensor = _block(tensor, f"{stage}{block if block > 1 else ''}", shape.residual)
    features = (_weighted if shape.weighted else keras.layers.GlobalAveragePooling2D(name="pool"))(tensor)
    logits = keras.layers.Dense(len(task.classes), dtype="float32", name="logits")(features)
    return keras.Model(image, logits, name="cnn")


def _convolution(
    tensor: Any, channels: int, name: str, strides: int = 1, rectify: bool = True, edge: int = 3
) -> Any:
    tensor = keras.layers.Conv2D(
        channels,
        edge,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"conv{name}",
    )(tensor)
    tensor = keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"norm{name}")(tensor)
    return keras.layers.ReLU(name=f"relu{name}")(tensor) if rectify else tensor


def _branches(tensor: Any, channels: int, name: str, strides: int) -> Any:
    """3x3 and, at its center, 1x1, each with its normalization; see `merge_branches`."""
    large = _convolution(tensor, channels, name, strides, rectify=False)
    if strides == 2:
        tensor = Centers(name=f"centers{name}")(tensor)
    small = _convolution(tensor, channels, f"{name}center", rectify=False, edge=1)
    return keras.layers.ReLU(name=f"relu{name}")(keras.layers.Add(name=f"both{name}")([large, small]))


def _block(tensor: Any, name: str, residual: bool) -> Any:
    channels = tensor.shape[-1]
    inner = _convolution(tensor, channels, f"{name}a")
    inner = _convolution(inner, channels, f"{name}b", rectify=not residual)
    if not residual:
        return inner
    return keras.layers.ReLU(name=f"relu{name}b")(keras.layers.Add(name=f"add{name}")([tensor, inner]))


def _weighted(tensor: Any) -> Any:
    """A weighted sum over the places, for each channel."""
    height, width, channels = tensor.shape[1:]
    summed = keras.layers.DepthwiseConv2D(
        (height, width),
        use_bias=False,
        depthwise_initializer=keras.initializers.VarianceScaling(2.0 * channels),  # 2 / places
        name="places",
    )(tensor)
    return keras.layers.Flatten(name="pool")(
        keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name="normplaces")(summed)
    )


def architecture(name: str, shape: Shape) -> Architecture:
    """The one of this shape."""
    return Architecture(
        name=name,
        edges=(24, 96),
        normalization=Normalization(scale=1 / 127.5, zero_point=127),
        build=partial(build, shape),
        expand=lambda images: images,
        fold=lambda model, _: merge_branches(fold_batch_norms(model)),
        resize=lambda images: images,
    )


RESIDUAL_CNNS = tuple(architecture(name, shape) for name, shape in SHAPES.items())
