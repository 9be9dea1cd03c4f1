"""How a Keras file says what a layer is called with, in the words of Keras 3 and of Keras 2."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

_CONSTANT = "_CONSTANT_VALUE"
DAMAGE = (
    *(ValueError, LookupError, ArithmeticError, TypeError, AttributeError),
    *(RuntimeError, OSError, MemoryError),
)
"""What comes of looking for what a damaged file does not have."""
Json = dict[str, Any]
Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Reference:
    """One of the calls of a layer, and which of its tensors."""

    name: str
    node: int
    tensor: int


@dataclass(frozen=True)
class Result:
    """What a call gives, where another one reads it: the number of the call."""

    call: int


def references(found: Any) -> list[Reference]:
    """Of `input_layers` and `output_layers`: a list, or a single one."""
    if isinstance(found, dict):
        found = list(found.values())
    if len(found) == 3 and isinstance(found[0], str):
        found = [found]
    return [_reference(each) for each in found]


def _reference(found: Any) -> Reference:
    name, node, tensor = found[:3]
    return Reference(str(name), int(node), int(tensor))


def parse_node(node: Any) -> tuple[tuple[Any, ...], Json]:
    """The arguments of a call, by place and by name, as Keras 3 or Keras 2 wrote them."""
    if isinstance(node, dict):
        return tuple(value_of(each) for each in node["args"]), {
            name: value_of(each) for name, each in node["kwargs"].items()
        }
    if isinstance(node[0], str):
        node = [node]
    operands = tuple(value_of(entry[2]) if entry[0] == _CONSTANT else _reference(entry) for entry in node)
    named = node[0][3] if len(node[0]) > 3 else {}
    return operands, {name: value_of(each, short=True) for name, each in named.items()}


def value_of(found: Any, short: bool = False) -> Any:
    """An argument: a number, a text, an array, a slice, a reference, or a list of these.

    `short` ones are those of Keras 2, which writes a reference as a list: name, node, tensor.
    """
    if isinstance(found, list):
        is_reference = len(found) == 3 and isinstance(found[0], str) and isinstance(found[1], int)
        if short and is_reference:
            return _reference(found)
        return [value_of(each, short) for each in found]
    if not isinstance(found, dict):
        return found
    config = found.get("config", found)
    if found.get("class_name") == "__keras_tensor__":
        return _reference(config["keras_history"])
    if found.get("class_name") in ("__tensor__", "__numpy__"):
        return np.asarray(config["value"], np.float32)
    if found.get("class_name") == "__ellipsis__":
        return Ellipsis
    if set(config) == {"start", "stop", "step"}:
        return slice(config["start"], config["stop"], config["step"])
    return found


def results_in(value: Any) -> Iterator[Result]:
    """Those in an argument, however deep in lists."""
    return _find(value, Result)


def references_in(value: Any) -> Iterator[Reference]:
    """The same of references."""
    return _find(value, Reference)


def _find(value: Any, kind: type[Kind]) -> Iterator[Kind]:
    if isinstance(value, list | tuple):
        for each in value:
            yield from _find(each, kind)
    elif isinstance(value, dict):
        yield from _find(list(value.values()), kind)
    elif isinstance(value, kind):
        yield value


def resolved(value: Any, result: Callable[[Reference], Result]) -> Any:
    """The same with results in the place of references."""
    if isinstance(value, list | tuple):
        return type(value)(resolved(each, result) for each in value)
    if isinstance(value, dict):
        return {key: resolved(each, result) for key, each in value.items()}
    return result(value) if isinstance(value, Reference) else value
