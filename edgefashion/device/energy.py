"""The energy of an inference, on machines that measure their own power."""

from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgefashion.records.device import State


def millijoules(states: "Sequence[State]", seconds: float) -> float | None:
    """Energy of an inference that takes `seconds`, in millijoules: mean power times time.

    `states` are those during the measurement. The power is the whole board's, what it takes when idle
    included.
    """
    watts = [state.watts for state in states if state.watts is not None]
    return fmean(watts) * seconds * 1e3 if watts else None
