"""The machine's states around a measurement."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from msgspec.structs import replace

from edgefashion.device import SYSTEM, LoadMeter, Machine, state
from edgefashion.records.device import Device, State
from edgefashion.runtimes.model import Model

LOOK_S, RAMP_S = 0.15, 0.05
"""Seconds that a model runs to be looked at, and those of them in which the clock may rise first."""


@contextmanager
def busy(model: Model, seconds: float) -> Iterator[Future[list[float]]]:
    """Run a model, untimed by the protocol, while the block does something else; gives its samples."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(model.measure, 1, seconds, seconds)


class Watch:
    """Looks at the machine, see `device.state`: when it is made, at every `look`, and at `finish`."""

    def __init__(self, sources: Machine = SYSTEM) -> None:
        self._sources = sources
        self._start = time.monotonic()
        self.before = state(sources)
        self.during: list[State] = []
        self.after = self.before
        self.meter = LoadMeter(sources=sources)

    def look(self) -> State:
        """The state now, with `at_s`: seconds since the start. It is kept in `during`."""
        now = replace(state(self._sources, self.meter), at_s=round(time.monotonic() - self._start, 2))
        self.during.append(now)
        return now

    def look_at(self, model: Model) -> State:
        """The state while a model runs: the clock of an idle machine says nothing. Raises what it raises."""
        with busy(model, LOOK_S) as running:
            time.sleep(RAMP_S)
            now = self.look()
        running.result()
        return now

    def finish(self) -> None:
        """Look for the last time."""
        self.after = state(self._sources, self.meter)

    @property
    def watts(self) -> float | None:
        """Power now; None where the machine does not measure it."""
        return state(self._sources).watts

    def around(self, machine: Device) -> Device:
        """The machine with the states around the measurement."""
        return replace(machine, before=self.before, during=tuple(self.during), after=self.after)
