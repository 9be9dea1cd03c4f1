"""What a classifier is for: the one record that travels from the data set to the device."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt

from edgefashion.errors import BadInput
from edgefashion.files import reading

if TYPE_CHECKING:
    from edgefashion.records.task import Task as Record

Fit = Literal["crop", "pad", "stretch", "garment"]
Background = tuple[int, ...] | Literal["none"]
Labels = npt.NDArray[np.unsignedinteger[Any]]
"""Positions in the classes of a task, of its `label_dtype`."""


@dataclass(frozen=True)
class Picture:
    """How a picture file becomes an image of a task; colors are of as many values, 0 to 255, as channels.

    fit: `crop` keeps the middle, `pad` adds margins, `stretch` keeps all and not the aspect; `garment` is how
        Fashion-MNIST's own images were made, see `pictures.garment`; gray.
    background: the color that is seen through where the picture is transparent; "none" where transparency is
        left out, and one sees the colors that are kept under it, as Pillow's `convert("RGB")` does.
    fill: the color of margins, and of what augmentation moves into an image.
    """

    fit: Fit
    background: Background
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
    def made(self) -> str:
        """How a picture becomes an image, in words: `64x64, RGB, crop`; a background only if not white."""
        color, behind = "gray" if self.channels == 1 else "RGB", self.picture.background
        words = f"{self.height}x{self.width}, {color}, {self.picture.fit}"
        if behind == (255,) * self.channels:
            return words
        shown = behind if behind == "none" else "#" + "".join(f"{value:02x}" for value in behind)
        return f"{words}, background {shown}"

    @property
    def label_dtype(self) -> "np.dtype[Any]":
        """The smallest unsigned type that has room for every label."""
        return np.min_scalar_type(len(self.classes) - 1)

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON has it: with lists where tuples are."""
        return self.to_record().to_dict()

    def to_record(self) -> "Record":
        """All of it, as it is written into files."""
        from edgefashion.records import task as records

        picture = records.Picture(**vars(self.picture))
        return records.Task(**{**vars(self), "picture": picture})

    @classmethod
    def from_dict(cls, content: Any, where: str, error: type[BadInput]) -> Self:
        """The task that `to_dict` or `to_record` made; `where` names the file. Raises `error` for anything
        else.
        """
        from edgefashion.records.task import Task as Record

        found: Record = reading.converted(content, Record, where, "a task of edgefashion", error)
        shape = found.image_shape
        picture = Picture(found.picture.fit, found.picture.background, found.picture.fill)
        if len(set(found.classes)) < len(found.classes):
            raise error(f"{where} has two classes of one name: give each a name of its own")
        sizes = [len(each) for each in (picture.background, picture.fill) if each != "none"]
        if set(sizes) != {shape[2]}:
            raise error(
                f"{where} has images of {shape[2]} channels and colors of {' and '.join(map(str, sizes))}: "
                "give a color a value for each channel"
            )
        if picture.fit == "garment" and shape[2] != 1:
            raise error(f"{where} has images in color, and garment makes gray ones: use crop, pad or stretch")
        return cls(found.name, shape, found.classes, picture)
