"""Where the axes of an `.onnx` file's tensors are in ours, whose channels are last.

A file has its channels where it likes, and moves them about: for most of it that is a matter of what an axis
is called, and no number is moved here.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edgefashion.importing.network.curves import Curve
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.picks import pick
from edgefashion.importing.network.plan import Shape, Unsupported

Axes = tuple[int, ...]
CHANNELS_FIRST: Axes = (0, 3, 1, 2)
CHANNELS_LAST: Axes = (0, 1, 2, 3)


@dataclass(frozen=True)
class Data:
    """A tensor of the file.

    axes: where its axes are in the curve's tensor, the batch being 0.
    order: of a flattened one, which number of the file's row stands at each place of ours; None where they
        are the same.
    ending: what the file makes of the logits that it is: "softmax"; None where it is just a tensor.
    """

    curve: Curve
    axes: Axes
    order: npt.NDArray[np.int64] | None = None
    ending: str | None = None

    @property
    def shape(self) -> Shape:
        """As in the file, without the batch."""
        return tuple(self.curve.base.shape[axis - 1] for axis in self.axes[1:])

    @property
    def rank(self) -> int:
        """The number of its axes, with the batch."""
        return len(self.axes)

    def axis(self, number: int) -> int:
        """Where its axis `number` is in ours. Raises ValueError where it has none such."""
        if not -self.rank <= number < self.rank:
            raise ValueError(f"an operator names axis {number} of {self.rank}")
        return self.axes[number]

    def with_curve(self, curve: Curve) -> "Data":
        """Another tensor in the same order."""
        return replace(self, curve=curve)

    def ending_in(self, ending: str) -> "Data":
        """The logits that the file makes this of."""
        return replace(self, ending=ending)


def transpose(data: Data, order: Axes) -> Data:
    """The axes in another order."""
    order = order or tuple(range(data.rank))[::-1]
    if sorted(order) != list(range(data.rank)):
        raise ValueError("a Transpose is of other axes than its input has")
    if order[0] != 0 or data.order is not None:
        raise Unsupported("of the batch, or of a row")
    return replace(data, axes=tuple(data.axes[axis] for axis in order))


def placed(network: Network, data: Data, axes: Axes) -> Curve:
    """The same tensor with its axes in these places, where that moves no number."""
    if data.axes == axes:
        return data.curve
    if (
        len(data.axes) != len(axes)
        or data.order is not None
        or _long(data.shape, data.axes) != _long(data.shape, axes)
    ):
        raise Unsupported("of axes in another order")
    return network.reshape(data.curve, _stored(data.shape, axes))


def reshape(network: Network, data: Data, shape: Shape, name: str = "") -> Data:
    """The numbers of the file's tensor, in its order, in another shape, both without the batch."""
    if data.order is not None:
        if shape == data.shape:
            return data
        raise Unsupported("of a row that was flattened")
    if int(np.prod(shape)) != int(np.prod(data.shape)):
        raise Unsupported("to another number of values")
    if len(shape) == 1:
        flat = network.reshape(data.curve, shape, name)
        order = np.arange(shape[0]).reshape(data.shape).transpose(np.argsort(data.axes[1:])).ravel()
        same = bool((order == np.arange(shape[0])).all())
        return replace(data, curve=flat, axes=(0, 1), order=None if same else order)
    for axes in _candidates(data, shape):
        places = _kept(data, shape)
        if places is not None and _long(shape, axes) == [
            new for new, _ in sorted(places, key=lambda each: each[1])
        ]:
            return replace(data, curve=network.reshape(data.curve, _stored(shape, axes), name), axes=axes)
    if shuffled := _shuffled(network, data, shape, name):
        return shuffled
    raise Unsupported("to axes in another order")


def _shuffled(network: Network, data: Data, shape: Shape, name: str) -> Data | None:
    """An image with its channels in another order, of one whose channels are several axes; else None."""
    if data.rank < 5:
        return None
    inner = [axis for axis in data.axes if axis > 2]
    height, width, *sizes = data.curve.base.shape
    places = {CHANNELS_FIRST: (0, *inner, 1, 2), CHANNELS_LAST: (0, 1, 2, *inner)}
    for axes, found in places.items():
        image = (height, width, math.prod(sizes))
        if data.axes == found and shape == tuple(image[axis - 1] for axis in axes[1:]):
            order = np.arange(image[2]).reshape(sizes).transpose([axis - 3 for axis in inner]).ravel()
            return Data(pick(network, network.reshape(data.curve, image), order, name), axes)
    return None


def _candidates(data: Data, shape: Shape) -> list[Axes]:
    """Where the axes may go, the better ones first: with channels, not edges of length 1, last."""
    identity = tuple(range(len(shape) + 1))
    last = (0, len(shape), *range(1, len(shape)))
    split = (0, *range(3, len(shape) + 1), 1, 2)  # channels in several axes
    every = dict.fromkeys((data.axes, last, identity, split))
    found = [axes for axes in every if len(axes) == len(identity)]
    return sorted(found, key=lambda axes: _stored(shape, axes)[-1] == 1)


def _kept(data: Data, shape: Shape) -> list[tuple[int, tuple[int, int]]] | None:
    """For each new axis longer than 1 where its numbers come from in ours, to compare with others; None where
    axes are joined that do not lie beside each other.
    """
    places = []
    olds = [(edge, data.axes[axis + 1]) for axis, edge in enumerate(data.shape) if edge > 1]
    news = [(edge, axis + 1) for axis, edge in enumerate(shape) if edge > 1]
    long = _long(data.shape, data.axes)
    ranks = {data.axes[axis]: rank for rank, axis in enumerate(long)}
    while olds and news:
        old, new = [olds.pop(0)], [news.pop(0)]
        while (left := _product(old)) != (right := _product(new)):
            if not (olds if left < right else news):
                return None
            (old if left < right else new).append((olds if left < right else news).pop(0))
        found = [ranks[axis] for _, axis in old]
        if found != list(range(found[0], found[0] + len(found))):
            return None
        places += [(axis, (found[0], number)) for number, (_, axis) in enumerate(new)]
    return places


def _product(parts: list[tuple[int, int]]) -> int:
    return int(np.prod([edge for edge, _ in parts]))


def _long(shape: Shape, axes: Axes) -> list[int]:
    """The axes of a shape that are longer than 1, in the order in which they are stored."""
    return [axis for axis in sorted(range(1, len(axes)), key=axes.__getitem__) if shape[axis - 1] > 1]


def _stored(shape: Shape, axes: Axes) -> Shape:
    return tuple(shape[axis - 1] for axis in sorted(range(1, len(axes)), key=axes.__getitem__))
