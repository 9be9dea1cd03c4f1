"""What the trainer and the exporters need to know about every architecture."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgefashion.task import Task
from edgefashion.tensorflow import keras, tf

if TYPE_CHECKING:
    from edgefashion.records.run import CompressedLayer


@dataclass(frozen=True)
class Normalization:
    """How a pixel becomes the number a model computes with: (pixel - zero_point) * scale.

    This is affine dequantization (Jacob et al. 2018, equation 1) of an unsigned byte, so that in an
    int8 model the pixel is its own quantized value and normalizing costs nothing. It is the same for all
    channels. An architecture that wants a scale for each has these factors in `expand`, and in the first
    kernel in `fold`, where they are exact in integers too.
    """

    scale: float
    zero_point: int

    def __call__(self, pixels: Any) -> Any:
        """uint8 tensor of any shape → float32 tensor of the same shape."""
        return (tf.cast(pixels, tf.float32) - float(self.zero_point)) * self.scale

    @property
    def range(self) -> tuple[float, float]:
        """The normalized values of pixel 0 and pixel 255."""
        return -self.zero_point * self.scale, (255 - self.zero_point) * self.scale


@dataclass(frozen=True)
class Architecture:
    """One kind of classifier.

    edges: the shortest and the longest edge of images that it is made for, in pixels.
    build: the untrained Keras model for a task, flat, float32 in, a logit a class out. Its second argument
        names the initial weights, or is None. `Architecture` users read the input shape off the model.
    expand: normalized images, float32 [N, height, width, channels] → the input of that model.
    fold: a trained model and its task → the model that is deployed. `fold(model, task)(resize(images))`
        computes what `model(expand(images))` does, with less work where that is possible.
    resize: normalized images, float32 [N, height, width, channels] → the input of the folded model.
    """

    name: str
    edges: tuple[int, int]
    normalization: Normalization
    build: Callable[[Task, str | None], keras.Model]
    expand: Callable[[Any], Any]
    fold: Callable[[keras.Model, Task], keras.Model]
    resize: Callable[[Any], Any]

    def takes(self, task: Task) -> bool:
        """Whether it is made for images as large as those of a task."""
        shortest, longest = self.edges
        return shortest <= min(task.height, task.width) and max(task.height, task.width) <= longest

    def prepare(self, pixels: Any) -> Any:
        """Raw images, uint8 [N, height, width, channels] → the input of the model."""
        return self.expand(self.normalization(pixels))


class Compression:
    """What is done to the weights of a model while it trains: nothing, where a class does not say more."""

    def wrap(self, model: keras.Model, steps: int) -> keras.Model:
        """The model that is trained, in epochs of `steps` batches, from a plain one, which is used up."""
        return model

    def callbacks(self) -> list[keras.callbacks.Callback]:
        """What the training has to call."""
        return []

    def scope(self) -> Any:
        """A context in which Keras can load such a model."""
        return contextlib.nullcontext()

    def strip(self, model: keras.Model) -> keras.Model:
        """The plain model inside the one that was trained, with its weights."""
        return model

    def check(self, model: keras.Model) -> "dict[str, CompressedLayer] | None":
        """What is in the kernels of the compressed layers of a plain model; None where nothing is compressed.
        Raises VerificationError where that is not what was asked for.
        """
        return None


def with_weights(model: keras.Model, changed: dict[str, list[Any]]) -> keras.Model:
    """A copy of a model with other weights in the layers that `changed` names."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for name, weights in changed.items():
        copy.get_layer(name).set_weights(weights)
    return copy


def unwrapped(layer: keras.layers.Layer) -> keras.layers.Layer:
    """What a wrapper of quantization-aware training is around; any other layer itself."""
    return layer.layer if isinstance(layer, keras.layers.Wrapper) else layer
