"""What each operator of a `.tflite` file is here: layers of a network, or other names of axes.

The numbers of options are those of LiteRT's schema.
"""

import math

from edgefashion.importing.network import moves
from edgefashion.importing.network.arithmetic import a_channel, combined, function
from edgefashion.importing.network.curves import Curve
from edgefashion.importing.network.layout import CHANNELS_LAST, Data, placed, reshape, transpose
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.operands import Read, constant_of, data_of, needed, number_of
from edgefashion.importing.network.plan import Array, Unsupported
from edgefashion.importing.network.windows import NONE, Margins, same_margins
from edgefashion.importing.tflite.operators import Layer, Operator


def _image(network: Network, read: Read) -> Curve:
    return placed(network, data_of(read), CHANNELS_LAST)


def _margins(
    operator: Operator,
    image: Curve,
    window: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
) -> Margins:
    """Option 0 is the padding: 0 is `same`."""
    if operator.byte(0) or min(*strides, *dilations) < 1:
        return NONE
    reach = [(side - 1) * step + 1 for side, step in zip(window, dilations, strict=True)]
    first, second = (
        same_margins(edge, side, step)
        for edge, side, step in zip(image.base.shape[:2], reach, strides, strict=True)
    )
    return first, second


def _conv(network: Network, operator: Operator, read: Read) -> Data:
    kernel = needed(read, 1)
    if kernel.ndim != 4:
        raise Unsupported(f"with a kernel of {kernel.ndim} axes")
    return _convolved(network, operator, read, kernel.transpose(1, 2, 3, 0), (3, 4), depthwise=False)


def _depthwise(network: Network, operator: Operator, read: Read) -> Data:
    kernel = needed(read, 1)
    if kernel.ndim != 4 or kernel.shape[0] != 1:
        raise Unsupported(f"with a kernel of the shape {list(kernel.shape)}")
    kernel = kernel.reshape(*kernel.shape[1:3], 1, kernel.shape[3])
    return _convolved(network, operator, read, kernel, (4, 5), depthwise=True)


def _convolved(
    network: Network, operator: Operator, read: Read, kernel: Array, slots: tuple[int, int], depthwise: bool
) -> Data:
    """A convolution whose activation and dilations are at these places of its options."""
    image, bias = _image(network, read), constant_of(read, 2)
    activation, dilation = slots
    window = (kernel.shape[0], kernel.shape[1])
    strides = (operator.integer(2), operator.integer(1))
    dilations = (operator.integer(dilation + 1, 1), operator.integer(dilation, 1))
    inputs = image.base.shape[-1]
    groups = inputs if depthwise else max(1, inputs // max(1, kernel.shape[2]))
    margins = _margins(operator, image, window, strides, dilations)
    made = network.conv(image, kernel, bias, strides, margins, dilations, groups, operator.name)
    return operator.activated(Data(made, CHANNELS_LAST), activation)


def _dense(network: Network, operator: Operator, read: Read) -> Data:
    data, kernel, bias = data_of(read), needed(read, 1), constant_of(read, 2)
    if operator.byte(1) or kernel.ndim != 2 or kernel.shape[1] != math.prod(data.shape):
        raise Unsupported("of other than a row and a constant matrix")
    row = reshape(network, data, (kernel.shape[1],))
    kernel = kernel.T if row.order is None else kernel.T[row.order]
    return operator.activated(Data(network.dense(row.curve, kernel, bias, operator.name), (0, 1)), 0)


def _pool(kind: str) -> Layer:
    def layer(network: Network, operator: Operator, read: Read) -> Data:
        image = _image(network, read)
        strides = (operator.integer(2), operator.integer(1))
        window = (operator.integer(4), operator.integer(3))
        margins = _margins(operator, image, window, strides, (1, 1))
        made = network.pool(kind, image, window, strides, margins, name=operator.name)
        return operator.activated(Data(made, CHANNELS_LAST), 5)

    return layer


def _reduce(kind: str) -> Layer:
    def layer(network: Network, operator: Operator, read: Read) -> Data:
        axes = tuple(map(int, needed(read, 1).reshape(-1)))
        return moves.reduce(network, kind, data_of(read), axes, bool(operator.byte(0)), operator.name)

    return layer


def _unary(kind: str, *numbers: float) -> Layer:
    """A function of one number."""

    def layer(_: Network, operator: Operator, read: Read) -> Data:
        return function(data_of(read), kind, numbers, operator.name)

    return layer


def _leaky(_: Network, operator: Operator, read: Read) -> Data:
    return function(data_of(read), "leaky", (operator.number(0),), operator.name)


def _gelu(_: Network, operator: Operator, read: Read) -> Data:
    return function(data_of(read), "gelu_tanh" if operator.byte(0) else "gelu", (), operator.name)


def _prelu(network: Network, operator: Operator, read: Read) -> Data:
    data = data_of(read)
    return data.with_curve(network.prelu(data.curve, a_channel(data, needed(read, 1)), operator.name))


def _arithmetic(kind: str) -> Layer:
    def layer(network: Network, operator: Operator, read: Read) -> Data:
        return operator.activated(combined(network, kind, read, operator.name), 0)

    return layer


def _concat(network: Network, operator: Operator, read: Read) -> Data:
    every = [data_of(read, place) for place in range(len(read))]
    return operator.activated(moves.concatenate(network, every, operator.integer(0), operator.name), 1)


def _pad(network: Network, operator: Operator, read: Read) -> Data:
    data, pads = data_of(read), needed(read, 1)
    if pads.shape != (data.rank, 2) or number_of(read, 2, 0.0):
        raise Unsupported("with other than zeros")
    return moves.pad(network, data, {axis: (int(a), int(b)) for axis, (a, b) in enumerate(pads)})


def _reshape(network: Network, operator: Operator, read: Read) -> Data:
    data = data_of(read)
    batch, *rest = [int(edge) for edge in needed(read, 1).reshape(-1)]
    return moves.resized(network, data, batch, rest, operator.name)


def _squeeze(network: Network, operator: Operator, read: Read) -> Data:
    axes = operator.options.integers(0) if operator.options else ()
    return moves.squeeze(network, data_of(read), axes, operator.name)


def _expand(network: Network, operator: Operator, read: Read) -> Data:
    axes = tuple(map(int, needed(read, 1).reshape(-1)))
    return moves.unsqueeze(network, data_of(read), axes, operator.name)


def _softmax(_: Network, operator: Operator, read: Read) -> Data:
    data, log = data_of(read), operator.kind == "LOG_SOFTMAX"
    beta = 1.0 if log else operator.number(0)
    return moves.softmax(function(data, "affine", (beta, 0.0), operator.name) if beta != 1 else data, -1, log)


def _transpose(_: Network, operator: Operator, read: Read) -> Data:
    return transpose(data_of(read), tuple(map(int, needed(read, 1).reshape(-1))))


def _cast(_: Network, operator: Operator, read: Read) -> Data:
    if operator.options is not None and operator.byte(1) not in (0, 1):
        raise Unsupported("to integers")
    return data_of(read)


LAYERS: dict[str, Layer] = {
    **{"CONV_2D": _conv, "DEPTHWISE_CONV_2D": _depthwise, "FULLY_CONNECTED": _dense},
    **{"MAX_POOL_2D": _pool("MaxPooling2D"), "AVERAGE_POOL_2D": _pool("AveragePooling2D")},
    **{"MEAN": _reduce("GlobalAveragePooling2D"), "REDUCE_MAX": _reduce("GlobalMaxPooling2D")},
    **{"RELU": _unary("clip", 0.0, math.inf), "RELU6": _unary("clip", 0.0, 6.0)},
    **{"RELU_N1_TO_1": _unary("clip", -1.0, 1.0), "RELU_0_TO_1": _unary("clip", 0.0, 1.0)},
    **{"LOGISTIC": _unary("sigmoid"), "TANH": _unary("tanh"), "HARD_SWISH": _unary("hard_swish")},
    **{"ELU": _unary("elu", 1.0), "SQUARE": _unary("square"), "NEG": _unary("affine", -1.0, 0.0)},
    **{"LEAKY_RELU": _leaky, "GELU": _gelu, "PRELU": _prelu},
    **{"ADD": _arithmetic("add"), "SUB": _arithmetic("subtract"), "MUL": _arithmetic("multiply")},
    **{"DIV": _arithmetic("divide"), "MAXIMUM": _arithmetic("Maximum"), "MINIMUM": _arithmetic("Minimum")},
    **{"CONCATENATION": _concat, "PAD": _pad, "PADV2": _pad, "TRANSPOSE": _transpose, "CAST": _cast},
    **{
        "RESHAPE": _reshape,
        "SQUEEZE": _squeeze,
        "EXPAND_DIMS": _expand,
        "SOFTMAX": _softmax,
        "LOG_SOFTMAX": _softmax,
    },
}
"""All operators that are taken over."""
PASSING = {"RESHAPE", "SQUEEZE", "CAST"}
"""What may follow a softmax."""
