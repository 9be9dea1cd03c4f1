"""An operator of a `.tflite` file, and what its fused activation is."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from edgefashion.artifacts.flatbuffer import Table
from edgefashion.importing.network.arithmetic import function
from edgefashion.importing.network.layout import Data
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.operands import Read
from edgefashion.importing.network.plan import Unsupported

_FUSED: dict[int, tuple[str, tuple[float, ...]]] = {
    1: ("clip", (0.0, math.inf)),
    2: ("clip", (-1.0, 1.0)),
    3: ("clip", (0.0, 6.0)),
    4: ("tanh", ()),
}
"""By LiteRT's number of a fused activation."""


@dataclass(frozen=True)
class Operator:
    """An operator: the options of its kind, by the slots of LiteRT's schema, and its name."""

    kind: str
    options: Table | None
    name: str

    def integer(self, slot: int, default: int = 0) -> int:
        """An option that is an integer of 32 bits."""
        return self.options.integer(slot, "i", default) if self.options else default

    def byte(self, slot: int) -> int:
        """An option of 8 bits."""
        return self.options.integer(slot, "b") if self.options else 0

    def number(self, slot: int, default: float = 0.0) -> float:
        """An option that is a float."""
        return self.options.number(slot, default) if self.options else default

    def activated(self, data: Data, slot: int) -> Data:
        """What its fused activation makes of a tensor."""
        number = self.byte(slot)
        if not number:
            return data
        if number not in _FUSED:
            raise Unsupported("with an activation of another kind")
        kind, numbers = _FUSED[number]
        return function(data, kind, numbers, f"{self.name}_activation")


Layer = Callable[[Network, Operator, Read], Data]
"""What makes the layers of one kind of operator."""
