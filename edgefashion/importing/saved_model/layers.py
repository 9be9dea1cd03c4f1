"""What each operator of TensorFlow is here: layers of a network, or names of axes."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from edgefashion.importing.network import moves
from edgefashion.importing.network.arithmetic import combined, function
from edgefashion.importing.network.curves import Curve
from edgefashion.importing.network.layout import CHANNELS_LAST, Data, placed, transpose
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.operands import Read, data_of, needed, same
from edgefashion.importing.network.plan import Array, Unsupported
from edgefashion.importing.network.windows import NONE, Margins, same_margins
from edgefashion.importing.saved_model.dilations import Cut, cut, join
from edgefashion.importing.saved_model.graph import Node

Layer = Callable[[Network, Node, Read], Data]
FLOATS = (1, 2, 19)
PLACES = (0, 3)
"""Where the axes of an image are of which each place is a row: what a dense layer makes of it first."""


def _pair(node: Node, name: str) -> tuple[int, int]:
    values = node.integers(name) or (1, 1, 1, 1)
    if len(values) != 4 or values[0] != 1 or values[3] != 1 or (node.text("data_format") or "NHWC") != "NHWC":
        raise Unsupported("with channels first, or strides over them")
    return values[1], values[2]


def _margins(node: Node, image: Curve, window: tuple[int, int], dilations: tuple[int, int]) -> Margins:
    strides = _pair(node, "strides")
    if node.text("padding") == "VALID" or min(*strides, *dilations) < 1:
        return NONE
    if node.text("padding") == "EXPLICIT":
        pads = node.integers("explicit_paddings")
        if len(pads) != 8:
            raise Unsupported("with padding of other than height and width")
        return (pads[2], pads[3]), (pads[4], pads[5])
    reach = [(side - 1) * step + 1 for side, step in zip(window, dilations, strict=True)]
    edges = image.base.shape[:2]
    first, second = (same_margins(*each) for each in zip(edges, reach, strides, strict=True))
    return first, second


def _conv(depthwise: bool) -> Layer:
    def layer(network: Network, node: Node, read: Read) -> Data:
        image, kernel = placed(network, data_of(read), CHANNELS_LAST), needed(read, 1)
        if kernel.ndim != 4:
            raise Unsupported(f"with a kernel of {kernel.ndim} axes")
        window = (kernel.shape[0], kernel.shape[1])
        dilations, inputs = _pair(node, "dilations"), image.base.shape[-1]
        groups = inputs if depthwise else max(1, inputs // max(1, kernel.shape[2]))
        if depthwise:
            kernel = kernel.reshape(*window, 1, -1)
        strides = _pair(node, "strides")
        if isinstance(image, Cut):
            if node.text("padding") != "VALID" or max(*strides, *dilations) > 1:
                raise Unsupported("of an image that was cut")
            return Data(image.convolved(network, kernel, groups, node.name), CHANNELS_LAST)
        margins = _margins(node, image, window, dilations)
        made = network.conv(image, kernel, None, strides, margins, dilations, groups, node.name)
        return Data(made, CHANNELS_LAST)

    return layer


def _matmul(network: Network, node: Node, read: Read) -> Data:
    data, kernel = data_of(read), needed(read, 1)
    if node.integer("transpose_a") or data.rank != 2 or kernel.ndim != 2 or data.order is not None:
        raise Unsupported("of other than a row and a constant matrix")
    kernel = kernel.T if node.integer("transpose_b") else kernel
    if data.axes == PLACES:
        window = kernel.reshape(1, 1, *kernel.shape)
        return data.with_curve(network.conv(data.curve, window, None, (1, 1), NONE, name=node.name))
    return Data(network.dense(data.curve, kernel, None, node.name), (0, 1))


def _batch_norm(network: Network, node: Node, read: Read) -> Data:
    if node.integer("is_training", 1) or (node.text("data_format") or "NHWC") != "NHWC":
        raise Unsupported("in training mode, or with channels first")
    image = placed(network, data_of(read), CHANNELS_LAST)
    four = [needed(read, place) for place in range(1, 5)]
    return Data(network.batch_norm(image, four, node.number("epsilon", 1e-4), node.name), CHANNELS_LAST)


def _pool(kind: str) -> Layer:
    def layer(network: Network, node: Node, read: Read) -> Data:
        image, window = placed(network, data_of(read), CHANNELS_LAST), _pair(node, "ksize")
        margins = _margins(node, image, window, (1, 1))
        return Data(
            network.pool(kind, image, window, _pair(node, "strides"), margins, name=node.name), CHANNELS_LAST
        )

    return layer


def _reduce(kind: str) -> Layer:
    def layer(network: Network, node: Node, read: Read) -> Data:
        axes = tuple(map(int, needed(read, 1).reshape(-1)))
        return moves.reduce(network, kind, data_of(read), axes, bool(node.integer("keep_dims")), node.name)

    return layer


def _unary(kind: str, *numbers: float) -> Layer:
    return lambda _, node, read: function(data_of(read), kind, numbers, node.name)


def _leaky(_: Network, node: Node, read: Read) -> Data:
    return function(data_of(read), "leaky", (node.number("alpha", 0.2),), node.name)


def _arithmetic(kind: str) -> Layer:
    return lambda network, node, read: combined(network, kind, read, node.name)


def _concat(network: Network, node: Node, read: Read) -> Data:
    every = [data_of(read, place) for place in range(len(read) - 1)]
    return moves.concatenate(network, every, int(needed(read, len(read) - 1)), node.name)


def _pad(network: Network, _: Node, read: Read) -> Data:
    pads = needed(read, 1)
    if pads.ndim != 2 or pads.shape[1] != 2 or (len(read) > 2 and needed(read, 2).any()):
        raise Unsupported("with other than zeros")
    return moves.pad(network, data_of(read), {axis: (int(a), int(b)) for axis, (a, b) in enumerate(pads)})


def _reshape(network: Network, node: Node, read: Read) -> Data:
    data, (batch, *rest) = data_of(read), [int(edge) for edge in needed(read, 1).reshape(-1)]
    if data.axes == PLACES:
        data = Data(data.curve, CHANNELS_LAST)
    if data.axes == CHANNELS_LAST and rest == [data.shape[-1]] and math.prod(data.shape) > rest[0]:
        return Data(data.curve, PLACES)
    return moves.resized(network, data, batch, rest, node.name)


def _squeeze(network: Network, node: Node, read: Read) -> Data:
    return moves.squeeze(network, data_of(read), node.integers("squeeze_dims"), node.name)


def _expand(network: Network, node: Node, read: Read) -> Data:
    axes = tuple(map(int, needed(read, 1).reshape(-1)))
    return moves.unsqueeze(network, data_of(read), axes, node.name)


def _softmax(_: Network, node: Node, read: Read) -> Data:
    return moves.softmax(data_of(read), -1, log=node.kind == "LogSoftmax")


def _cast(_: Network, node: Node, read: Read) -> Data:
    if node.integer("DstT") not in FLOATS:
        raise Unsupported("to integers")
    return data_of(read)


def _transpose(_: Network, node: Node, read: Read) -> Data:
    return transpose(data_of(read), tuple(map(int, needed(read, 1).reshape(-1))))


LAYERS: dict[str, Layer] = {
    **{"Conv2D": _conv(depthwise=False), "DepthwiseConv2dNative": _conv(depthwise=True), "MatMul": _matmul},
    **{name: _batch_norm for name in ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")},
    **{"MaxPool": _pool("MaxPooling2D"), "AvgPool": _pool("AveragePooling2D")},
    **{"Mean": _reduce("GlobalAveragePooling2D"), "Max": _reduce("GlobalMaxPooling2D")},
    **{"Relu": _unary("clip", 0.0, math.inf), "Relu6": _unary("clip", 0.0, 6.0), "Elu": _unary("elu", 1.0)},
    **{name: _unary(name.lower()) for name in ("Sigmoid", "Tanh", "Erf", "Erfc", "Softplus", "Square")},
    **{"Neg": _unary("affine", -1.0, 0.0), "LeakyRelu": _leaky},
    **{name: _arithmetic("add") for name in ("Add", "AddV2", "BiasAdd")},
    **{"Sub": _arithmetic("subtract"), "Mul": _arithmetic("multiply"), "RealDiv": _arithmetic("divide")},
    **{"Maximum": _arithmetic("Maximum"), "Minimum": _arithmetic("Minimum")},
    **{"SpaceToBatchND": cut, "BatchToSpaceND": join},
    **{"ConcatV2": _concat, "Pad": _pad, "PadV2": _pad, "Transpose": _transpose, "Cast": _cast},
    **{
        "Reshape": _reshape,
        "Squeeze": _squeeze,
        "ExpandDims": _expand,
        "Softmax": _softmax,
        "LogSoftmax": _softmax,
    },
    **{name: same for name in ("Identity", "IdentityN", "StopGradient", "PreventGradient", "Snapshot")},
}
PASSING = {"Identity", "IdentityN", "Reshape", "Squeeze", "Cast"}
Rule = Callable[[Node, Sequence[Array]], Array]


def _strided(node: Node, read: Sequence[Array]) -> Array:
    begin, end, shrink = (node.integer(f"{name}_mask") for name in ("begin", "end", "shrink_axis"))
    if node.integer("ellipsis_mask") or node.integer("new_axis_mask"):
        raise Unsupported("of constants")
    index: list[slice | int] = []
    for axis, (first, last, step) in enumerate(zip(*(each.tolist() for each in read[1:4]), strict=True)):
        cut = slice(None if begin >> axis & 1 else first, None if end >> axis & 1 else last, step)
        index.append(first if shrink >> axis & 1 else cut)
    made: Array = read[0][tuple(index)]
    return made


def _squeezed(node: Node, read: Sequence[Array]) -> Array:
    return np.squeeze(read[0], node.integers("squeeze_dims") or None)


def _gathered(_: Node, read: Sequence[Array]) -> Array:
    if read[0].ndim != 1:  # a shape, of which no more is taken than is asked for
        raise Unsupported("of constants")
    return np.asarray(read[0][read[1].astype(int)])


RULES: dict[str, Rule] = {
    **{name: lambda _, read: read[0] for name in ("Identity", "ReadVariableOp", "Cast", "StopGradient")},
    "Shape": lambda _, read: np.asarray(read[0].shape),
    "GatherV2": _gathered,
    "Prod": lambda _, read: np.prod(read[0], tuple(map(int, read[1].reshape(-1)))),
    "ConcatV2": lambda _, read: np.concatenate(list(read[:-1]), int(read[-1])),
    "StridedSlice": _strided,
    "Pack": lambda node, read: np.stack(list(read), node.integer("axis")),
    "Squeeze": _squeezed,
    "Reshape": lambda _, read: read[0].reshape(read[1].tolist()),
    **{name: lambda _, read: read[0] + read[1] for name in ("Add", "AddV2")},
    "Sub": lambda _, read: read[0] - read[1],
    "Mul": lambda _, read: read[0] * read[1],
    "RealDiv": lambda _, read: read[0] / read[1],
    "Maximum": lambda _, read: np.maximum(*read),
    "Minimum": lambda _, read: np.minimum(*read),
    "Rsqrt": lambda _, read: 1 / np.sqrt(read[0]),
    "Sqrt": lambda _, read: np.sqrt(read[0]),
    "Neg": lambda _, read: -read[0],
}
ALONE = ("Identity", "IdentityN", "ReadVariableOp", "Cast", "Reshape", "StridedSlice", "Shape")
"""Those that make no more numbers than they read."""
