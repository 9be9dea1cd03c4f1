"""The way through the operators of a file, from its picture to its output."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from typing import Generic, Literal, Protocol, TypeVar

import numpy as np

from edgefashion.importing.network.curves import Curve
from edgefashion.importing.network.failures import Failures
from edgefashion.importing.network.given import Given, Image, Refused, row_of
from edgefashion.importing.network.imported import Format
from edgefashion.importing.network.layout import CHANNELS_FIRST, CHANNELS_LAST, Data
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.operands import Read
from edgefashion.importing.network.plan import Array, Unsupported

Found = Data | Array | Literal["missing"] | None
"""A tensor, a constant, what an operator gives that cannot be taken over, or an input that is left out."""

MOST_OPERATORS = 20_000


class Operator(Protocol):
    """An operator of a file."""

    @property
    def kind(self) -> str:
        """What it computes, as the format calls it."""
        ...


Key = TypeVar("Key", bound=Hashable)
Op = TypeVar("Op", bound=Operator)


class Walk(ABC, Generic[Key, Op]):
    """What was found on the way, by the file's own keys of tensors.

    Operators that cannot be taken over are counted, and so is, of what hangs on them, what could not be in
    any case.
    """

    layers: Mapping[str, Callable[[Network, Op, Read], Data | tuple[Data, ...]]]
    """What makes the layers of each kind of operator."""
    computed: Collection[str]
    """Kinds that are computed where all they read is constant."""
    passing: Collection[str]
    """Kinds that may follow a softmax."""
    sizes: str
    """The kind that gives the shape of a tensor."""
    open_batch: int
    """What it gives for a batch that is open: the number that stands for it in a shape to come."""

    def __init__(self, image: Image, source: Key, left_out: Key) -> None:
        axes = CHANNELS_FIRST if image.channels_first else CHANNELS_LAST
        self.image = image
        self.network = Network(image.shape)
        self.failures = Failures()
        self._steps = 0
        self.found: dict[Key, Found] = {left_out: None, source: Data(Curve.of(self.network.image), axes)}

    @abstractmethod
    def constant(self, key: Key) -> Array:
        """A constant of the file. Raises ValueError where there is none, Unsupported."""

    @abstractmethod
    def compute(self, operator: Op, read: Sequence[Array]) -> Array:
        """What an operator makes of constants. Raises Unsupported."""

    def get(self, key: Key) -> Found:
        """A tensor or constant."""
        if key not in self.found:
            self.found[key] = self.constant(key)
        return self.found[key]

    def step(self, operator: Op, inputs: Sequence[Key], outputs: Sequence[Key]) -> None:
        """One operator on; of most, what it makes beside its first output is not there for others."""
        self._steps += 1
        if self._steps > MOST_OPERATORS:
            raise Refused(f"has more than {MOST_OPERATORS:,} operators: no classifier here has as many")
        made = self._made(operator, inputs)
        every = made if isinstance(made, tuple) else (made,)
        for number, key in enumerate(outputs):
            self.found[key] = every[number] if number < len(every) else "missing"

    def given(self, output: Key, format: Format) -> Given:
        """The classifier that was found. Raises Refused where operators stand in the way, or it is none."""
        return self.failures.checked(lambda: row_of(self.network, self.get(output), self.image, format))

    def _made(self, operator: Op, inputs: Sequence[Key]) -> Found | tuple[Data, ...]:
        try:
            read = [self.get(key) for key in inputs]
            known = [each for each in read if not isinstance(each, str)]
            if len(known) == len(read):
                found = self._layer(operator, known)
                self.failures.note(operator.kind, found)
                return found
            if operator.kind not in self.layers and operator.kind not in self.computed:
                raise Unsupported
        except Unsupported as reason:
            self.failures.add(operator.kind, reason)
        return "missing"

    def _layer(self, operator: Op, read: Read) -> Found | tuple[Data, ...]:
        tensors = [each for each in read if isinstance(each, Data)]
        if tensors and operator.kind == self.sizes:
            return np.asarray([self.image.batch or self.open_batch, *tensors[0].shape], np.int64)
        if not tensors:
            return self.compute(
                operator, [np.zeros(0) if each is None else np.asarray(each) for each in read]
            )
        if operator.kind not in self.layers:
            raise Unsupported
        if any(each.ending for each in tensors) and operator.kind not in self.passing:
            raise Unsupported("behind a softmax")
        return self.layers[operator.kind](self.network, operator, read)
