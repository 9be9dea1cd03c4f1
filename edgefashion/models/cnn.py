"""The custom CNN: two convolutions and two dense layers, trained from scratch."""

from edgefashion.models.architecture import Architecture, Normalization
from edgefashion.task import Task
from edgefashion.tensorflow import keras


def build(task: Task, weights: str | None = None) -> keras.Model:
    """float32 [N, height, width, channels] in [0, 1] → float32 [N, classes] logits; 225,034 parameters for
    Fashion-MNIST.
    """
    return keras.Sequential(
        [
            keras.layers.Input(task.image_shape, name="image"),
            keras.layers.Conv2D(32, 3, activation="relu", name="conv1"),
            keras.layers.MaxPooling2D(name="pool1"),
            keras.layers.Conv2D(64, 3, activation="relu", name="conv2"),
            keras.layers.MaxPooling2D(name="pool2"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(128, activation="relu", name="dense"),
            keras.layers.Dense(len(task.classes), dtype="float32", name="logits"),
        ],
        name="cnn",
    )


CNN = Architecture(
    name="cnn",
    edges=(10, 1024),
    normalization=Normalization(scale=1 / 255, zero_point=0),
    build=build,
    expand=lambda images: images,
    fold=lambda model, _: model,
    resize=lambda images: images,
)
