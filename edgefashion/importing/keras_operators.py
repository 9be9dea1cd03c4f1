"""What operators between layers are in the flat model: those of Keras 3, and functions of TensorFlow that
Keras 2 keeps as layers.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from edgefashion.errors import BadInput
from edgefashion.escaping import visible
from edgefashion.importing.keras_activations import activate
from edgefashion.importing.keras_graph import Call, Layer
from edgefashion.importing.keras_layers import reshape
from edgefashion.importing.tracing import Ended, Plane, Tracing, Value

Apply = Callable[[Tracing, Layer, list[Any]], Any]
"""What an operator makes of operands, values and numbers; its options are in the configuration."""
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


def operator_of(call: Call) -> Layer:
    """The layer that is called, its options too in its configuration; a function as the operator it is."""
    layer = call.layer
    kind, config = layer.kind, layer.config
    if kind in ("TFOpLambda", "SlicingOpLambda"):
        function = str(config.get("function"))
        kind = FUNCTIONS.get(function, f"tf.{function}")
    return replace(layer, kind=kind, config={**config, **call.named})


def operands_of(call: Call) -> list[Any]:
    """What an operator works on, and what a layer reads."""
    named = [call.named[each] for each in _SECOND_OPERANDS if call.named.get(each) is not None]
    first, *others = call.operands
    return [*(first if isinstance(first, list) and not _is_constant(first) else [first]), *others, *named]


def _is_constant(operand: Any) -> bool:
    if isinstance(operand, list):
        return all(_is_constant(each) for each in operand)
    return isinstance(operand, int | float | np.ndarray)


def _merged(trace: Tracing, layer: Layer, operands: list[Any]) -> Any:
    """A layer of two or more values; with a number, something to carry along."""
    kind = layer.kind.removeprefix("True")
    values = [each for each in operands if not _is_constant(each)]
    if len(values) == 1 and len(operands) == 2:
        (constant,) = (each for each in operands if _is_constant(each))
        return _with_constant(
            trace, layer, _carried(trace, values[0]), constant, operands[0] is not values[0]
        )
    if len(values) < len(operands) or len(values) < 2 or kind == "Divide":
        raise _unread(layer)
    known = _known_product(trace, values, layer) if kind == "Multiply" and len(values) == 2 else None
    return known or trace.draw(kind, values, {}, (), layer.name)


def _carried(trace: Tracing, value: Any) -> Value:
    """A value that can be scaled."""
    return value if isinstance(value, Value) else trace.value(trace.tensor(value))


def _with_constant(trace: Tracing, layer: Layer, value: Value, constant: Any, before: bool) -> Any:
    number = np.asarray(constant, np.float32)
    kind = layer.kind.removeprefix("True")
    if kind == "Add":
        return value.scaled(1, number)
    if kind == "Multiply":
        return value.scaled(number)
    if kind == "Subtract":
        return value.scaled(-1, number) if before else value.scaled(1, -number)
    if kind == "Divide" and not before and (number != 0).all():
        return value.scaled(1 / number)
    if kind == "Maximum" and (number == 0).all():
        return activate(trace, "relu", value, layer.name)
    raise _unread(layer)


def _known_product(trace: Tracing, values: list[Any], layer: Layer) -> Any:
    """The activation that a product of a value and its own sigmoid is, or begins to be."""
    for value, other in (values, values[::-1]):
        if isinstance(other, Ended) and other.ending == "sigmoid" and _same(other.logits, value):
            return activate(trace, "swish", value, layer.name)
    tensors = [trace.tensor(each) for each in values]
    for read, other in (tensors, tensors[::-1]):
        if trace.origin(other, "HardSigmoid") is read:
            return activate(trace, "hard_swish", trace.value(read), layer.name)
        if trace.origin(other, "relu6(x + 3)") is read:
            made = trace.draw("Multiply", [trace.value(each) for each in tensors], {}, (), layer.name)
            return trace.note_origin(made, "x * relu6(x + 3)", read)
    return None


def _same(one: Any, other: Any) -> bool:
    both = isinstance(one, Value) and isinstance(other, Value) and not one.is_image
    return both and one.tensor is other.tensor and one.plain and other.plain


def _activation(name: str) -> Apply:
    def apply(trace: Tracing, layer: Layer, operands: list[Any]) -> Any:
        (value,) = operands
        if layer.config.get("approximate") and name == "gelu":
            raise BadInput(f"{visible(layer.name)} is an approximate gelu: the exact one is read")
        return activate(trace, name, value, layer.name)

    return apply


def _leaky_relu(trace: Tracing, layer: Layer, operands: list[Any]) -> Any:
    slope = layer.told("negative_slope", "alpha", default=0.2)
    return trace.draw("LeakyReLU", operands[0], {"alpha": float(slope)}, (), layer.name)


def _negative(trace: Tracing, layer: Layer, operands: list[Any]) -> Any:
    return _carried(trace, operands[0]).scaled(-1)


def _concatenated(trace: Tracing, layer: Layer, operands: list[Any]) -> Any:
    values = [each for each in operands if not _is_constant(each)]
    return trace.draw("Concatenate", values, {"axis": int(layer.config.get("axis", -1))}, (), layer.name)


def _clip(trace: Tracing, layer: Layer, operands: list[Any]) -> Any:
    low = layer.told("x_min", "clip_value_min")
    high = layer.told("x_max", "clip_value_max")
    if low != 0 or not _is_constant(high):
        raise _unread(layer)
    if high == 6:
        return activate(trace, "relu6", operands[0], layer.name)
    return trace.draw("ReLU", operands[0], {"max_value": float(high)}, (), layer.name)


def _pooled(kind: str) -> Apply:
    """Over rows and columns."""

    def apply(trace: Tracing, layer: Layer, operands: list[Any]) -> Any:
        axes = layer.told("axis", default=0)
        rank = len(operands[0].shape) + 1
        found = sorted(axis % rank for axis in (axes if isinstance(axes, list | tuple) else [axes]))
        if found != [1, 2] or rank != 4:
            raise _unread(layer)
        keep = bool(layer.config.get("keepdims"))
        return trace.draw(kind, operands[0], {"keepdims": keep}, (), layer.name)

    return apply


def _transposed(trace: Tracing, layer: Layer, operands: list[Any]) -> Any:
    axes = layer.told("axes", "perm")
    if not isinstance(axes, list) or axes[:1] != [0]:
        raise _unread(layer)
    return trace.draw("Permute", operands[0], {"dims": axes[1:]}, (), layer.name)


def _squeezed(trace: Tracing, layer: Layer, operands: list[Any]) -> Any:
    shape, axes = list(operands[0].shape), layer.told("axis")
    rank = len(shape) + 1
    gone = {axis % rank - 1 for axis in (axes if isinstance(axes, list) else [axes])}
    if any(axis < 0 or shape[axis] != 1 for axis in gone):
        raise _unread(layer)
    left = tuple(edge for axis, edge in enumerate(shape) if axis not in gone)
    return reshape(trace, operands[0], left, layer.name)


def _expanded(trace: Tracing, layer: Layer, operands: list[Any]) -> Any:
    shape, axis = list(operands[0].shape), int(layer.config["axis"])
    place = axis % (len(shape) + 2) - 1
    if place < 0:
        raise _unread(layer)
    return reshape(trace, operands[0], (*shape[:place], 1, *shape[place:]), layer.name)


def _padded(trace: Tracing, layer: Layer, operands: list[Any]) -> Any:
    margins = layer.told("pad_width", "paddings")
    others = layer.config.get("mode", "constant"), layer.config.get("constant_values") or 0
    if (
        len(margins) != 4
        or [*margins[0], *margins[3]] != [0] * 4
        or others not in (("constant", 0), ("CONSTANT", 0))
    ):
        raise _unread(layer)
    return trace.draw("ZeroPadding2D", operands[0], {"padding": margins[1:3]}, (), layer.name)


def _cut(trace: Tracing, layer: Layer, operands: list[Any]) -> Any:
    """Rows and columns cut away; channels of the image turned round, or one of them alone."""
    value, *keys = operands
    keys = keys[0] if keys else layer.config["slice_spec"]
    keys = list(keys) if isinstance(keys, list) else [keys]
    rank = len(value.shape) + 1 if isinstance(value, Value) else 0
    if Ellipsis in keys:
        place = keys.index(Ellipsis)
        keys[place : place + 1] = [slice(None)] * (rank - len(keys) + 1)
    keys += [slice(None)] * (rank - len(keys))
    *before, last = keys
    if value.is_image and rank == 4 and all(key == slice(None) for key in before):
        if last == slice(None, None, -1):
            return value.reversed()
        if isinstance(last, int):
            return Plane(value, last % (value.shape[-1] or 1))
    if rank != 4 or keys[0] != slice(None) or last != slice(None):
        raise _unread(layer)
    margins = [_margins(key, edge, layer) for key, edge in zip(keys[1:3], value.shape, strict=False)]
    return trace.draw("Cropping2D", value, {"cropping": margins}, (), layer.name)


def _margins(key: Any, edge: int | None, layer: Layer) -> tuple[int, int]:
    """What a slice leaves out at either end."""
    if not isinstance(key, slice) or edge is None or key.step not in (None, 1):
        raise _unread(layer)
    start, stop, _ = key.indices(edge)
    return start, edge - stop


def _stacked(trace: Tracing, layer: Layer, operands: list[Any]) -> Any:
    """The channels of the image side by side again, in their order or the opposite one."""
    planes = [each for each in operands if isinstance(each, Plane)]
    image = planes[0].image if planes else None
    channels = [plane.channel for plane in planes if plane.image is image]
    if image is None or len(channels) != image.shape[-1] or layer.config.get("axis", 0) not in (-1, 3):
        raise _unread(layer)
    if channels == sorted(channels):
        return image
    if channels[::-1] != sorted(channels):
        raise _unread(layer)
    return image.reversed()


def _unread(layer: Layer) -> BadInput:
    return BadInput(f"{visible(layer.name)} is a use of {layer.kind} that is not read here")


OPERATORS: dict[str, Apply] = {
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Maximum", "Minimum"), _merged),
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
            *(("HardSilu", "hard_silu"), ("HardSwish", "hard_swish"), ("Cast", "linear")),
        )
    },
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
