"""Functions of one number, and sums and products of an `.onnx` file."""

import math

from edgefashion.artifacts.inspection.onnx_file import Operation
from edgefashion.importing.network.arithmetic import a_channel, combined, function
from edgefashion.importing.network.layout import Data
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.operands import Read, data_of, needed, number_of
from edgefashion.importing.network.plan import Unsupported
from edgefashion.importing.onnx.constants import numbers_of
from edgefashion.importing.onnx.operators import Layer, named


def _unary(kind: str, **defaults: float) -> Layer:
    """A function of one number; its parameters are attributes."""

    def layer(_: Network, operation: Operation, read: Read) -> Data:
        data = data_of(read)
        numbers = tuple(numbers_of(operation, name, value) for name, value in defaults.items())
        return function(data, kind, numbers, named(operation))

    return layer


def _gelu(_: Network, operation: Operation, read: Read) -> Data:
    kind = "gelu_tanh" if operation.text("approximate") == "tanh" else "gelu"
    return function(data_of(read), kind, (), named(operation))


def _clip(_: Network, operation: Operation, read: Read) -> Data:
    low = number_of(read, 1, numbers_of(operation, "min", -math.inf))
    high = number_of(read, 2, numbers_of(operation, "max", math.inf))
    return function(data_of(read), "clip", (low, high), named(operation))


def _relu(_: Network, operation: Operation, read: Read) -> Data:
    return function(data_of(read), "clip", (0.0, math.inf), named(operation))


def _power(_: Network, operation: Operation, read: Read) -> Data:
    kind = {2.0: "square", 3.0: "cube"}.get(number_of(read, 1, 0.0))
    if kind is None:
        raise Unsupported("other than a square or cube")
    return function(data_of(read), kind, (), named(operation))


def _prelu(network: Network, operation: Operation, read: Read) -> Data:
    data = data_of(read)
    slopes = a_channel(data, needed(read, 1))
    return data.with_curve(network.prelu(data.curve, slopes, named(operation)))


def _arithmetic(kind: str) -> Layer:
    def layer(network: Network, operation: Operation, read: Read) -> Data:
        return combined(network, kind, read, named(operation))

    return layer


ARITHMETIC: dict[str, Layer] = {
    **{"Relu": _relu, "Clip": _clip, "PRelu": _prelu, "Pow": _power},
    **{"Gelu": _gelu, "com.microsoft.Gelu": _gelu},
    **{kind: _unary(kind.lower()) for kind in ("Sigmoid", "Tanh", "Erf", "Softplus")},
    **{"HardSwish": _unary("hard_swish"), "HardSigmoid": _unary("hard_sigmoid", alpha=0.2, beta=0.5)},
    **{"LeakyRelu": _unary("leaky", alpha=0.01), "Elu": _unary("elu", alpha=1.0)},
    **{"Add": _arithmetic("add"), "Sub": _arithmetic("subtract"), "Mul": _arithmetic("multiply")},
    **{"Div": _arithmetic("divide"), "Max": _arithmetic("Maximum"), "Min": _arithmetic("Minimum")},
}
