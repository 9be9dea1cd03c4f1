"""The contract of a classifier: raw pixels in, one logit a class out. Its sizes are those of the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgefashion.errors import ArtifactError

CONTRACT = "uint8 [N, height, width, channels] in and float32 or int8 [N, classes] out"
LOGITS = ("float32", "int8")


class Tensor(NamedTuple):
    """An input or output, as the file says; an open size is None."""

    dtype: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        return f"{self.dtype} [{', '.join('?' if size is None else str(size) for size in self.shape)}]"


@dataclass(frozen=True)
class Classifier:
    """The sizes of a model that keeps the contract."""

    path: Path
    image_shape: tuple[int, ...]
    """Height, width and channels."""
    classes: int

    def check(self, image_shape: tuple[int, ...] | None = None, classes: int | None = None) -> None:
        """Raise ArtifactError where it takes no images of this shape, or knows another number of classes."""
        if image_shape not in (None, self.image_shape):
            raise ArtifactError(
                f"{self.path} takes images of {_sizes(self.image_shape)}, and these are "
                f"{_sizes(image_shape)}: name images of its own data set, or another model"
            )
        if classes not in (None, self.classes):
            raise ArtifactError(
                f"{self.path} gives {self.classes} logits an image, and these images are of {classes} "
                "classes: name images of its own data set, or another model"
            )


def classifier(path: Path, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Classifier:
    """The model file, as a classifier. Raises ArtifactError for one of other inputs or outputs."""
    found = f"{' and '.join(map(str, inputs))} in and {' and '.join(map(str, outputs))} out"
    if len(inputs) != 1 or len(outputs) != 1:
        raise breaks_contract(path, found)
    (images,), (logits,) = inputs, outputs
    batch, *sizes = images.shape or (None,)
    image_shape = tuple(size for size in sizes if size is not None)
    classes = logits.shape[-1] if len(logits.shape) == 2 else None
    if images.dtype != "uint8" or len(sizes) != 3 or len(image_shape) != 3:
        raise breaks_contract(path, found)
    if logits.dtype not in LOGITS or classes is None or classes < 2:
        raise breaks_contract(path, found)
    if batch not in (None, 1):
        raise breaks_contract(path, f"a batch fixed at {batch} images")
    return Classifier(path, image_shape, classes)


def breaks_contract(path: Path, found: str) -> ArtifactError:
    """The error for a model of other inputs or outputs."""
    return ArtifactError(f"{path}: expected {CONTRACT}, found {found}: export it with edgefashion")


def _sizes(shape: Sequence[int] | None) -> str:
    return "x".join(map(str, shape or ()))


class Classifying:
    """What sessions share that give logits in float and know what they classify, their `_classifier`."""

    @property
    def _classifier(self) -> Classifier:
        raise NotImplementedError

    def check(self, image_shape: tuple[int, ...] | None = None, classes: int | None = None) -> None:
        """See `base.Session.check`."""
        self._classifier.check(image_shape, classes)

    def logits(self, output: NDArray[Any]) -> NDArray[np.float32]:
        """See `base.Session.logits`."""
        return output
