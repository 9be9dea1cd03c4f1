"""The custom CNN: convolutions with pooling, as many as the image is large, and two dense layers.

A Fashion-MNIST image has two, which leave 5x5 places. These are flattened, and how many there are decides how
many parameters the first dense layer has: a 96x96 image would leave 22x22, for 4 million. So convolutions
with pooling are added until 7x7 places or fewer are left.
"""

from edgefashion.models.architecture import Architecture, Normalization
from edgefashion.task import Task
from edgefashion.tensorflow import keras

MOST_PLACES = 49
"""That are flattened, where the image is not too narrow for another convolution."""
SMALLEST = 4
"""The shortest edge that a convolution of 3x3 and pooling leave anything of."""


def build(task: Task, weights: str | None = None) -> keras.Model:
    """float32 [N, height, width, channels] in [0, 1] → float32 [N, classes] logits; 225,034 parameters for
    Fashion-MNIST.
    """
    model = keras.Sequential([keras.layers.Input(task.image_shape, name="image")], name="cnn")
    for number in range(1, pairs(task.height, task.width) + 1):
        channels = 32 if number == 1 else 64
        model.add(keras.layers.Conv2D(channels, 3, activation="relu", name=f"conv{number}"))
        model.add(keras.layers.MaxPooling2D(name=f"pool{number}"))
    model.add(keras.layers.Flatten(name="flatten"))
    model.add(keras.layers.Dense(128, activation="relu", name="dense"))
    model.add(keras.layers.Dense(len(task.classes), dtype="float32", name="logits"))
    return model


def pairs(height: int, width: int) -> int:
    """How many convolutions with pooling there are: two, and those that larger images need."""
    number = 0
    while number < 2 or (height * width > MOST_PLACES and min(height, width) >= SMALLEST):
        height, width, number = (height - 2) // 2, (width - 2) // 2, number + 1
    return number


CNN = Architecture(
    name="cnn",
    edges=(10, 1024),
    normalization=Normalization(scale=1 / 255, zero_point=0),
    build=build,
    expand=lambda images: images,
    fold=lambda model, _: model,
    resize=lambda images: images,
)
