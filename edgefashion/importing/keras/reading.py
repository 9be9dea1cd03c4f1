"""A Keras model while it is read, and what its activations are."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgefashion.importing.keras.graph import Layer
from edgefashion.importing.network import moves
from edgefashion.importing.network.arithmetic import function
from edgefashion.importing.network.curves import Curve, line
from edgefashion.importing.network.given import Refused
from edgefashion.importing.network.imported import Format
from edgefashion.importing.network.layout import CHANNELS_LAST, Data, placed
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.plan import AFFINE, Array, Unsupported


@dataclass(frozen=True)
class Plane:
    """One channel of the image."""

    image: Data
    channel: int


Value = Data | Plane | None
"""What a call gives; nothing where it cannot be taken over."""


@dataclass
class Reading:
    """The network so far, and what there is to say of it.

    left_out: kinds of layers that do nothing at inference, in their order.
    bgr: whether the channels of the image were turned round.
    """

    network: Network
    format: Format
    values: list[Value] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left_out: dict[str, None] = field(default_factory=dict)
    bgr: bool = False

    def is_image(self, data: Data) -> bool:
        """Whether nothing but scales and offsets were done to it."""
        tensor = data.curve.base
        while tensor.maker is not None and tensor.maker.kind == AFFINE:
            (tensor,) = tensor.maker.read
        return tensor is self.network.image and line(data.curve) is not None

    def turned(self, data: Data) -> Data:
        """An image with its channels in the opposite order, the scales and offsets so far too."""
        if not self.is_image(data) or any(layer.kind != AFFINE for layer in self.network.layers):
            raise Unsupported("of channels inside the model")
        for layer in self.network.layers:
            layer.weights = [each[::-1] for each in layer.weights]
        self.values[:] = [Plane(data, -1)] * len(self.values)  # nothing may read it as it was any more
        self.bgr = not self.bgr
        return data


def image(reading: Reading, data: Data) -> Curve:
    """A tensor that has to be an image."""
    if data.rank != 4:
        raise Unsupported(f"of {data.rank} axes")
    return placed(reading.network, data, CHANNELS_LAST)


def activated(reading: Reading, activation: str, data: Data, name: str) -> Data:
    """What an activation that Keras calls so makes of a tensor."""
    if activation == "linear":
        return data
    if activation == "softmax":
        return moves.softmax(data, -1, log=False)
    if activation == "hard_sigmoid":
        slope = 1 / 6 if reading.format == "Keras 3" else 0.2
        return function(data, "hard_sigmoid", (slope, 0.5), name)
    if activation not in _CURVES:
        raise Unsupported(f"with the activation {activation[:60]}")
    kind, numbers = _CURVES[activation]
    return function(data, kind, numbers, name)


_CURVES: dict[str, tuple[str, tuple[float, ...]]] = {
    "relu": ("clip", (0.0, math.inf)),
    "relu6": ("clip", (0.0, 6.0)),
    "leaky_relu": ("leaky", (0.2,)),
    "elu": ("elu", (1.0,)),
    "hard_swish": ("hard_swish", ()),
    "hard_silu": ("hard_swish", ()),
    "silu": ("swish", ()),
    **{name: (name, ()) for name in ("swish", "sigmoid", "tanh", "softplus", "gelu")},
}


def one(read: Sequence[Any]) -> Data:
    """The only input of a layer. Raises Unsupported where it is not a tensor."""
    if len(read) != 1 or not isinstance(read[0], Data):
        raise Unsupported("of other than one tensor")
    return read[0]


Draw = Callable[[Reading, Layer, Sequence[Any], list[Array]], Data | Plane]
"""What a layer or operator makes of what it reads, tensors and numbers, with its weights."""


def constant(found: Any) -> Array:
    """A number or an array in a configuration."""
    if isinstance(found, dict):
        found = found["config"]["value"]
    array = np.asarray(found, np.float64)
    if not np.isfinite(array).all():
        raise Refused("has a constant that is not finite")
    return array
