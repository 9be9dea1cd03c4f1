"""A task, as it is written into run.json, manifests and model files: see `edgefashion.task`."""

from typing import Annotated, Literal

from msgspec import Meta

from edgefashion.records.values import Record

LONGEST_EDGE = 1024
"""Of an image, in pixels."""
Edge = Annotated[int, Meta(ge=1, le=LONGEST_EDGE)]
Channels = Literal[1, 3]
Label = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}\Z")]
"""Of one line."""
Color = Annotated[tuple[Annotated[int, Meta(ge=0, le=255)], ...], Meta(min_length=1, max_length=3)]


class Picture(Record, frozen=True, kw_only=True):
    """How a picture file becomes an image."""

    fit: Literal["crop", "pad", "stretch", "garment"]
    background: Color | Literal["none"]
    fill: Color


class Task(Record, frozen=True, kw_only=True):
    """Images of a shape (height, width, channels) and names of classes."""

    name: Label
    image_shape: tuple[Edge, Edge, Channels]
    classes: Annotated[tuple[Label, ...], Meta(min_length=2, max_length=1000)]
    picture: Picture
