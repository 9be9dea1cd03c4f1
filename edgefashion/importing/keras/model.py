"""A Keras model, once its file is open, call by call into a network."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from edgefashion.errors import first_line
from edgefashion.escaping import visible
from edgefashion.importing.keras.graph import Call, Layer, flatten
from edgefashion.importing.keras.layers import LAYERS
from edgefashion.importing.keras.moves import kept_ratio
from edgefashion.importing.keras.nodes import DAMAGE, Result, results_in
from edgefashion.importing.keras.operators import OPERATORS, check_options, operands_of, operator_of
from edgefashion.importing.keras.reading import Reading, Value
from edgefashion.importing.keras.weights import Weights
from edgefashion.importing.network.curves import Curve
from edgefashion.importing.network.failures import Failures
from edgefashion.importing.network.given import Given, Refused, image_of, row_of, shown, single
from edgefashion.importing.network.imported import Format, Preprocessing
from edgefashion.importing.network.layout import CHANNELS_LAST, Data
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.plan import Unsupported

_QUANTIZED = re.compile(r"\bint4|\bint8|float8|gptq|awq|Quantized")
_DRAW = LAYERS | OPERATORS
_BEHIND_SOFTMAX = ("Activation", "Flatten", "Reshape", "Identity", "Cast", "Dropout")
_BEFORE_RESIZING = (
    "Rescaling",
    "Normalization",
    "Cast",
    "TrueDivide",
    "Divide",
    "Multiply",
    "Add",
    "Subtract",
)
Size = tuple[int, int]


@dataclass(frozen=True)
class KerasModel:
    """What a file says of its model, which Keras wrote it, and its weights."""

    model: Layer
    format: Format
    weights: Callable[[Layer], Weights]


def trace(file: KerasModel, size: Size | None) -> Given:
    """The classifier that a file is. Raises Refused for what is none, and ValueError where it is damaged."""
    calls, results = flatten(file.model)
    calls = [replace(call, layer=operator_of(call)) for call in calls]
    if unknown := [call.layer.kind for call in calls[1:] if call.layer.kind not in _DRAW]:
        told = {"Lambda": "Lambda, whose code is not run"}
        raise Refused.operators([told.get(kind, kind)[:80] for kind in unknown])
    output = single(results, "output")
    shape, resizing = _image_shape(calls)
    image = image_of((None, *shape, 1)[:4], "float32", size, channels_last=True)
    reading = Reading(Network(image.shape), file.format)
    axes = CHANNELS_LAST[: len(shape) + 1]
    reading.values.append(Data(Curve.of(reading.network.image), axes))
    weights, failures = file.weights(file.model), Failures()
    for call in calls[1:]:
        _check(call, reading)
        try:
            reading.values.append(_called(reading, call, weights))
            failures.note(call.layer.kind[:80], reading.values[-1])
        except Unsupported as reason:
            failures.add(call.layer.kind[:80], reason)
            reading.values.append(None)
        except DAMAGE as error:
            raise ValueError(f"its layer {call.layer.name[:60]}: {first_line(error)[:200]}") from error
    last = reading.values[output.call]
    given = failures.checked(lambda: row_of(reading.network, last, image, file.format))
    given.notes[:0] = _notes(file.model, reading, resizing)
    if reading.bgr:
        before = given.preprocessing or Preprocessing((1.0,), (0.0,))
        given.preprocessing = replace(before, bgr=True)
    return given


def _notes(model: Layer, reading: Reading, resizing: str | None) -> list[str]:
    inside = sum(layer.is_model for layer in model.layers())
    notes = [f"{inside} model{'s' * (inside > 1)} inside it became one with it"] if inside else []
    notes += [resizing] if resizing else []
    if reading.left_out:
        notes.append(f"left out, since they do nothing at inference: {', '.join(reading.left_out)}")
    return notes


def _image_shape(calls: Sequence[Call]) -> tuple[list[int | None], str | None]:
    """Height, width and channels of its images, the last one not always; and what is said of a resizing."""
    _, *shape = calls[0].layer.told("batch_shape", "batch_input_shape") or [None]
    if len(shape) not in (2, 3) or (len(shape) == 2 and None in shape):
        raise Refused(f"takes {shown([None, *shape])}, not pictures: it is no classifier of them")
    first = _resizing(calls)
    if first is None:
        return shape, None
    size = [int(first.told("height")), int(first.told("width"))]
    if shape[:2] == size:
        return shape, None
    how = ", ".join(filter(None, (visible(str(first.told("interpolation"))[:20]), kept_ratio(first))))
    note = f"it resizes its images to {size[0]}x{size[1]} ({how}) itself: here they are made so large before"
    return [*size, *shape[2:]], note


def _resizing(calls: Sequence[Call]) -> Layer | None:
    """The layer that resizes the image, where nothing but scales and offsets comes before."""
    readers: dict[int, set[int]] = {}
    for each, call in enumerate(calls):
        for result in results_in(call.operands):
            readers.setdefault(result.call, set()).add(each)
    number = 0
    while True:
        following = readers.get(number, set())
        if len(following) != 1:
            return None
        (number,) = following
        layer = calls[number].layer
        if layer.kind == "Resizing":
            return layer
        if layer.kind not in _BEFORE_RESIZING and _DRAW.get(layer.kind) is not LAYERS["Dropout"]:
            return None


def _check(call: Call, reading: Reading) -> None:
    """Raise Refused for a layer that is quantized, or that is called as in training."""
    layer, kind = call.layer, visible(call.layer.kind[:80])
    if _QUANTIZED.search(str(layer.told("dtype"))) or layer.told("quantization_config"):
        raise Refused(f"is quantized already (it has a {kind} of integers): name the model in float")
    random = layer.kind == "BatchNormalization" or "Dropout" in layer.kind
    if reading.format == "Keras 2" and call.named.get("training") is True and random:
        raise Refused(f"calls its {kind} as in training, where answers vary")


def _called(reading: Reading, call: Call, weights: Weights) -> Value:
    """What a call gives; nothing where something that it reads could not be taken over."""
    layer = call.layer
    read = [_filled(each, reading.values) for each in operands_of(call)]
    if any(each is None for each in read):
        return None
    check_options(layer)
    passes = layer.kind in _BEHIND_SOFTMAX and layer.told("activation", default="linear") == "linear"
    if any(isinstance(each, Data) and each.ending for each in read) and not passes:
        raise Unsupported("behind a softmax")
    return _DRAW[layer.kind](reading, layer, read, weights(layer))


def _filled(operand: Any, values: Sequence[Value]) -> Any:
    if isinstance(operand, list):
        return [_filled(each, values) for each in operand]
    return values[operand.call] if isinstance(operand, Result) else operand
