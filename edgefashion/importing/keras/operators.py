"""What operators between layers are in the network: those of Keras 3, and functions of TensorFlow, which
Keras 2 keeps as layers.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edgefashion.importing.keras.graph import Call, Layer
from edgefashion.importing.keras.moves import cropped
from edgefashion.importing.keras.reading import Draw, Plane, Reading, activated, constant, one
from edgefashion.importing.network import moves
from edgefashion.importing.network.arithmetic import combined, function
from edgefashion.importing.network.layout import Data, transpose
from edgefashion.importing.network.plan import Array, Unsupported

_SECOND_OPERANDS = ("y", "x2", "value", "bias")

FUNCTIONS = {
    **{f"{place}.add": "Add" for place in ("__operators__", "math")},
    **{name: "Subtract" for name in ("math.subtract", "__operators__.sub")},
    **{name: "Multiply" for name in ("math.multiply", "__operators__.mul")},
    **{name: "Divide" for name in ("math.truediv", "math.divide", "__operators__.truediv")},
    **{f"math.{name}": name.capitalize() for name in ("maximum", "minimum", "negative", "sigmoid", "tanh")},
    **{
        f"nn.{name}": name.capitalize()
        for name in ("relu", "relu6", "elu", "gelu", "silu", "softplus", "tanh")
    },
    **{"nn.sigmoid": "Sigmoid", "nn.softmax": "Softmax", "nn.bias_add": "Add", "nn.leaky_relu": "LeakyRelu"},
    **{"nn.swish": "Silu", "nn.swish_impl": "Silu"},
    **{name: "Cast" for name in ("cast", "identity", "stop_gradient", "convert_to_tensor")},
    **{"math.reduce_mean": "Mean", "math.reduce_max": "Max", "reduce_mean": "Mean", "reduce_max": "Max"},
    **{"reshape": "Reshape", "concat": "Concatenate", "transpose": "Transpose", "squeeze": "Squeeze"},
    **{"expand_dims": "ExpandDims", "clip_by_value": "Clip", "pad": "Pad", "stack": "Stack"},
    "compat.v1.transpose": "Transpose",
    "__operators__.getitem": "GetItem",
}
"""Functions of TensorFlow, by the names that Keras 2 writes, and the operators they are."""


_OPTIONS = {
    **dict.fromkeys(("Mean", "Max"), ("axis", "keepdims")),
    **dict.fromkeys(("Concatenate", "Squeeze", "ExpandDims", "Stack"), ("axis",)),
    **{"Cast": ("dtype",), "Gelu": ("approximate",), "GetItem": ("slice_spec",)},
    **{"LeakyRelu": ("negative_slope", "alpha"), "Transpose": ("axes", "perm")},
    "Clip": ("x_min", "x_max", "clip_value_min", "clip_value_max"),
    "Pad": ("mode", "constant_values", "pad_width", "paddings"),
}
"""What each operator may be told."""
_PLAIN = {"alpha": 1.0, "beta": 1.0, "data_format": "NHWC"}
"""Options that, so told, say what goes without saying."""
_OF_EVERY = ("name", "trainable", "dtype", "function", "batch_shape", "batch_input_shape", *_SECOND_OPERANDS)


def check_options(layer: Layer) -> None:
    """Raise Unsupported for an operator that was told what is not understood."""
    if layer.kind not in OPERATORS:
        return
    known = (*_OF_EVERY, *_OPTIONS.get(layer.kind, ()))
    told = {name: value for name, value in layer.config.items() if value is not None and value is not False}
    for name, value in told.items():
        if name not in known and (name not in _PLAIN or value != _PLAIN[name]):
            raise Unsupported(f"with {name[:40]}")


def operator_of(call: Call) -> Layer:
    """The layer that is called, its options too in its configuration; a function as the operator it is."""
    layer = call.layer
    kind, config = layer.kind, {**layer.config, **call.named}
    if kind in ("TFOpLambda", "SlicingOpLambda"):
        function = str(config.get("function"))
        kind = FUNCTIONS.get(function, f"tf.{function}")
    return replace(layer, kind=kind, config=config)


def operands_of(call: Call) -> list[Any]:
    """What an operator works on, and what a layer reads: results, and numbers."""
    named = [call.named[each] for each in _SECOND_OPERANDS if call.named.get(each) is not None]
    first, *others = call.operands
    return [*(first if isinstance(first, list) and not _is_constant(first) else [first]), *others, *named]


def _is_constant(operand: Any) -> bool:
    if isinstance(operand, list):
        return all(_is_constant(each) for each in operand)
    return isinstance(operand, int | float | np.ndarray)


def _combined(kind: str) -> Draw:
    """Of two tensors or more, or of one and a number."""

    def draw(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
        first, *others = (constant(each) if _is_constant(each) else each for each in read)
        for each in others:
            first = combined(reading.network, kind, [first, each], layer.name)
        if not others or not isinstance(first, Data):
            raise Unsupported("of one")
        return first

    return draw


def _average(reading: Reading, layer: Layer, read: Sequence[Any], weights: list[Array]) -> Data:
    made = _combined("add")(reading, layer, read, weights)
    assert isinstance(made, Data)
    return function(made, "affine", (1 / len(read), 0.0), layer.name)


def _activation(name: str) -> Draw:
    def draw(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
        data = one(read)
        if name == "gelu" and layer.told("approximate"):
            return function(data, "gelu_tanh", (), layer.name)
        return activated(reading, name, data, layer.name)

    return draw


def _cast(_: Reading, layer: Layer, read: Sequence[Any], __: list[Array]) -> Data:
    kind = layer.told("dtype") or "float32"
    kind = kind if isinstance(kind, str) else str(kind["config"]["name"])
    if not kind.startswith(("float", "bfloat", "mixed")):
        raise Unsupported(f"to {kind[:20]}")
    return one(read)


def _hard_sigmoid(_: Reading, layer: Layer, read: Sequence[Any], __: list[Array]) -> Data:
    """As `models.activations` has it, in files of Keras 2 too."""
    return function(one(read), "hard_sigmoid", (1 / 6, 0.5), layer.name)


def _leaky_relu(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    slope = layer.told("negative_slope", "alpha", default=0.2)
    return function(one(read), "leaky", (float(slope),), layer.name)


def _negative(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    return function(one(read), "affine", (-1.0, 0.0), layer.name)


def _concatenated(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    if any(map(_is_constant, read)):
        raise Unsupported("with a constant")
    every = [one([each]) for each in read]
    return moves.concatenate(reading.network, every, int(layer.told("axis", default=-1)), layer.name)


def _clip(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    low, high = layer.told("x_min", "clip_value_min"), layer.told("x_max", "clip_value_max")
    return function(one(read), "clip", (float(constant(low)), float(constant(high))), layer.name)


def _pooled(kind: str) -> Draw:
    def draw(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
        axes = layer.told("axis")
        axes = axes if isinstance(axes, list | tuple) else [axes]
        return moves.reduce(
            reading.network,
            kind,
            one(read),
            [int(axis) for axis in axes],
            bool(layer.told("keepdims")),
            layer.name,
        )

    return draw


def _transposed(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    return transpose(one(read), tuple(layer.told("axes", "perm") or ()))


def _squeezed(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    axes = layer.told("axis")
    axes = axes if isinstance(axes, list) else [] if axes is None else [axes]
    return moves.squeeze(reading.network, one(read), axes, layer.name)


def _expanded(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    return moves.unsqueeze(reading.network, one(read), [int(layer.told("axis"))], layer.name)


def _padded(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    mode, value = layer.told("mode", default="constant"), layer.told("constant_values") or 0
    if str(mode).lower() != "constant" or value:
        raise Unsupported("with other than zeros")
    margins = layer.told("pad_width", "paddings")
    pairs = {axis: (int(before), int(after)) for axis, (before, after) in enumerate(margins)}
    return moves.pad(reading.network, one(read), pairs)


def _cut(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data | Plane:
    """Rows and columns cut away; channels of the image turned round, or one of them alone."""
    data, *keys = read
    data, *before, last = one([data]), *_keys(keys[0] if keys else layer.told("slice_spec"), one([data]).rank)
    if all(key == slice(None) for key in before) and data.rank == 4:
        if last == slice(None, None, -1):
            return reading.turned(data)
        if isinstance(last, int) and reading.is_image(data):
            return Plane(data, last % data.shape[-1])
    if data.rank != 4 or before[0] != slice(None) or last != slice(None):
        raise Unsupported("of other than rows and columns")
    first, second = (_margin(key, edge) for key, edge in zip(before[1:], data.shape, strict=False))
    return cropped(reading, data, (first, second), layer.name)


def _keys(found: Any, rank: int) -> list[Any]:
    """One for each axis."""
    keys = list(found) if isinstance(found, list) else [found]
    if Ellipsis in keys:
        place = keys.index(Ellipsis)
        keys[place : place + 1] = [slice(None)] * (rank - len(keys) + 1)
    return keys + [slice(None)] * (rank - len(keys))


def _margin(key: Any, edge: int) -> tuple[int, int]:
    """What a slice leaves out at either end."""
    if not isinstance(key, slice) or key.step not in (None, 1):
        raise Unsupported("with a step")
    start, stop, _ = key.indices(edge)
    return start, edge - stop


def _stacked(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    """The channels of the image side by side again, in their order or the opposite one."""
    planes = [each for each in read if isinstance(each, Plane)]
    if not planes or len(planes) < len(read) or layer.told("axis", default=0) not in (-1, 3):
        raise Unsupported("of other than the channels of the image")
    image, channels = planes[0].image, [plane.channel for plane in planes]
    if any(plane.image is not image for plane in planes) or sorted(channels) != list(range(image.shape[-1])):
        raise Unsupported("of other than the channels of the image")
    if channels == sorted(channels):
        return image
    if channels[::-1] != sorted(channels):
        raise Unsupported("of channels in another order")
    return reading.turned(image)


OPERATORS: dict[str, Draw] = {
    **{kind: _combined(kind.lower()) for kind in ("Add", "Subtract", "Multiply", "Divide")},
    **{kind: _combined(kind) for kind in ("Maximum", "Minimum")},
    "TrueDivide": _combined("divide"),
    **{
        kind: _activation(name)
        for kind, name in (
            *(
                ("Relu", "relu"),
                ("Relu6", "relu6"),
                ("Sigmoid", "sigmoid"),
                ("Tanh", "tanh"),
                ("Silu", "silu"),
            ),
            *(("Gelu", "gelu"), ("Elu", "elu"), ("Softplus", "softplus"), ("HardSigmoid", "hard_sigmoid")),
            *(("HardSilu", "hard_silu"), ("HardSwish", "hard_swish")),
        )
    },
    "edgefashion>HardSwish": _activation("hard_swish"),
    "edgefashion>HardSigmoid": _hard_sigmoid,
    "Average": _average,
    "Cast": _cast,
    "LeakyRelu": _leaky_relu,
    "Negative": _negative,
    "Concatenate": _concatenated,
    "Clip": _clip,
    "Mean": _pooled("GlobalAveragePooling2D"),
    "Max": _pooled("GlobalMaxPooling2D"),
    "Transpose": _transposed,
    "Squeeze": _squeezed,
    "ExpandDims": _expanded,
    "Pad": _padded,
    "GetItem": _cut,
    "Stack": _stacked,
}
