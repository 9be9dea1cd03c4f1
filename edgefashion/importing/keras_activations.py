"""What Keras means by the name of an activation."""

from typing import Any

from edgefashion.errors import BadInput
from edgefashion.escaping import visible
from edgefashion.importing.imported import Ending
from edgefashion.importing.tracing import Ended, Tracing

_FUNCTIONS = {name: name for name in ("tanh", "swish", "gelu", "elu", "softplus")} | {"silu": "swish"}
_ENDINGS: dict[str, Ending] = {"softmax": "softmax", "sigmoid": "sigmoid"}
NAMES = {
    *("linear", "relu", "relu6", "leaky_relu", "hard_sigmoid", "hard_swish", "hard_silu"),
    *_FUNCTIONS,
    *_ENDINGS,
}
"""Those that there are layers for."""


def activate(trace: Tracing, activation: str, value: Any, name: str) -> Any:
    """What an activation makes of a value, or of one that ends in a softmax or sigmoid."""
    if activation == "linear":
        return value
    if activation in _ENDINGS:
        return Ended(_ENDINGS[activation], value)
    if activation == "relu":
        return trace.draw("ReLU", value, {}, (), name)
    if activation == "relu6":
        made = trace.draw("ReLU", value, {"max_value": 6.0}, (), name)
        read = trace.origin(made.tensor.node.layer.input, "x + 3")
        return made if read is None else trace.note_origin(made, "relu6(x + 3)", read)
    if activation == "leaky_relu":
        return trace.draw("LeakyReLU", value, {"alpha": 0.2}, (), name)
    if activation == "hard_sigmoid":
        return _hard_sigmoid(trace, value, name)
    if activation in ("hard_swish", "hard_silu"):
        return trace.draw("HardSwish", value, {}, (), name)
    if activation in _FUNCTIONS:
        return trace.draw("Activation", value, {"activation": _FUNCTIONS[activation]}, (), name)
    raise BadInput(f"{visible(name)} has the activation {visible(str(activation)[:60])}")


def _hard_sigmoid(trace: Tracing, value: Any, name: str) -> Any:
    """relu6(x + 3) / 6 of Keras 3; that of Keras 2 is 0.2 x + 0.5, from 0 to 1."""
    if trace.format == "Keras 2":
        return trace.draw("ReLU", value.scaled(0.2, 0.5), {"max_value": 1.0}, (), name)
    made = trace.draw("HardSigmoid", value, {}, (), name)
    return trace.note_origin(made, "HardSigmoid", made.tensor.node.layer.input)
