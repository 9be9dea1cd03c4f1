"""A model while it is read: what each call of its file comes to in the flat model that is drawn.

Scales and offsets are carried along as numbers for as long as nothing else happens. Those of the image become
its preprocessing, those of any other tensor a batch normalization, which is folded later; steps that amount
to a known activation become that.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgefashion.errors import BadInput
from edgefashion.importing.imported import Ending, Format, Preprocessing
from edgefashion.models.imported import Drawing

Array = NDArray[np.float32]
Shape = tuple[int | None, ...]
_EPSILON = 1e-3


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of the drawing, or the image where there is none, times a scale plus an offset, each of one
    number or one a channel. `shape` is without the batch; edges of an image may be open.

    bgr: the channels of the image are read in their opposite order.
    """

    shape: Shape
    tensor: Any = None
    scale: Array = field(default_factory=lambda: np.ones(1, np.float32))
    offset: Array = field(default_factory=lambda: np.zeros(1, np.float32))
    bgr: bool = False

    def scaled(self, scale: Any, offset: Any = 0.0) -> "Value":
        """Times `scale` plus `offset`. Raises BadInput for those of something else than channels."""
        scale, offset = (self._of_channels(each) for each in (scale, offset))
        return replace(self, scale=self.scale * scale, offset=self.offset * scale + offset)

    def _of_channels(self, constant: Any) -> Array:
        array = np.asarray(constant, np.float32)
        if array.size > 1 and (array.size != array.shape[-1] or array.size != self.shape[-1]):
            raise BadInput(
                f"it computes with a constant of the shape {array.shape}, which is not a channel's"
            )
        return array.reshape(-1)

    def reversed(self) -> "Value":
        """An image with its channels in the opposite order."""
        return replace(self, scale=self.scale[::-1], offset=self.offset[::-1], bgr=not self.bgr)

    @property
    def is_image(self) -> bool:
        """Whether nothing but scales and offsets came before."""
        return self.tensor is None

    @property
    def plain(self) -> bool:
        """Whether there is nothing to scale."""
        return bool((self.scale == 1).all() and (self.offset == 0).all())


@dataclass(frozen=True)
class Plane:
    """One channel of an image."""

    image: Value
    channel: int


@dataclass(frozen=True)
class Ended:
    """The softmax or sigmoid of a value, which nothing has read yet."""

    ending: Ending
    logits: Value


class Tracing:
    """The drawing, which begins when something reads the image, and what there is to say of it.

    size: of images whose edges the file leaves open.
    at_most: how many weights there may be.
    """

    def __init__(self, format: Format, size: tuple[int, int] | None, at_most: int) -> None:
        self.format, self._size, self._at_most = format, size, at_most
        self.drawing: Drawing | None = None
        self.image: Value | None = None
        """As it was first read."""
        self.notes: list[str] = []
        self.left_out: dict[str, None] = {}
        """Kinds of layers that do nothing here, in their order."""
        self._origins: dict[int, tuple[str, Any]] = {}
        """What a tensor is, by its identity, and of which other one."""
        self._kept: list[Any] = []

    def draw(
        self,
        kind: str,
        read: Value | Sequence[Value],
        config: Mapping[str, Any] | None = None,
        weights: Sequence[Array] = (),
        name: str = "",
    ) -> Value:
        """What a layer of the flat model gives, see `Drawing.draw`."""
        several = not isinstance(read, Value)
        tensors = [self.tensor(each) for each in (read if isinstance(read, Sequence) else [read])]
        return self._drawn(kind, tensors if several else tensors[0], config, weights, name)

    def _drawn(self, kind: str, read: Any, config: Any = None, weights: Any = (), name: str = "") -> Value:
        assert self.drawing is not None
        made = self.drawing.draw(kind, read, config, weights, name)
        return self.value(made)

    def value(self, tensor: Any) -> Value:
        """A tensor of the drawing as a value."""
        return Value(tuple(tensor.shape[1:]), tensor)

    def note_origin(self, value: Value, what: str, of: Any) -> Value:
        """Remember that a value is `what` of a tensor, for `is_origin`."""
        self._origins[id(value.tensor)] = (what, of)
        self._kept += [value.tensor, of]  # an identity is one for as long as its object lives
        return value

    def origin(self, tensor: Any, what: str) -> Any:
        """The tensor that another one is `what` of, or None."""
        found, of = self._origins.get(id(tensor), ("", None))
        return of if found == what else None

    def tensor(self, value: Any) -> Any:
        """The tensor of the drawing that has a value: what was only carried along is drawn."""
        if isinstance(value, Ended):
            if value.ending == "softmax":
                raise BadInput("it has a softmax before its end, which cannot be computed in integers")
            return self._drawn("Activation", self.tensor(value.logits), {"activation": "sigmoid"}).tensor
        if not isinstance(value, Value):
            raise BadInput("it computes with single channels of its image")
        if value.is_image:
            return self._read_image(value)
        if value.plain:
            return value.tensor
        known = self._known(value)
        return self._normalized(value.tensor, value.scale, value.offset) if known is None else known

    def _known(self, value: Value) -> Any:
        """The activation that a sixth of some tensors is."""
        if not (np.allclose(value.scale, 1 / 6, rtol=1e-5) and (value.offset == 0).all()):
            return None
        for what, kind in (("relu6(x + 3)", "HardSigmoid"), ("x * relu6(x + 3)", "HardSwish")):
            if (read := self.origin(value.tensor, what)) is not None:
                return self.note_origin(self._drawn(kind, read), kind, read).tensor
        return None

    def _normalized(self, tensor: Any, scale: Array, offset: Array) -> Any:
        channels = np.ones(tensor.shape[-1], np.float32)
        weights = [channels * scale, channels * offset, 0 * channels, channels * (1 - _EPSILON)]
        made = self._drawn("BatchNormalization", tensor, {"epsilon": _EPSILON}, weights, "scale")
        if (scale == 1).all() and (offset == 3).all():
            self.note_origin(made, "x + 3", tensor)
        return made.tensor

    def _read_image(self, value: Value) -> Any:
        if self.drawing is None:
            self.image = value
            self.drawing = Drawing(self._image_shape(value.shape), "image", self._at_most)
        first, image = self.image, self.drawing.image
        assert first is not None
        if (first.bgr, first.shape[:2]) != (value.bgr, value.shape[:2]):
            raise BadInput("it reads its image twice, in another size or order of channels")
        scale = value.scale / first.scale
        offset = value.offset - first.offset * scale
        if not ((scale == 1).all() and (offset == 0).all()):
            image = self._normalized(image, scale, offset)
        if len(value.shape) == 3:
            return image
        return self._drawn("Reshape", image, {"target_shape": tuple(image.shape[1:3])}).tensor

    def _image_shape(self, shape: Shape) -> tuple[int, int, int]:
        height, width, *channels = shape
        if self._size is not None:
            height, width = height or self._size[0], width or self._size[1]
        if height is None or width is None:
            raise BadInput("it leaves the height and width of its images open: name them")
        return height, width, (channels[0] or 0) if channels else 1

    @property
    def fixed_size(self) -> tuple[int, int] | None:
        """Height and width that images have to have; None where the file leaves one open."""
        assert self.image is not None
        height, width = self.image.shape[:2]
        return None if height is None or width is None else (height, width)

    def preprocessing(self) -> Preprocessing | None:
        """What the file does with pixels before anything else."""
        image = self.image
        if image is None or (image.plain and not image.bgr):
            return None
        scale, offset = (
            tuple(map(float, each if np.ptp(each) else each[:1])) for each in (image.scale, image.offset)
        )
        if not all(scale) or not all(map(math.isfinite, (*scale, *offset))):
            raise BadInput("it multiplies its image by 0, or by what is no number")
        return Preprocessing(scale, offset, image.bgr)

    def two_logits(self, value: Value) -> Value:
        """-z/2 and z/2 of a single logit z: their softmax is its sigmoid."""
        tensor = self.tensor(value)
        last = tensor.node.layer
        signs = np.asarray([[-0.5, 0.5]], np.float32)
        if type(last).__name__ == "Dense" and last.get_config()["activation"] == "linear":
            kernel, *bias = last.get_weights()
            weights = [kernel @ signs, *(each * signs[0] for each in bias)]
            config = {"units": 2, "use_bias": bool(bias)}
            return self._drawn("Dense", last.input, config, weights, last.name)
        return self._drawn("Dense", tensor, {"units": 2, "use_bias": False}, [signs], "logits")
