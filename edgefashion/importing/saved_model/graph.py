"""The graph of a SavedModel, by the field numbers of TensorFlow's schema."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgefashion.artifacts.protobuf import Message
from edgefashion.importing.network.plan import Array, Unsupported

DTYPES = {1: "float32", 2: "float64", 3: "int32", 4: "uint8", 9: "int64", 10: "bool", 19: "float16"}
_VALUES = {1: 5, 2: 6, 3: 7, 4: 7, 9: 10, 10: 11}
"""The field of a tensor that has its values one by one, by type."""
_MOST_VALUES = 1 << 24
CALLS = ("StatefulPartitionedCall", "PartitionedCall")
Place = tuple[str, int]
"""An operator's name and the number of its output; an argument of a function has number 0."""


class Node:
    """An operator of a graph or function."""

    def __init__(self, message: Message) -> None:
        self.name, self.kind = message.text(1), message.text(2)
        self.inputs = tuple(place_of(text) for text in message.texts(3) if not text.startswith("^"))
        self._attributes = {entry.text(1): entry.message(2) for entry in message.messages(5)}

    def integer(self, name: str, default: int = 0) -> int:
        """An attribute that is an integer, a type, or true or false."""
        found = self._attributes.get(name)
        return (
            default if found is None else next((found.integer(n) for n in (3, 5, 6) if n in found), default)
        )

    def integers(self, name: str) -> tuple[int, ...]:
        """An attribute of several integers."""
        return self._attributes[name].message(1).integers(3) if name in self._attributes else ()

    def number(self, name: str, default: float) -> float:
        """An attribute that is a float."""
        found = self._attributes.get(name)
        return default if found is None or 4 not in found else found.floats(4)[-1]

    def text(self, name: str) -> str:
        """An attribute that is a string."""
        return self._attributes[name].text(2) if name in self._attributes else ""

    def function(self) -> str:
        """The name of the function that it calls."""
        return self._attributes["f"].message(10).text(1) if "f" in self._attributes else ""

    def shape(self) -> Message:
        """The attribute `shape`."""
        return self._attributes["shape"].message(7)

    def tensor(self) -> Array:
        """The value of a constant. Raises ValueError for a damaged one, Unsupported for one of text."""
        return _tensor(self._attributes["value"].message(8))


@dataclass(frozen=True)
class Body:
    """Operators by name, and where what they give is; the arguments of a function."""

    nodes: Mapping[str, Node]
    arguments: Sequence[str]
    results: Sequence[Place]

    def ordered(self) -> Iterator[Node]:
        """The operators that the results hang on, each behind what it reads. ValueError for a circle."""
        done: set[str] = set(self.arguments)
        entered: set[str] = set()
        waiting = [name for name, _ in self.results]
        while waiting:
            name = waiting[-1]
            node = self.nodes.get(name)
            if name in done or node is None:
                if node is None and name not in done:
                    raise ValueError("an operator reads what none makes")
                waiting.pop()
                continue
            missing = [each for each, _ in node.inputs if each not in done]
            if missing and name in entered:
                raise ValueError("its operators read each other in a circle")
            entered.add(name)
            if missing:
                waiting += missing
                continue
            done.add(name)
            waiting.pop()
            yield node


def place_of(text: str) -> Place:
    """Where an input comes from: `name`, `name:number`, or in a function `name:output:number`."""
    name, *rest = text.split(":")
    if not rest:
        return name, 0
    if not rest[-1].isdigit():
        raise ValueError("an operator reads what has no number")
    return name, -1 if len(rest) == 2 and rest[0].startswith(("batch_", "reserve_")) else int(rest[-1])


def function_of(message: Message) -> tuple[str, Body]:
    """A function by its name."""
    signature = message.message(1)
    returned = {entry.text(1): entry.text(2) for entry in message.messages(4)}
    nodes = {node.name: node for node in map(Node, message.messages(3))}
    arguments = [entry.text(1) for entry in signature.messages(2)]
    results = [place_of(returned[entry.text(1)]) for entry in signature.messages(3)]
    return signature.text(1), Body(nodes, arguments, results)


def _tensor(message: Message) -> Array:
    number = message.integer(1)
    if number not in DTYPES:
        raise Unsupported("of text, or another type")
    dtype = np.dtype(DTYPES[number])
    shape = tuple(dim.integer(1) for dim in message.message(2).messages(2))
    count = int(np.prod(shape, dtype=np.float64))
    if min(shape, default=0) < 0:
        raise ValueError("a constant has an open shape")
    if len(content := message.data(4)):
        return np.frombuffer(content, dtype).reshape(shape)
    if count > _MOST_VALUES:
        raise ValueError("a constant is too large")
    if number == 19:
        values: Array = np.asarray(message.integers(13), np.uint16).view(np.float16)
    elif number == 1:
        values = np.asarray(message.floats(5), dtype)
    elif number == 2:
        values = np.frombuffer(message.data(6), dtype)
    else:
        values = np.asarray(message.integers(_VALUES[number]), dtype)
    if len(values) == 1:  # one for all
        return np.full(shape, values[0])
    return values.reshape(shape) if count else np.zeros(shape, dtype)
