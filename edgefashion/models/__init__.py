"""The architectures by name. Importing this package opens TensorFlow."""

from collections.abc import Callable
from typing import Any

from edgefashion.errors import BadInput
from edgefashion.errors.wording import setting
from edgefashion.models.architecture import Architecture, Compression, Normalization
from edgefashion.models.cnn import CNN
from edgefashion.models.mobilenetv2 import MOBILENETV2, of_width
from edgefashion.models.residual import RESIDUAL_CNNS
from edgefashion.task import Task

ARCHITECTURES = {architecture.name: architecture for architecture in (CNN, *RESIDUAL_CNNS, MOBILENETV2)}


def architecture(name: str, width: float = 1.0) -> Architecture:
    """The architecture called `name`; a `width` other than 1 is for MobileNetV2 alone."""
    return of_width(width) if name == MOBILENETV2.name else ARCHITECTURES[name]


def resize_of(name: str) -> Callable[[Any], Any]:
    """What makes normalized images of a task the input of the folded model of an architecture, without the
    rounding of quantization-aware training; an imported model reads them as they are.
    """
    known = ARCHITECTURES.get(name)
    return known.resize if known else lambda images: images


def check_size(architecture: Architecture, task: Task) -> None:
    """Raise BadInput where it is not made for images as large as those of the task, with those that are."""
    if architecture.takes(task):
        return
    shortest, longest = architecture.edges
    fitting = " or ".join(other.name for other in ARCHITECTURES.values() if other.takes(task))
    raise BadInput(
        f"{architecture.name} takes images with edges of {shortest} to {longest} pixels, and those of "
        f"{task.name} are {task.height}x{task.width}: "
        + (f"choose {fitting}, or " if fitting else "give ")
        + f"another {setting('--size')}"
    )


__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Compression",
    "Normalization",
    "architecture",
    "check_size",
    "resize_of",
]
