"""What each operator of an `.onnx` file is here: layers of a network, or other names of axes."""

import itertools
import math
from collections.abc import Sequence

from edgefashion.artifacts.inspection.onnx_file import Operation
from edgefashion.importing.network.curves import Curve
from edgefashion.importing.network.layout import CHANNELS_FIRST, CHANNELS_LAST, Data, placed
from edgefashion.importing.network.moves import reduce
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.operands import Read, constant_of, data_of, needed
from edgefashion.importing.network.plan import Array, Unsupported
from edgefashion.importing.network.windows import NONE, Margins, same_margins
from edgefashion.importing.onnx.arithmetic import ARITHMETIC
from edgefashion.importing.onnx.constants import axes_of, numbers_of
from edgefashion.importing.onnx.moves import MOVES
from edgefashion.importing.onnx.operators import Layer, named


def _image(network: Network, read: Read) -> Curve:
    return placed(network, data_of(read), CHANNELS_FIRST)


def _as_image(curve: Curve) -> Data:
    return Data(curve, CHANNELS_FIRST)


def _pair(values: Sequence[int], default: int = 1) -> tuple[int, int]:
    if len(values) not in (0, 2):
        raise Unsupported(f"of {len(values)} axes")
    return (values[0], values[1]) if values else (default, default)


def _margins(
    operation: Operation,
    edges: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> Margins:
    kind = operation.text("auto_pad") or "NOTSET"
    if kind.startswith("SAME"):
        reach = [(side - 1) * step + 1 for side, step in zip(window, dilations, strict=True)]
        first, second = itertools.starmap(same_margins, zip(edges, reach, strides, strict=True))
        return (first, second) if kind == "SAME_UPPER" else (first[::-1], second[::-1])
    pads = operation.integers("pads") or (0, 0, 0, 0)
    if kind == "VALID":
        return NONE
    if len(pads) != 4:
        raise Unsupported(f"of {len(pads) // 2} axes")
    return (pads[0], pads[2]), (pads[1], pads[3])


def _conv(network: Network, operation: Operation, read: Read) -> Data:
    curve, kernel = _image(network, read), needed(read, 1)
    if kernel.ndim != 4:
        raise Unsupported(f"of {kernel.ndim - 2} axes")
    strides, dilations = _pair(operation.integers("strides")), _pair(operation.integers("dilations"))
    margins = _margins(operation, curve.base.shape[:2], kernel.shape[2:], strides, dilations)
    groups, bias = operation.integer("group", 1), constant_of(read, 2)
    kernel = kernel.transpose(2, 3, 1, 0)
    if groups < 1:
        raise ValueError("a convolution has no groups")
    if groups == curve.base.shape[-1] > 1:  # output channels of an input channel are beside each other
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    return _as_image(network.conv(curve, kernel, bias, strides, margins, dilations, groups, named(operation)))


def _gemm(network: Network, operation: Operation, read: Read) -> Data:
    data, kernel, bias = data_of(read), needed(read, 1), constant_of(read, 2)
    if operation.integer("transA") or data.rank != 2 or kernel.ndim != 2:
        raise Unsupported("of other than a row and a constant matrix")
    kernel = (kernel.T if operation.integer("transB") else kernel) * numbers_of(operation, "alpha", 1.0)
    bias = None if bias is None else bias * numbers_of(operation, "beta", 1.0)
    return _dense(network, data, kernel, bias, named(operation))


def _matmul(network: Network, operation: Operation, read: Read) -> Data:
    data, kernel = data_of(read), needed(read, 1)
    if kernel.ndim != 2 or data.rank not in (2, 4):
        raise Unsupported("of other than rows and a constant matrix")
    if data.rank == 2:
        return _dense(network, data, kernel, None, named(operation))
    curve = placed(network, data, CHANNELS_LAST)
    made = network.conv(curve, kernel.reshape(1, 1, *kernel.shape), None, (1, 1), NONE, name=named(operation))
    return Data(made, CHANNELS_LAST)


def _dense(network: Network, data: Data, kernel: Array, bias: Array | None, name: str) -> Data:
    if data.order is not None:
        if len(kernel) != len(data.order):
            raise ValueError("a matrix does not fit its input")
        kernel = kernel[data.order]
    return Data(network.dense(data.curve, kernel, bias, name), (0, 1))


def _batch_norm(network: Network, operation: Operation, read: Read) -> Data:
    data = data_of(read)
    if operation.integer("training_mode") or data.order is not None:
        raise Unsupported("in training mode, or of a row that was flattened")
    curve = placed(network, data, CHANNELS_FIRST) if data.rank == 4 else data.curve
    four = [needed(read, place) for place in range(1, 5)]
    made = network.batch_norm(curve, four, numbers_of(operation, "epsilon", 1e-5), named(operation))
    return _as_image(made) if data.rank == 4 else data.with_curve(made)


def _pool(kind: str) -> Layer:
    def layer(network: Network, operation: Operation, read: Read) -> Data:
        curve = _image(network, read)
        window, strides = _pair(operation.integers("kernel_shape")), _pair(operation.integers("strides"))
        if max(_pair(operation.integers("dilations"))) > 1 or len(operation.outputs) > 1:
            raise Unsupported("with dilations, or indices")
        edges = network.image_of(curve).shape[:2]
        margins = _margins(operation, edges, window, strides, (1, 1))
        counted = bool(operation.integer("count_include_pad"))
        if operation.integer("ceil_mode"):
            hanging = _ceiling(edges, window, strides, margins)
            if kind == "AveragePooling2D" and counted and hanging != margins:  # those are not counted
                raise Unsupported("with ceil_mode and count_include_pad")
            margins = hanging
        return _as_image(network.pool(kind, curve, window, strides, margins, counted, named(operation)))

    return layer


def _ceiling(
    edges: Sequence[int], window: Sequence[int], strides: Sequence[int], margins: Margins
) -> Margins:
    """The margins with which a window that hangs over the edge is one that does not. Raises Unsupported."""
    found = []
    for edge, side, step, (before, behind) in zip(edges, window, strides, margins, strict=True):
        length = edge + before + behind - side
        count = math.ceil(length / step)
        if count * step >= edge + before:  # a window that begins behind the image is none
            count -= 1
        found.append((before, behind + max(0, count * step - length)))
    made = (found[0], found[1])
    if made != margins and made != tuple(
        itertools.starmap(same_margins, zip(edges, window, strides, strict=True))
    ):
        raise Unsupported("with ceil_mode")
    return made


def _global(kind: str) -> Layer:
    def layer(network: Network, operation: Operation, read: Read) -> Data:
        return _as_image(network.global_pool(kind, _image(network, read), named(operation)))

    return layer


def _reduce(kind: str) -> Layer:
    def layer(network: Network, operation: Operation, read: Read) -> Data:
        axes = axes_of(operation, [None, constant_of(read, 1)])
        keep = bool(operation.integer("keepdims", 1))
        return reduce(network, kind, data_of(read), axes, keep, named(operation))

    return layer


LAYERS: dict[str, Layer] = {
    **{"Conv": _conv, "Gemm": _gemm, "MatMul": _matmul, "BatchNormalization": _batch_norm},
    **{"MaxPool": _pool("MaxPooling2D"), "AveragePool": _pool("AveragePooling2D")},
    "GlobalAveragePool": _global("GlobalAveragePooling2D"),
    "GlobalMaxPool": _global("GlobalMaxPooling2D"),
    **{"ReduceMean": _reduce("GlobalAveragePooling2D"), "ReduceMax": _reduce("GlobalMaxPooling2D")},
    **ARITHMETIC,
    **MOVES,
}
"""All operators that are taken over."""
