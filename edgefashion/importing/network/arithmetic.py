"""Functions of one number, and sums and products of two tensors, or of one and a constant."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edgefashion.importing.network import curves
from edgefashion.importing.network.layout import Data, placed
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.operands import Read, data_of, needed
from edgefashion.importing.network.plan import Array, Unsupported


def function(data: Data, kind: str, numbers: tuple[float, ...] = (), name: str = "") -> Data:
    """A function of `curves` of each number of a tensor."""
    return data.with_curve(curves.apply(kind, data.curve, numbers=numbers, name=name))


def combined(network: Network, kind: str, read: Read, name: str) -> Data:
    """`add`, `subtract`, `multiply`, `divide`, `Maximum` or `Minimum` of two."""
    if len(read) != 2 or any(each is None for each in read):
        raise ValueError("an operator has other than two inputs")
    left, right = read
    if isinstance(left, Data) and isinstance(right, Data):
        return _of_two(network, kind, left, right, name)
    data = left if isinstance(left, Data) else data_of(read, 1)
    constant = a_channel(data, needed(read, 1 if isinstance(left, Data) else 0).astype(np.float64))
    if kind in _LIMITS and constant.size == 1:
        return function(data, "clip", _LIMITS[kind](float(constant)), name)
    scale, shift = _as_affine(kind, constant, first=isinstance(left, Data))
    return data.with_curve(network.scaled(data.curve, scale, shift, name))


_LIMITS: dict[str, Callable[[float], tuple[float, float]]] = {
    "Maximum": lambda low: (low, math.inf),
    "Minimum": lambda high: (-math.inf, high),
}


def _of_two(network: Network, kind: str, left: Data, right: Data, name: str) -> Data:
    if (left.order is None) != (right.order is None) or (
        left.order is not None and right.order is not None and not np.array_equal(left.order, right.order)
    ):
        raise Unsupported("of rows in different orders")
    if left.rank == 4 and math.prod(left.shape) < math.prod(right.shape):
        second = replace(right)
        first = second.with_curve(placed(network, left, right.axes))
    else:
        first = replace(left)
        second = first.with_curve(
            right.curve if right.axes == left.axes else placed(network, right, left.axes)
        )
    if kind == "divide":
        raise Unsupported("of two tensors")
    if kind in ("Maximum", "Minimum"):
        return first.with_curve(network.maximum(kind, first.curve, second.curve, name))
    return first.with_curve(network.combine(kind, first.curve, second.curve, name))


def _as_affine(kind: str, constant: Array, first: bool) -> tuple[Array, Array]:
    """Scale and shift that an operator with a constant is; whether the tensor comes `first`."""
    one, zero = np.ones(()), np.zeros(())
    if kind == "add":
        return one, constant
    if kind == "subtract":
        return (one, -constant) if first else (-one, constant)
    if kind == "multiply":
        return constant, zero
    if kind == "divide" and first and constant.all():
        return 1 / constant, zero
    raise Unsupported("with a constant")


def a_channel(data: Data, constant: Array) -> Array:
    """A constant that is one number, or one a channel, in our order. Raises Unsupported for any other."""
    if constant.size == 1:
        return constant.reshape(())
    if constant.ndim > data.rank:
        raise Unsupported("with a constant of more axes")
    shape = (1,) * (data.rank - constant.ndim) + constant.shape
    long = [axis for axis, edge in enumerate(shape) if edge > 1]
    if len(long) != 1 or data.axes[long[0]] != data.rank - 1:
        raise Unsupported("with a constant that is not one a channel")
    values = constant.reshape(-1)
    if data.order is not None:
        if len(values) != len(data.order):
            raise ValueError("a constant does not fit its tensor")
        values = values[data.order]
    return values
