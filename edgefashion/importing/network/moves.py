"""What moves, joins, pads and averages the tensors of a file, by the axes that the file gives them."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from edgefashion.importing.network.layout import Data, placed, reshape
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.picks import pick
from edgefashion.importing.network.plan import Shape, Unsupported


def concatenate(network: Network, every: Sequence[Data], axis: int, name: str) -> Data:
    """Tensors side by side."""
    first = every[0]
    if any(each.order is not None for each in every):
        raise Unsupported("of rows that were flattened")
    inputs = [placed(network, each, first.axes) for each in every]
    return first.with_curve(network.concatenate(inputs, first.axis(axis), name))


def pad(network: Network, data: Data, margins: Mapping[int, tuple[int, int]]) -> Data:
    """Zeros around an image, by axis."""
    ours = {data.axis(axis): margin for axis, margin in margins.items()}
    if data.rank != 4 or any(any(margin) for axis, margin in ours.items() if axis not in (1, 2)):
        raise Unsupported("of other than height and width")
    if min(map(min, ours.values())) < 0:
        raise Unsupported("that cuts")
    return data.with_curve(network.pad(data.curve, (ours.get(1, (0, 0)), ours.get(2, (0, 0)))))


def part(network: Network, data: Data, axis: int, places: Sequence[int], name: str) -> Data:
    """The channels of an image at these places."""
    if data.rank != 4 or data.axis(axis) != 3:
        raise Unsupported("of other than channels")
    return data.with_curve(pick(network, data.curve, np.asarray(places, np.intp), name))


def reduce(network: Network, kind: str, data: Data, axes: Sequence[int], keep: bool, name: str) -> Data:
    """A global pooling, over all of height and width; whether these axes are kept, of length 1."""
    ours = sorted(data.axis(axis) for axis in axes)
    if data.order is not None or data.rank < 3 or ours != list(range(1, data.rank - 1)):
        raise Unsupported("over other than all of height and width")
    shape = network.tensor_of(data.curve).shape
    image = (math.prod(shape[:-1]), 1, shape[-1]) if len(shape) != 3 else shape
    pooled = network.global_pool(kind, network.reshape(data.curve, image), name)
    if keep:
        return data.with_curve(network.reshape(pooled, (*[1] * (len(shape) - 1), shape[-1])))
    return Data(network.reshape(pooled, shape[-1:], f"{name}_flat"), (0, 1))


def resized(network: Network, data: Data, batch: int, rest: Sequence[int], name: str) -> Data:
    """A tensor in the shape [batch, *rest], of which one size may be -1: whatever is left."""
    total, known = math.prod(data.shape), math.prod(edge for edge in rest if edge != -1)
    if not rest or not known or min(rest) < -1 or rest.count(-1) > (batch != -1):
        raise Unsupported("of the batch")
    return reshape(network, data, tuple(total // known if edge == -1 else edge for edge in rest), name)


def flatten(network: Network, data: Data, axis: int, name: str) -> Data:
    """A row of all numbers of a picture."""
    if axis not in (1, 1 - data.rank):
        raise Unsupported("of the batch")
    return reshape(network, data, (math.prod(data.shape),), name)


def squeeze(network: Network, data: Data, axes: Sequence[int], name: str) -> Data:
    """A tensor without axes of length 1: these, or all of them."""
    gone = {axis % data.rank for axis in axes} or {n for n, edge in enumerate(data.shape, 1) if edge == 1}
    kept: Shape = tuple(edge for axis, edge in enumerate(data.shape, 1) if axis not in gone)
    if 0 in gone or not kept:
        raise Unsupported("of the batch")
    return reshape(network, data, kept, name)


def unsqueeze(network: Network, data: Data, axes: Sequence[int], name: str) -> Data:
    """A tensor with more axes of length 1."""
    rank = data.rank + len(axes)
    added = {axis % rank for axis in axes}
    if 0 in added or len(added) != len(axes) or rank > 5:
        raise Unsupported("of the batch")
    edges = iter(data.shape)
    return reshape(network, data, tuple(1 if axis in added else next(edges) for axis in range(1, rank)), name)


def softmax(data: Data, axis: int, log: bool) -> Data:
    """The end of a classifier: its logits, and what the file makes of them."""
    axis %= data.rank
    if not axis or math.prod(data.shape) != data.shape[axis - 1]:
        raise Unsupported("inside the model")
    return data.ending_in("log_softmax" if log else "softmax")
