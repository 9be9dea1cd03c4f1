"""A task, as it is written into run.json, manifests and model files: see `edgefashion.task`."""

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

LONGEST_EDGE = 1024
"""Of an image, in pixels."""
Edge = Annotated[int, Meta(ge=1, le=LONGEST_EDGE)]
Channels = Literal[1, 3]
Label = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}\Z")]
"""Of one line."""
Color = Annotated[list[Annotated[int, Meta(ge=0, le=255)]], Meta(min_length=1, max_length=3)]


class Picture(TypedDict):
    """How a picture file becomes an image."""

    fit: Literal["crop", "pad", "stretch", "garment"]
    background: Color
    fill: Color


class Task(TypedDict):
    """Images of a shape (height, width, channels) and names of classes."""

    name: Label
    image_shape: tuple[Edge, Edge, Channels]
    classes: Annotated[list[Label], Meta(min_length=2, max_length=1000)]
    picture: Picture
