"""Functions of one number, and sums and products of an `.onnx` file."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edgefashion.artifacts.inspection.onnx_file import Operation
from edgefashion.importing import curves
from edgefashion.importing.network import Network
from edgefashion.importing.onnx_constants import numbers_of
from edgefashion.importing.onnx_layout import Data, placed
from edgefashion.importing.onnx_operators import Layer, Read, data_of, named, needed, number_of
from edgefashion.importing.plan import Array, Unsupported


def _unary(kind: str, **defaults: float) -> Layer:
    """A function of one number; its parameters are attributes."""

    def layer(_: Network, operation: Operation, read: Read) -> Data:
        data = data_of(read)
        numbers = tuple(numbers_of(operation, name, value) for name, value in defaults.items())
        return data.with_curve(curves.apply(kind, data.curve, numbers=numbers, name=named(operation)))

    return layer


def _gelu(_: Network, operation: Operation, read: Read) -> Data:
    kind = "gelu_tanh" if operation.text("approximate") == "tanh" else "gelu"
    return data_of(read).with_curve(curves.apply(kind, data_of(read).curve, name=named(operation)))


def _clip(_: Network, operation: Operation, read: Read) -> Data:
    low = number_of(read, 1, numbers_of(operation, "min", -math.inf))
    high = number_of(read, 2, numbers_of(operation, "max", math.inf))
    return data_of(read).with_curve(
        curves.apply("clip", data_of(read).curve, numbers=(low, high), name=named(operation))
    )


def _relu(_: Network, operation: Operation, read: Read) -> Data:
    numbers = (0.0, math.inf)
    return data_of(read).with_curve(
        curves.apply("clip", data_of(read).curve, numbers=numbers, name=named(operation))
    )


def _power(_: Network, operation: Operation, read: Read) -> Data:
    kind = {2.0: "square", 3.0: "cube"}.get(number_of(read, 1, 0.0))
    if kind is None:
        raise Unsupported("other than a square or cube")
    return data_of(read).with_curve(curves.apply(kind, data_of(read).curve, name=named(operation)))


def _prelu(network: Network, operation: Operation, read: Read) -> Data:
    data = data_of(read)
    slopes = _a_channel(data, needed(read, 1))
    return data.with_curve(network.prelu(data.curve, slopes, named(operation)))


def _arithmetic(kind: str) -> Layer:
    def layer(network: Network, operation: Operation, read: Read) -> Data:
        if len(read) != 2 or any(each is None for each in read):
            raise ValueError(f"a {operation.kind} has other than two inputs")
        left, right = read
        if isinstance(left, Data) and isinstance(right, Data):
            return _of_two(network, kind, left, right, named(operation))
        data = left if isinstance(left, Data) else data_of(read, 1)
        constant = _a_channel(data, needed(read, 1 if isinstance(left, Data) else 0).astype(np.float64))
        if kind in _LIMITS and constant.size == 1:
            limits = _LIMITS[kind](float(constant))
            return data.with_curve(curves.apply("clip", data.curve, numbers=limits, name=named(operation)))
        scale, shift = _as_affine(kind, constant, first=isinstance(left, Data))
        return data.with_curve(network.scaled(data.curve, scale, shift, named(operation)))

    return layer


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


def _a_channel(data: Data, constant: Array) -> Array:
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


ARITHMETIC: dict[str, Layer] = {
    **{"Relu": _relu, "Clip": _clip, "PRelu": _prelu, "Pow": _power},
    **{"Gelu": _gelu, "com.microsoft.Gelu": _gelu},
    **{kind: _unary(kind.lower()) for kind in ("Sigmoid", "Tanh", "Erf", "Softplus")},
    **{"HardSwish": _unary("hard_swish"), "HardSigmoid": _unary("hard_sigmoid", alpha=0.2, beta=0.5)},
    **{"LeakyRelu": _unary("leaky", alpha=0.01), "Elu": _unary("elu", alpha=1.0)},
    **{"Add": _arithmetic("add"), "Sub": _arithmetic("subtract"), "Mul": _arithmetic("multiply")},
    **{"Div": _arithmetic("divide"), "Max": _arithmetic("Maximum"), "Min": _arithmetic("Minimum")},
}
