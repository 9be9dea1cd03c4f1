"""Whether a row can be trusted, from the machine's states before, during and after its measurement."""

from collections.abc import Sequence

from edgefashion.records.device import Device, State
from edgefashion.records.results import Flag

CLOCK_CHANGE = 0.05
"""Part of the highest clock by which it may vary: less is what a sensor shows of a steady one."""
OTHER_CORES = 0.1
"""Cores that other processes may use on average; an idle system's own services take 0.01 to 0.05."""
STOLEN_CORES = 0.05
"""Cores that the host of a virtual machine may give to others."""
HOT_C, PI_HOT_C = 95.0, 80.0
"""From here on processors are slowed down, or are about to be. A Raspberry Pi's firmware does at 80 °C."""
SWAPPED_MB = 8
"""Growth of what is swapped out that is more than housekeeping."""


def judge(states: Sequence[State], machine: Device | None = None) -> list[Flag]:
    """Flags for a row measured while the machine was in `states`; none for one that can be trusted.

    `states` are in order of time: the first before, the last after, the others during the measurement,
    each taken just when a model has run (see `device.state`). `machine` is `device.describe()`.

    What a source does not tell raises no flag. What the firmware remembers from before the first state
    does not count. The clock is judged by the states during the measurement only: a clock that is low
    while nothing runs is what the governor `ondemand` is for. Of an emulated machine nothing else matters.
    """
    if machine and machine.emulated:
        why = f"{machine.emulated} emulates the processor: times here say nothing about a real one"
        return [Flag(flag="emulated", why=why)]
    found = [
        *_throttled(states),
        _slowed(states),
        _stopped(states),
        _clock(states[1:-1]),
        _hot(states),
        *_other_load(states[1:]),
    ]
    return [flag for flag in [*found, _swapping(states)] if flag]


def _throttled(states: Sequence[State]) -> list[Flag]:
    """What held the processor back in a state, or was remembered after the first without being seen."""
    known = [state for state in states if state.throttled is not None]
    now = {name for state in known for name in state.throttled or ()}
    earlier = set(known[0].throttled_since_boot or ()) if known else set()
    between = {name for state in known for name in state.throttled_since_boot or ()} - earlier - now
    found = {name: f"seen in {_count(known, name)} of {len(known)} looks" for name in sorted(now)}
    found |= {name: "between two looks, by the firmware's memory" for name in sorted(between)}
    flags = []
    if "under-voltage" in found:
        why = f"the power supply was too weak: {found.pop('under-voltage')}"
        flags.append(Flag(flag="under-voltage", why=why))
    if found:
        why = "; ".join(f"{name}: {seen}" for name, seen in found.items())
        flags.append(Flag(flag="throttled", why=f"the firmware held the clock back: {why}"))
    return flags


def _count(states: Sequence[State], name: str) -> int:
    return sum(name in (state.throttled or ()) for state in states)


def _slowed(states: Sequence[State]) -> Flag | None:
    counts = _values(states, "throttle_count")
    if not counts or counts[-1] <= counts[0]:
        return None
    return Flag(
        flag="throttled", why=f"its counters of thermal throttling grew by {counts[-1] - counts[0]:.0f}"
    )


def _stopped(states: Sequence[State]) -> Flag | None:
    counts = _values(states, "quota_stops")
    if not counts or counts[-1] <= counts[0]:
        return None
    why = f"the CPU quota of this container or service stopped it {counts[-1] - counts[0]:.0f} times"
    return Flag(flag="CPU quota", why=f"{why}: give it more, or use fewer threads")


def _clock(during: Sequence[State]) -> Flag | None:
    clocks = _values(during, "mhz")
    if not clocks or min(clocks) >= (1 - CLOCK_CHANGE) * max(clocks):
        return None
    return Flag(flag="clock changed", why=f"between {min(clocks):,.0f} and {max(clocks):,.0f} MHz")


def _hot(states: Sequence[State]) -> Flag | None:
    degrees = _values(states, "temperature_c")
    limit = PI_HOT_C if any(state.throttled is not None for state in states) else HOT_C
    if not degrees or max(degrees) < limit:
        return None
    return Flag(flag="hot", why=f"up to {max(degrees):.0f} °C; from {limit:.0f} °C on it is slowed down")


def _other_load(after_start: Sequence[State]) -> list[Flag]:
    flags = []
    others, stolen = (_values(after_start, name) for name in ("other_cores", "stolen_cores"))
    if others and _mean(others) > OTHER_CORES:
        most = f" on average, up to {max(others):.2f}" if len(others) > 1 else ""
        why = f"other processes used {_mean(others):.2f} cores{most}"
        flags.append(Flag(flag="other load", why=why))
    if stolen and _mean(stolen) > STOLEN_CORES:
        why = f"the host of this virtual machine gave {_mean(stolen):.2f} of its cores to others on average"
        flags.append(Flag(flag="other load", why=why))
    return flags


def _swapping(states: Sequence[State]) -> Flag | None:
    used = _values(states, "swap_used_mb")
    grown = max(used) - used[0] if used else 0
    if grown < SWAPPED_MB:
        return None
    return Flag(flag="swapping", why=f"memory was short: {grown:.0f} MiB were swapped out meanwhile")


def _values(states: Sequence[State], name: str) -> list[float]:
    found = [getattr(state, name) for state in states]
    return [value for value in found if value is not None]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
