"""The energy of an inference, on machines that measure their own power."""

from collections.abc import Sequence

from edgefashion.records.device import State


def mean_watts(states: Sequence[State]) -> float | None:
    """Mean power over `states` (see `device.state`) in watts; None where none has any."""
    found = [state.watts for state in states if state.watts is not None]
    return sum(found) / len(found) if found else None


def millijoules(states: Sequence[State], seconds: float) -> float | None:
    """Energy of an inference that takes `seconds`, in millijoules: mean power times time.

    `states` are those during the measurement. The power is the whole board's, what it takes when idle
    included.
    """
    watts = mean_watts(states)
    return None if watts is None else watts * seconds * 1e3
