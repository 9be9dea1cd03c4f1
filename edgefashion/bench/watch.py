"""The machine's states around a measurement."""

import time
from typing import Any

from edgefashion.device import SYSTEM, LoadMeter, Sources, state


class Watch:
    """Looks at the machine, see `device.state`: when it is made, at every `look`, and at `finish`."""

    def __init__(self, sources: Sources = SYSTEM) -> None:
        self._sources = sources
        self._start = time.monotonic()
        self.before: dict[str, Any] = state(sources)
        self.during: list[dict[str, Any]] = []
        self.after: dict[str, Any] = self.before
        self.meter = LoadMeter(sources=sources)

    def look(self) -> dict[str, Any]:
        """The state now, with `at_s`: seconds since the start. It is kept in `during`."""
        now = {"at_s": round(time.monotonic() - self._start, 2), **state(self._sources, self.meter)}
        self.during.append(now)
        return now

    def finish(self) -> None:
        """Look for the last time."""
        self.after = state(self._sources, self.meter)

    @property
    def watts(self) -> float | None:
        """Power now; None where the machine does not measure it."""
        watts: float | None = state(self._sources)["watts"]
        return watts

    def describe(self) -> dict[str, Any]:
        """The states, as JSON."""
        return {"before": self.before, "during": self.during, "after": self.after}
