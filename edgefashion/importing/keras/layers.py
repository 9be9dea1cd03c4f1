"""What each kind of layer of a Keras file is in the network."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edgefashion.importing.keras.graph import Layer
from edgefashion.importing.keras.moves import MOVES, check_layout, pair
from edgefashion.importing.keras.reading import Draw, Reading, activated, constant, image, one
from edgefashion.importing.network import moves
from edgefashion.importing.network.arithmetic import a_channel, function
from edgefashion.importing.network.curves import Curve
from edgefashion.importing.network.layout import CHANNELS_LAST, Data
from edgefashion.importing.network.plan import Array, Unsupported
from edgefashion.importing.network.windows import NONE, Margins, same_margins


def _margins(
    layer: Layer, edges: Sequence[int], window: tuple[int, int], dilations: tuple[int, int]
) -> Margins:
    if layer.told("padding", default="valid") != "same":
        return NONE
    reach = [(side - 1) * step + 1 for side, step in zip(window, dilations, strict=True)]
    first, second = itertools.starmap(same_margins, zip(edges, reach, pair(layer, "strides"), strict=True))
    return first, second


def _convolution(reading: Reading, layer: Layer, data: Data, weights: list[Array], name: str) -> Data:
    """With a kernel as Keras has it; that of a depthwise one has an axis of multipliers."""
    curve = image(reading, data)
    kernel, *bias = weights
    window, dilations, strides = (pair(layer, each) for each in ("kernel_size", "dilation_rate", "strides"))
    _check_kernel(kernel, (*window, kernel.shape[-2], kernel.shape[-1]))
    groups = int(layer.told("groups", default=1))
    if layer.kind == "Conv2D":
        _check_kernel(kernel, (*kernel.shape[:3], layer.told("filters")))
    else:
        groups = curve.base.shape[-1]
        _check_kernel(kernel, (*window, groups, layer.told("depth_multiplier", default=1)))
        kernel = kernel.reshape(*window, 1, -1)
    margins = _margins(layer, curve.base.shape[:2], window, dilations)
    own = bias[0] if bias else None
    made = reading.network.conv(curve, kernel, own, strides, margins, dilations, groups, name)
    return Data(made, CHANNELS_LAST)


def _check_kernel(kernel: Array, shape: Sequence[Any]) -> None:
    if kernel.shape != tuple(shape):
        raise ValueError(f"a kernel has the shape {list(kernel.shape)} instead of {list(shape)}")


def _conv(reading: Reading, layer: Layer, read: Sequence[Any], weights: list[Array]) -> Data:
    check_layout(layer)
    return _with_activation(reading, layer, _convolution(reading, layer, one(read), weights, layer.name))


def _separable(reading: Reading, layer: Layer, read: Sequence[Any], weights: list[Array]) -> Data:
    """A depthwise convolution and a 1x1 one."""
    check_layout(layer)
    depthwise, pointwise, *bias = weights
    inner = _convolution(reading, layer, one(read), [depthwise], f"{layer.name}_depthwise")
    _check_kernel(pointwise, (1, 1, inner.shape[-1], layer.told("filters")))
    own = bias[0] if bias else None
    made = reading.network.conv(inner.curve, pointwise, own, (1, 1), NONE, name=layer.name)
    return _with_activation(reading, layer, Data(made, CHANNELS_LAST))


def _dense(reading: Reading, layer: Layer, read: Sequence[Any], weights: list[Array]) -> Data:
    data = one(read)
    kernel, *bias = weights
    _check_kernel(kernel, (data.shape[-1], layer.told("units")))
    own = bias[0] if bias else None
    if data.rank == 2:
        kernel = kernel if data.order is None else kernel[data.order]
        made = Data(reading.network.dense(data.curve, kernel, own, layer.name), (0, 1))
    else:
        window = kernel.reshape(1, 1, *kernel.shape)
        curve = reading.network.conv(image(reading, data), window, own, (1, 1), NONE, name=layer.name)
        made = Data(curve, CHANNELS_LAST)
    return _with_activation(reading, layer, made)


def _with_activation(reading: Reading, layer: Layer, data: Data) -> Data:
    """What the activation that a layer was told to have makes of a tensor."""
    found = layer.told("activation", default="linear") or "linear"
    if isinstance(found, str):
        return activated(reading, found, data, layer.name)
    kind = str(found.get("class_name"))
    if kind not in _ACTIVATION_LAYERS:
        raise Unsupported(f"with the activation {str(found.get('config', kind))[:60]}")
    inner = Layer(kind, found["config"], (*layer.path, kind))
    return _ACTIVATION_LAYERS[kind](reading, inner, [data], [])


def _batch_normalization(reading: Reading, layer: Layer, read: Sequence[Any], weights: list[Array]) -> Data:
    data = one(read)
    axis = layer.told("axis", default=-1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis not in (-1, data.rank - 1) or data.order is not None:
        raise Unsupported("of other than channels")
    if layer.told("renorm") or layer.told("virtual_batch_size"):
        raise Unsupported("of a part of the batch")
    *trained, mean, variance = weights
    named = dict(
        zip([each for each in ("scale", "center") if layer.told(each, default=True)], trained, strict=True)
    )
    gamma = named.get("scale", np.ones_like(mean))
    beta = named.get("center", np.zeros_like(mean))
    curve = image(reading, data) if data.rank == 4 else data.curve
    epsilon = float(layer.told("epsilon", default=1e-3))
    made = reading.network.batch_norm(curve, [gamma, beta, mean, variance], epsilon, layer.name)
    return Data(made, CHANNELS_LAST) if data.rank == 4 else data.with_curve(made)


def scaled(reading: Reading, data: Data, scale: Any, offset: Any, name: str) -> Data:
    """Each channel times a scale plus an offset, or all of them."""
    factors, shifts = (a_channel(data, np.asarray(each)) for each in (scale, offset))
    return data.with_curve(reading.network.scaled(data.curve, factors, shifts, name))


def _rescaling(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    scale, offset = constant(layer.told("scale")), constant(layer.told("offset", default=0.0))
    return scaled(reading, one(read), scale, offset, layer.name)


def _normalization(reading: Reading, layer: Layer, read: Sequence[Any], weights: list[Array]) -> Data:
    """(x - mean) / deviation of each channel, a deviation of 1e-7 at least."""
    if layer.told("invert"):
        raise Unsupported("that is inverted")
    given = weights[:2] or [constant(layer.told(each)) for each in ("mean", "variance")]
    mean, variance = (np.asarray(each, np.float64) for each in given)
    deviation = np.maximum(np.sqrt(np.maximum(variance, 0)), 1e-7)
    return scaled(reading, one(read), 1 / deviation, -mean / deviation, layer.name)


def _relu(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    if float(layer.told("threshold") or 0):
        raise Unsupported("with a threshold")
    most, slope = layer.told("max_value"), float(constant(layer.told("negative_slope") or 0))
    data = one(read)
    if slope:
        data = function(data, "leaky", (slope,), layer.name)
    limits = (-math.inf if slope else 0.0, math.inf if most is None else float(constant(most)))
    return function(data, "clip", limits, layer.name)


def _leaky_relu(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    slope = float(constant(layer.told("negative_slope", "alpha", default=0.3)))
    return function(one(read), "leaky", (slope,), layer.name)


def _elu(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    return function(one(read), "elu", (float(layer.told("alpha", default=1.0)),), layer.name)


def _softmax(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    axis = layer.told("axis", default=-1)
    return moves.softmax(one(read), axis[0] if isinstance(axis, list) else int(axis), log=False)


def _prelu(reading: Reading, layer: Layer, read: Sequence[Any], weights: list[Array]) -> Data:
    data = one(read)
    if data.order is not None:
        raise Unsupported("of a row that was flattened")
    tensor = reading.network.tensor_of(image(reading, data) if data.rank == 4 else data.curve)
    config = {"shared_axes": layer.told("shared_axes")}
    made = reading.network.add("PReLU", [tensor], tensor.shape, config, weights, layer.name)
    return data.with_curve(Curve.of(made))


def _pooling(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    check_layout(layer)
    curve, window = image(reading, one(read)), pair(layer, "pool_size")
    margins = _margins(layer, curve.base.shape[:2], window, (1, 1))
    strides = pair(layer, "strides")
    return Data(
        reading.network.pool(layer.kind, curve, window, strides, margins, name=layer.name), CHANNELS_LAST
    )


def _global_pooling(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    check_layout(layer)
    keep = bool(layer.told("keepdims"))
    return moves.reduce(reading.network, layer.kind, one(read), (1, 2), keep, layer.name)


_ACTIVATION_LAYERS: dict[str, Callable[..., Data]] = {
    "ReLU": _relu,
    "LeakyReLU": _leaky_relu,
    "ELU": _elu,
    "Softmax": _softmax,
}
LAYERS: dict[str, Draw] = {
    **MOVES,
    **dict.fromkeys(("Conv2D", "DepthwiseConv2D"), _conv),
    **dict.fromkeys(("BatchNormalization", "SyncBatchNormalization"), _batch_normalization),
    **dict.fromkeys(("BatchNormalizationV1", "BatchNormalizationV2"), _batch_normalization),
    **_ACTIVATION_LAYERS,
    **dict.fromkeys(("MaxPooling2D", "AveragePooling2D"), _pooling),
    **dict.fromkeys(("GlobalMaxPooling2D", "GlobalAveragePooling2D"), _global_pooling),
    "Activation": lambda reading, layer, read, _: _with_activation(reading, layer, one(read)),
    "Dense": _dense,
    "SeparableConv2D": _separable,
    "Rescaling": _rescaling,
    "Normalization": _normalization,
    "PReLU": _prelu,
}
