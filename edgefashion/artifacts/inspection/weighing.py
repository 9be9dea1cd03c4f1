"""Which operator every constant belongs to, in a time that grows with the number of both."""

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edgefashion.artifacts.inspection.base import Operator, Shape, shortened

NOT_LEARNED = {"int32", "int64", "uint32", "uint64", "bool", "string"}
"""Constants of these types are sizes and axes, except where an operator that multiplies takes them."""


@dataclass(frozen=True)
class Constant:
    """A tensor whose values stand in the file; `parameters` of those that are packed into fewer."""

    dtype: str
    shape: Shape
    size_bytes: int
    parameters: int | None = None

    @property
    def count(self) -> int:
        """How many numbers it stands for."""
        return math.prod(self.shape) if self.parameters is None else self.parameters


@dataclass(frozen=True)
class Node:
    """An operator before its constants are known.

    `learned` are those of its `inputs` that hold parameters if they are constant, the weights first. One
    that `carries` constants gives what it takes, in another type: who reads its output reads them.
    """

    name: str
    kind: str
    inputs: tuple[Hashable, ...]
    outputs: tuple[Hashable, ...]
    learned: tuple[Hashable, ...]
    output_shape: Shape | None
    computes: bool | None
    integer: bool
    macs: int | None
    carries: bool


def weigh(nodes: Iterable[Node], constants: Mapping[Any, Constant]) -> list[Operator]:
    """Give every constant to the operator that reads it first."""
    found = _Weighing(constants)
    return [found.operator(node) for node in nodes]


class _Weighing:
    """What is known of tensors while the operators are gone through."""

    def __init__(self, constants: Mapping[Any, Constant]) -> None:
        self._constants = constants
        self._origin: dict[Hashable, Hashable] = {key: key for key in constants}
        """The constant that a tensor is, in whatever type."""
        self._made_of: dict[Hashable, tuple[Hashable, ...]] = {}
        self._taken: set[Hashable] = set()

    def operator(self, node: Node) -> Operator:
        if node.carries and node.inputs and all(key in self._origin for key in node.inputs):
            for output in node.outputs:
                self._origin[output] = self._origin[node.inputs[0]]
                self._made_of[output] = node.inputs
            return _operator(node, {}, [], self._constants)
        own = dict.fromkeys(self._take(node.inputs))
        origins = (self._origin.get(name) for name in node.learned)
        learned = dict.fromkeys(key for key in origins if key is not None)
        return _operator(node, {key: self._constants[key] for key in own}, [*learned], self._constants)

    def _take(self, names: Iterable[Hashable]) -> Iterator[Hashable]:
        """The constants that tensors are made of, and that nobody has taken before."""
        left = [name for name in reversed(tuple(names)) if name in self._origin]
        while left:
            name = left.pop()
            if name in self._taken:
                continue
            self._taken.add(name)
            if name in self._constants:
                yield name
            left += self._made_of.get(name, ())


def _operator(
    node: Node, own: Mapping[Any, Constant], learned: list[Any], constants: Mapping[Any, Constant]
) -> Operator:
    counted = [key for key in learned if node.computes or _is_learned(constants[key])]
    unknown = node.computes is None and any(constant.count > 1 for constant in own.values())
    return Operator(
        name=shortened(node.name),
        kind=shortened(node.kind),
        output_shape=node.output_shape,
        computes=node.computes,
        integer=node.integer,
        macs=node.macs,
        weights=constants[counted[0]].dtype if counted else None,
        parameters=None if unknown else sum(own[key].count for key in counted if key in own),
        size_bytes=sum(constant.size_bytes for constant in own.values()),
    )


def _is_learned(constant: Constant) -> bool:
    return constant.dtype not in NOT_LEARNED and constant.count > 1
