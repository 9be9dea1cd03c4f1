"""Energy of an inference, where the machine measures its own power."""

import time
from statistics import mean

from edgefashion.benchmarking.watch import Watch, busy
from edgefashion.device import millijoules
from edgefashion.records.device import State
from edgefashion.runtimes.model import Model

SECONDS = 2.0
_PAUSE_S = 0.05


def measure(model: Model, watch: Watch) -> float | None:
    """Millijoules of an inference, see `device.millijoules`; None where no power can be read.

    The model runs for 2 s, apart from the rounds, since reading the power takes time of a processor.
    """
    if watch.before.watts is None:
        return None
    with busy(model, SECONDS) as running:
        states = [State(watts=watch.watts)]
        while not running.done():
            time.sleep(_PAUSE_S)
            states.append(State(watts=watch.watts))
    return millijoules(states, mean(running.result()) / 1e6)
