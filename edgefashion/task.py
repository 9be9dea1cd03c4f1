"""What a classifier is for: the one record that travels from the data set to the device."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from edgefashion.errors import BadInput
from edgefashion.files import reading

Fit = Literal["crop", "pad", "stretch", "garment"]
Labels = npt.NDArray[np.unsignedinteger[Any]]
"""Positions in the classes of a task, of its `label_dtype`."""


@dataclass(frozen=True)
class Picture:
    """How a picture file becomes an image of a task; colors are of as many values, 0 to 255, as channels.

    fit: `crop` keeps the middle, `pad` adds margins, `stretch` keeps all and not the aspect; `garment` is how
        Fashion-MNIST's own images were made, see `pictures.garment`; gray.
    background: the color that is seen through where the picture is transparent.
    fill: the color of margins, and of what augmentation moves into an image.
    """

    fit: Fit
    background: tuple[int, ...]
    fill: tuple[int, ...]


@dataclass(frozen=True)
class Task:
    """What goes in and what comes out: images uint8 [N, height, width, channels], and a class each."""

    name: str
    image_shape: tuple[int, int, int]
    """Height, width and channels: 1 (gray) or 3 (RGB)."""
    classes: tuple[str, ...]
    """Names, in the order of the logits."""
    picture: Picture

    @property
    def height(self) -> int:
        """Rows of an image."""
        return self.image_shape[0]

    @property
    def width(self) -> int:
        """Columns of an image."""
        return self.image_shape[1]

    @property
    def channels(self) -> int:
        """1 for gray, 3 for RGB."""
        return self.image_shape[2]

    @property
    def pixels(self) -> int:
        """Values of an image."""
        return math.prod(self.image_shape)

    @property
    def label_dtype(self) -> "np.dtype[Any]":
        """The smallest unsigned type that has room for every label."""
        return np.min_scalar_type(len(self.classes) - 1)

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON has it: with lists where tuples are."""
        picture = {name: _listed(value) for name, value in asdict(self.picture).items()}
        own = {name: _listed(value) for name, value in vars(self).items()}
        return {**own, "picture": picture}

    @classmethod
    def from_dict(cls, content: Any, where: str, error: type[BadInput]) -> Self:
        """The task that `to_dict` wrote; `where` names the file. Raises `error` for anything else."""
        from edgefashion.records.task import Task as Record

        reading.check(content, Record, where, "a task of edgefashion", error)
        shape, classes, picture = content["image_shape"], tuple(content["classes"]), content["picture"]
        background, fill = tuple(picture["background"]), tuple(picture["fill"])
        if len(set(classes)) < len(classes):
            raise error(f"{where} has two classes of one name: give each a name of its own")
        if not len(background) == len(fill) == shape[2]:
            raise error(
                f"{where} has images of {shape[2]} channels and colors of {len(background)} and {len(fill)}: "
                "give a color a value for each channel"
            )
        if picture["fit"] == "garment" and shape[2] != 1:
            raise error(f"{where} has images in color, and garment makes gray ones: use crop, pad or stretch")
        return cls(content["name"], tuple(shape), classes, Picture(picture["fit"], background, fill))


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
