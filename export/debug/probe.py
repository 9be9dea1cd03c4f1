"""What both formats share when an int8 model is asked what its layers give."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edgefashion.errors import ArtifactError
from edgefashion.export.graph.fused_layers import Step
from edgefashion.runtimes.base import Images

Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """The numbers that an integer tensor can hold: (integer - zero_point) * scale; of float32, any."""

    scale: float
    zero_point: int
    dtype: npt.DTypeLike

    def values(self, integers: npt.NDArray[Any]) -> Values:
        """The numbers that integers of any shape stand for."""
        return (integers.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)

    def nearest(self, values: Values) -> Values:
        """The numbers of the grid nearest to `values`, of any shape."""
        if self.dtype == np.float32:
            return values
        limits = np.iinfo(np.dtype(self.dtype))
        integers = np.rint(values / np.float32(self.scale)) + self.zero_point
        return self.values(np.clip(integers, limits.min, limits.max))


class Probe(Protocol):
    """An int8 model that gives the outputs of its steps, but for those that a converter fused."""

    @property
    def grids(self) -> Mapping[str, Grid]:
        """Of the output of each step that it gives, by its name."""
        ...

    def __call__(self, images: Images) -> dict[str, Values]:
        """The output of each, as the numbers its integers stand for: float32 [N, ...], channels last."""
        ...


def check_found(path: Path, found: Collection[str], steps: Sequence[Step]) -> None:
    """Raise ArtifactError where no step but the last was found: then it is the file of another model."""
    names = [step.name for step in steps[:-1]]
    if names and not set(names) & set(found):
        raise ArtifactError(
            f"{path} does not have an integer tensor for any of the layers {', '.join(names)}: "
            "export it again"
        )


def reshape_to(path: Path, step: Step, values: Values) -> Values:
    """`values` [N, ...] in the shape of the step's output; only axes of length 1 may differ.

    Raises ArtifactError for another shape.
    """
    values = unblock(values, step.shape)
    wanted = (len(values), *step.shape)
    if [n for n in values.shape[1:] if n > 1] != [n for n in step.shape if n > 1]:
        raise ArtifactError(
            f"the layer {step.name} gives {list(values.shape[1:])} in {path} and {list(step.shape)} in the "
            "Keras model: export it again"
        )
    return values.reshape(wanted)


def unblock(values: Values, shape: tuple[int, ...]) -> Values:
    """What `onnx.blocked_convolution` and `tflite.space_to_depth` compute in blocks, [N, height / rows,
    width / columns, rows * columns * channels], as [N, height, width, channels], which is `shape`; all else
    as it is.
    """
    if values.ndim != 4 or len(shape) != 3 or shape[0] % values.shape[1] or shape[1] % values.shape[2]:
        return values
    rows, columns = shape[0] // values.shape[1], shape[1] // values.shape[2]
    if rows * columns * shape[2] != values.shape[3]:
        return values
    blocks = values.reshape(*values.shape[:3], rows, columns, shape[2])
    return blocks.transpose(0, 1, 3, 2, 4, 5).reshape(-1, *shape)
