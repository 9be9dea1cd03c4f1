"""A Keras model, once its file is open, call by call into the flat one."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from edgefashion.errors import BadInput, first_line
from edgefashion.escaping import visible
from edgefashion.importing.imported import Format, Imported
from edgefashion.importing.keras_activations import NAMES
from edgefashion.importing.keras_graph import INPUT, Call, Layer, flatten
from edgefashion.importing.keras_layers import ACTIVATION_LAYERS, LAYERS
from edgefashion.importing.keras_nodes import Result
from edgefashion.importing.keras_operators import OPERATORS, operands_of, operator_of
from edgefashion.importing.keras_weights import Weights
from edgefashion.importing.tracing import Ended, Tracing, Value
from edgefashion.models import imported
from edgefashion.tensorflow import keras

_QUANTIZED = re.compile(r"int4|int8|float8|gptq|awq|Quantized")
_MERGING = ("Average",)
"""Layers of several inputs that are no operators."""
Size = tuple[int, int]


@dataclass(frozen=True)
class KerasModel:
    """What a file says of its model, which Keras wrote it, and its weights."""

    model: Layer
    format: Format
    weights: Callable[[Layer], Weights]


def trace(file: KerasModel, size: Size | None, at_most: int) -> Imported:
    """The classifier that a file is, with at most so many bytes of weights; see `keras_file.read`."""
    calls, results = flatten(file.model)
    _check_kinds(calls)
    if len(results) != 1:
        raise BadInput(f"it has {len(results)} outputs, as detectors have: a classifier has one")
    weights = file.weights(file.model)
    trace = Tracing(file.format, size, at_most // 4)
    values: list[Any] = []
    for call in calls:
        try:
            values.append(_called(trace, call, values, weights))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, RuntimeError) as error:
            name = visible(call.layer.name[:60])
            raise BadInput(
                f"its layer {name} ({call.layer.kind}) is damaged ({first_line(error)})"
            ) from error
    return _finished(file, trace, values[results[0].call])


def _check_kinds(calls: Sequence[Call]) -> None:
    """Raise BadInput for layers that are not known, all of them by name and count."""
    found = Counter(each for call in calls for each in _unknown(call))
    if not found:
        return
    named = ", ".join(f"{visible(kind[:80])} ({count})" for kind, count in sorted(found.items())[:40])
    lambdas = ": the code of a Lambda layer is never run" if "Lambda" in found else ""
    raise BadInput(f"it has what there are no layers for here: {named}{lambdas}")


def _unknown(call: Call) -> Iterator[str]:
    layer = operator_of(call)
    config = layer.config
    if layer.kind not in LAYERS and layer.kind not in OPERATORS and layer.kind != INPUT:
        yield layer.kind
        return
    if _QUANTIZED.search(str(config.get("dtype"))) or config.get("quantization_config"):
        raise BadInput(
            f"{visible(layer.name)} is quantized already: give the model as it was trained, in float"
        )
    activation = config.get("activation")
    if isinstance(activation, dict) and activation.get("class_name") not in ACTIVATION_LAYERS:
        yield f"the activation {activation.get('config', activation.get('class_name'))}"[:80]
    elif isinstance(activation, str) and activation not in NAMES:
        yield f"the activation {activation}"


def _called(trace: Tracing, call: Call, values: list[Any], weights: Weights) -> Any:
    """What a call gives, from what those before it gave."""
    layer = operator_of(call)
    if layer.kind == INPUT:
        return _image(layer)
    operands = [_filled(each, values) for each in operands_of(call)]
    if layer.kind in OPERATORS:
        return OPERATORS[layer.kind](trace, layer, operands)
    if layer.kind not in _MERGING and len(operands) > 1:
        raise BadInput(f"{visible(layer.name)} ({layer.kind}) reads {len(operands)} inputs: one is read")
    if trace.format == "Keras 2" and call.named.get("training") is True:
        raise BadInput(f"{visible(layer.name)} ({layer.kind}) is called as in training, where answers vary")
    return LAYERS[layer.kind](
        trace, layer, operands if layer.kind in _MERGING else operands[0], weights(layer)
    )


def _filled(operand: Any, values: list[Any]) -> Any:
    if isinstance(operand, list):
        return [_filled(each, values) for each in operand]
    return values[operand.call] if isinstance(operand, Result) else operand


def _image(layer: Layer) -> Value:
    """The input of a model, if it is an image."""
    _, *shape = layer.config.get("batch_shape") or layer.config.get("batch_input_shape") or [None]
    open_edges = [edge for edge in shape[:2] if edge is None]
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] is None) or (len(shape) == 2 and open_edges):
        what = "rows of numbers" if len(shape) == 1 else "sequences" if len(shape) == 2 else "something else"
        raise BadInput(f"its input of the shape {visible(str(shape)[:80])} is no image, but {what}")
    return Value(tuple(shape))


def _finished(file: KerasModel, trace: Tracing, value: Any) -> Imported:
    """What was read, once the answer of the model is known."""
    ending = value.ending if isinstance(value, Ended) else "logits"
    logits = value.logits if isinstance(value, Ended) else value
    if not isinstance(logits, Value) or logits.is_image:
        raise BadInput("it has no layer that computes")
    if len(logits.shape) == 3 and logits.shape[:2] == (1, 1):
        logits = trace.draw("Flatten", logits)
    if len(logits.shape) != 1:
        shape = "x".join(map(str, logits.shape))
        raise BadInput(
            f"it answers with {shape} numbers, as detectors and segmentations do: a classifier has a row"
        )
    notes = [*trace.notes]
    if logits.shape[0] == 1:
        logits = trace.two_logits(logits)
        notes.append(
            "Its single output z is two here, -z/2 and z/2: whether an image is not of its class, or is"
        )
    inside = sum(layer.is_model for layer in file.model.layers())
    if inside:
        notes.insert(0, f"{inside} model{'s' * (inside > 1)} inside it became one with it")
    if trace.left_out:
        notes.append(f"Left out, doing nothing at inference: {', '.join(trace.left_out)}")
    return Imported(
        model=_rebuilt(trace, logits),
        format=file.format,
        ending=ending,
        preprocessing=trace.preprocessing(),
        size=trace.fixed_size,
        answers=None,
        notes=tuple(notes),
    )


def _rebuilt(trace: Tracing, logits: Value) -> keras.Model:
    """The model without the layers that became others, as a run folder gives it back."""
    assert trace.drawing is not None
    drawn = trace.drawing.model(trace.tensor(logits))
    model = imported.build(drawn.get_config())
    model.set_weights(drawn.get_weights())
    return model
