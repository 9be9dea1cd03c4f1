"""What each operator of an `.onnx` file is here: layers of a network, or other names of axes."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from edgefashion.artifacts.inspection.onnx_file import Operation
from edgefashion.importing import curves
from edgefashion.importing.curves import Curve
from edgefashion.importing.network import NONE, Margins, Network, same_margins
from edgefashion.importing.onnx_constants import axes_of, numbers_of
from edgefashion.importing.onnx_layout import CHANNELS_FIRST, CHANNELS_LAST, Data, placed, reshape, transpose
from edgefashion.importing.plan import Array, Unsupported

Read = Sequence[Data | Array | None]
Layer = Callable[[Network, Operation, Read], Data]


def named(operation: Operation) -> str:
    """What its layer is called."""
    return operation.name or next(iter(operation.outputs), "")


def _data(read: Read, place: int = 0) -> Data:
    found = read[place] if place < len(read) else None
    if not isinstance(found, Data):
        raise Unsupported("of a constant")
    return found


def _constant(read: Read, place: int) -> Array | None:
    found = read[place] if place < len(read) else None
    if isinstance(found, Data):
        raise Unsupported("with weights that are computed")
    return found


def _needed(read: Read, place: int) -> Array:
    found = _constant(read, place)
    if found is None:
        raise ValueError("an operator lacks an input")
    return found


def _number(read: Read, place: int, default: float) -> float:
    found = _constant(read, place)
    return default if found is None or not found.size else float(found.reshape(-1)[0])


def _image(network: Network, read: Read) -> Curve:
    return placed(network, _data(read), CHANNELS_FIRST)


def _as_image(curve: Curve) -> Data:
    return Data(curve, CHANNELS_FIRST)


def _pair(values: Sequence[int], default: int = 1) -> tuple[int, int]:
    if len(values) not in (0, 2):
        raise Unsupported(f"of {len(values)} axes")
    return (values[0], values[1]) if values else (default, default)


def _margins(
    operation: Operation, edges: Sequence[int], window: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
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
    curve, kernel = _image(network, read), _needed(read, 1)
    if kernel.ndim != 4:
        raise Unsupported(f"of {kernel.ndim - 2} axes")
    strides, dilations = _pair(operation.integers("strides")), _pair(operation.integers("dilations"))
    margins = _margins(operation, curve.base.shape, kernel.shape[2:], strides, dilations)
    groups, bias = operation.integer("group", 1), _constant(read, 2)
    kernel = kernel.transpose(2, 3, 1, 0)
    if groups < 1:
        raise ValueError("a convolution has no groups")
    if groups == curve.base.shape[-1] > 1:  # output channels of an input channel are beside each other
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    return _as_image(network.conv(curve, kernel, bias, strides, margins, dilations, groups, named(operation)))


def _gemm(network: Network, operation: Operation, read: Read) -> Data:
    data, kernel, bias = _data(read), _needed(read, 1), _constant(read, 2)
    if operation.integer("transA") or data.rank != 2 or kernel.ndim != 2:
        raise Unsupported("of other than a row and a constant matrix")
    kernel = (kernel.T if operation.integer("transB") else kernel) * numbers_of(operation, "alpha", 1.0)
    bias = None if bias is None else bias * numbers_of(operation, "beta", 1.0)
    return _dense(network, data, kernel, bias, named(operation))


def _matmul(network: Network, operation: Operation, read: Read) -> Data:
    data, kernel = _data(read), _needed(read, 1)
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
    data = _data(read)
    if operation.integer("training_mode") or data.order is not None:
        raise Unsupported("in training mode, or of a row that was flattened")
    curve = placed(network, data, CHANNELS_FIRST) if data.rank == 4 else data.curve
    four = [_needed(read, place) for place in range(1, 5)]
    made = network.batch_norm(curve, four, numbers_of(operation, "epsilon", 1e-5), named(operation))
    return _as_image(made) if data.rank == 4 else data.with_curve(made)


def _pool(kind: str) -> Layer:
    def layer(network: Network, operation: Operation, read: Read) -> Data:
        curve = _image(network, read)
        window, strides = _pair(operation.integers("kernel_shape")), _pair(operation.integers("strides"))
        if max(_pair(operation.integers("dilations"))) > 1 or len(operation.outputs) > 1:
            raise Unsupported("with dilations, or indices")
        edges = network.image_of(curve).shape
        margins = _margins(operation, edges, window, strides, (1, 1))
        if operation.integer("ceil_mode"):
            margins = _ceiling(edges, window, strides, margins)
        counted = bool(operation.integer("count_include_pad"))
        return _as_image(network.pool(kind, curve, window, strides, margins, counted, named(operation)))

    return layer


def _ceiling(edges: Sequence[int], window: Sequence[int], strides: Sequence[int], margins: Margins) -> Margins:
    """The margins with which a window that hangs over the edge is one that does not. Raises Unsupported."""
    found = []
    for edge, side, step, (before, behind) in zip(edges, window, strides, margins, strict=False):
        length = edge + before + behind - side
        count = math.ceil(length / step)
        if count * step >= edge + before:  # a window that begins behind the image is none
            count -= 1
        found.append((before, behind + max(0, count * step - length)))
    made = (found[0], found[1])
    if made != margins and made != tuple(itertools.starmap(same_margins, zip(edges, window, strides, strict=False))):
        raise Unsupported("with ceil_mode")
    return made


def _global(kind: str) -> Layer:
    def layer(network: Network, operation: Operation, read: Read) -> Data:
        return _as_image(network.global_pool(kind, _image(network, read), named(operation)))

    return layer


def _reduce(kind: str) -> Layer:
    def layer(network: Network, operation: Operation, read: Read) -> Data:
        data = _data(read)
        axes = axes_of(operation, [None, _constant(read, 1)])
        ours = sorted(data.axis(axis) for axis in axes)
        if data.order is not None or data.rank < 3 or ours != list(range(1, data.rank - 1)):
            raise Unsupported("over other than all of height and width")
        shape = network.tensor_of(data.curve).shape
        image = network.reshape(data.curve, shape if len(shape) == 3 else (math.prod(shape[:-1]), 1, shape[-1]))
        pooled = network.global_pool(kind, image, named(operation))
        if not operation.integer("keepdims", 1):
            return Data(network.reshape(pooled, shape[-1:], f"{named(operation)}_flat"), (0, 1))
        return data.with_curve(network.reshape(pooled, (*[1] * (len(shape) - 1), shape[-1])))

    return layer


def _unary(kind: str, **defaults: float) -> Layer:
    """A function of one number; its parameters are attributes."""

    def layer(_: Network, operation: Operation, read: Read) -> Data:
        data = _data(read)
        numbers = tuple(numbers_of(operation, name, value) for name, value in defaults.items())
        return data.with_curve(curves.apply(kind, data.curve, numbers=numbers, name=named(operation)))

    return layer


def _gelu(_: Network, operation: Operation, read: Read) -> Data:
    kind = "gelu_tanh" if operation.text("approximate") == "tanh" else "gelu"
    return _data(read).with_curve(curves.apply(kind, _data(read).curve, name=named(operation)))


def _clip(_: Network, operation: Operation, read: Read) -> Data:
    low = _number(read, 1, numbers_of(operation, "min", -math.inf))
    high = _number(read, 2, numbers_of(operation, "max", math.inf))
    return _data(read).with_curve(curves.apply("clip", _data(read).curve, numbers=(low, high), name=named(operation)))


def _relu(_: Network, operation: Operation, read: Read) -> Data:
    numbers = (0.0, math.inf)
    return _data(read).with_curve(curves.apply("clip", _data(read).curve, numbers=numbers, name=named(operation)))


def _power(_: Network, operation: Operation, read: Read) -> Data:
    kind = {2.0: "square", 3.0: "cube"}.get(_number(read, 1, 0.0))
    if kind is None:
        raise Unsupported("other than a square or cube")
    return _data(read).with_curve(curves.apply(kind, _data(read).curve, name=named(operation)))


def _prelu(network: Network, operation: Operation, read: Read) -> Data:
    data = _data(read)
    slopes = _a_channel(data, _needed(read, 1))
    return data.with_curve(network.prelu(data.curve, slopes, named(operation)))


def _arithmetic(kind: str) -> Layer:
    def layer(network: Network, operation: Operation, read: Read) -> Data:
        if len(read) != 2 or any(each is None for each in read):
            raise ValueError(f"a {operation.kind} has other than two inputs")
        left, right = read
        if isinstance(left, Data) and isinstance(right, Data):
            return _of_two(network, kind, left, right, named(operation))
        data = left if isinstance(left, Data) else _data(read, 1)
        constant = _a_channel(data, _needed(read, 1 if isinstance(left, Data) else 0).astype(np.float64))
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
        second = first.with_curve(right.curve if right.axes == left.axes else placed(network, right, left.axes))
    if kind == "divide":
        raise Unsupported("of two tensors")
    if kind in ("Maximum", "Minimum"):
        return first.with_curve(network.maximum(kind, first.curve, second.curve, name))
    return first.with_curve(network.combine(kind, first.curve, second.curve, name))


def _as_affine(kind: str, constant: Array, first: bool) -> tuple[Array, Array]:
    """Scale and shift of what an operator makes of a tensor and a constant; whether the tensor comes first."""
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


def _concat(network: Network, operation: Operation, read: Read) -> Data:
    first = _data(read)
    every = [_data(read, place) for place in range(len(read))]
    if any(each.order is not None for each in every):
        raise Unsupported("of rows that were flattened")
    inputs = [placed(network, each, first.axes) for each in every]
    axis = first.axis(operation.integer("axis"))
    return first.with_curve(network.concatenate(inputs, axis, named(operation)))


def _pad(network: Network, operation: Operation, read: Read) -> Data:
    data = _data(read)
    pads = operation.integers("pads") or tuple(map(int, _needed(read, 1)))
    axes = axes_of(operation, [None, _constant(read, 3)]) or tuple(range(data.rank))
    value = _number(read, 2, numbers_of(operation, "value", 0.0))
    if (operation.text("mode") or "constant") != "constant" or value or len(pads) != 2 * len(axes):
        raise Unsupported("with other than zeros")
    ours = {data.axis(axis): (pads[n], pads[n + len(axes)]) for n, axis in enumerate(axes)}
    if any(any(margin) for axis, margin in ours.items() if axis not in (1, 2)) or data.rank != 4:
        raise Unsupported("of other than height and width")
    if min(map(min, ours.values())) < 0:
        raise Unsupported("that cuts")
    return data.with_curve(network.pad(data.curve, (ours.get(1, (0, 0)), ours.get(2, (0, 0)))))


def _reshape(network: Network, operation: Operation, read: Read) -> Data:
    data, (batch, *rest) = _data(read), [int(edge) for edge in _needed(read, 1).reshape(-1)]
    if not operation.integer("allowzero"):
        rest = [data.shape[axis] if edge == 0 and axis < data.rank - 1 else edge for axis, edge in enumerate(rest)]
    total, known = math.prod(data.shape), math.prod(edge for edge in rest if edge != -1)
    if not rest or not known or min(rest) < -1 or rest.count(-1) > (batch != -1):
        raise Unsupported("of the batch")
    shape = tuple(total // known if edge == -1 else edge for edge in rest)
    return reshape(network, data, shape, named(operation))


def _flatten(network: Network, operation: Operation, read: Read) -> Data:
    data, axis = _data(read), operation.integer("axis", 1)
    if axis not in (1, 1 - data.rank):
        raise Unsupported("of the batch")
    return reshape(network, data, (math.prod(data.shape),), named(operation))


def _squeeze(network: Network, operation: Operation, read: Read) -> Data:
    data = _data(read)
    axes = axes_of(operation, [None, _constant(read, 1)])
    gone = {axis % data.rank for axis in axes} or {n for n, edge in enumerate(data.shape, 1) if edge == 1}
    kept = tuple(edge for axis, edge in enumerate(data.shape, 1) if axis not in gone)
    if 0 in gone or math.prod(kept) != math.prod(data.shape) or not kept:
        raise Unsupported("of the batch, or of an axis longer than 1")
    return reshape(network, data, kept, named(operation))


def _unsqueeze(network: Network, operation: Operation, read: Read) -> Data:
    data = _data(read)
    axes = axes_of(operation, [None, _constant(read, 1)])
    rank = data.rank + len(axes)
    added = {axis % rank for axis in axes}
    if 0 in added or len(added) != len(axes) or rank > 5:
        raise Unsupported("of the batch")
    edges = iter(data.shape)
    return reshape(network, data, tuple(1 if axis in added else next(edges) for axis in range(1, rank)), named(operation))


def _softmax(_: Network, operation: Operation, read: Read) -> Data:
    data = _data(read)
    axis = operation.integer("axis", 1 if data.rank == 2 else -1) % data.rank
    if math.prod(data.shape) != data.shape[axis - 1] or axis == 0:
        raise Unsupported("inside the model")
    return replace(data, ending="softmax" if operation.kind == "Softmax" else "log_softmax")


def _same(_: Network, operation: Operation, read: Read) -> Data:
    return _data(read)


def _cast(_: Network, operation: Operation, read: Read) -> Data:
    if operation.integer("to") not in (1, 10, 11):
        raise Unsupported("to integers")
    return _data(read)


def _transpose(_: Network, operation: Operation, read: Read) -> Data:
    return transpose(_data(read), operation.integers("perm"))


PASSING = {"Identity", "Cast", "Flatten", "Reshape", "Squeeze"}
"""What may follow a softmax."""
LAYERS: dict[str, Layer] = {
    **{"Conv": _conv, "Gemm": _gemm, "MatMul": _matmul, "BatchNormalization": _batch_norm},
    **{"MaxPool": _pool("MaxPooling2D"), "AveragePool": _pool("AveragePooling2D")},
    **{"GlobalAveragePool": _global("GlobalAveragePooling2D"), "GlobalMaxPool": _global("GlobalMaxPooling2D")},
    **{"ReduceMean": _reduce("GlobalAveragePooling2D"), "ReduceMax": _reduce("GlobalMaxPooling2D")},
    **{"Relu": _relu, "Clip": _clip, "Gelu": _gelu, "com.microsoft.Gelu": _gelu, "Pow": _power, "PRelu": _prelu},
    **{"Sigmoid": _unary("sigmoid"), "Tanh": _unary("tanh"), "Erf": _unary("erf"), "Softplus": _unary("softplus")},
    **{"HardSwish": _unary("hard_swish"), "HardSigmoid": _unary("hard_sigmoid", alpha=0.2, beta=0.5)},
    **{"LeakyRelu": _unary("leaky", alpha=0.01), "Elu": _unary("elu", alpha=1.0)},
    **{"Add": _arithmetic("add"), "Sub": _arithmetic("subtract"), "Mul": _arithmetic("multiply")},
    **{"Div": _arithmetic("divide"), "Max": _arithmetic("Maximum"), "Min": _arithmetic("Minimum")},
    **{"Concat": _concat, "Pad": _pad, "Transpose": _transpose, "Softmax": _softmax, "LogSoftmax": _softmax},
    **{"Reshape": _reshape, "Flatten": _flatten, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze},
    **{"Identity": _same, "Dropout": _same, "Cast": _cast},
}
