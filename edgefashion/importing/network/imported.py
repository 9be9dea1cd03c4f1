"""What reading a model file gives, whatever wrote it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgefashion.tensorflow import keras

Format = Literal["Keras 3", "Keras 2", "ONNX", "TFLite", "SavedModel"]
Ending = Literal["softmax", "sigmoid", "logits"]


@dataclass(frozen=True)
class Preprocessing:
    """How a pixel becomes the number a model computes with: pixel * scale + offset.

    Each has one entry, or one a channel, in the order in which the model reads them: blue first where `bgr`
    says so.
    """

    scale: tuple[float, ...]
    offset: tuple[float, ...]
    bgr: bool = False

    def apply(self, pixels: "NDArray[Any]") -> "NDArray[np.float32]":
        """What the model reads of images [N, height, width, channels] in the order of the data, red first."""
        import numpy as np

        turned = pixels[..., ::-1] if self.bgr else pixels
        scale, offset = (np.asarray(each, np.float32) for each in (self.scale, self.offset))
        return turned.astype(np.float32) * scale + offset


@dataclass(frozen=True)
class Imported:
    """A classifier that was read from a file of others.

    model: flat, of the layers of `models.layer_kinds`; float32 [N, height, width, channels] → float32
        [N, outputs] logits. What the file does at the end, `ending`, is not in it, and neither are dropout
        and augmentation; a single sigmoid z has become two logits, -z/2 and z/2.
    preprocessing: what the file itself does with pixels before they are what `model` reads; None where it
        does nothing.
    size: height and width of its images, or None where the file leaves them open: `model` then has those
        that reading was told.
    answers: the outputs of the file's own runtime, as they end in the file, for images float32
        [N, height, width, channels] in the form that `model` reads; None where only the reading can be run.
    notes: what a user is told of the reading, a line each.
    """

    model: "keras.Model"
    format: Format
    ending: Ending
    preprocessing: Preprocessing | None
    size: tuple[int, int] | None
    answers: "Callable[[NDArray[np.float32]], NDArray[Any]] | None"
    notes: tuple[str, ...]
