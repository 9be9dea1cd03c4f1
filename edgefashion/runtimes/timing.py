"""Timing single inferences, in any runtime."""

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle, islice
from typing import Any

from edgefashion.runtimes.base import Images
from edgefashion.runtimes.inputs import Inputs, TensorSpec, random_inputs

_ROTATION = 256
_ROTATION_BYTES = 1 << 20
"""So many random inputs at most: a rotation is to stay in the caches, as a camera's last picture does."""
_REWARM = 5
"""Untimed inferences before each measured block: the caches have seen other processes meanwhile."""
_REWARM_S = 0.1
"""They take no longer than that: what takes longer itself fills its caches on the way."""
_SETTLE_STEP_S = 0.005
_SETTLE_STEPS = 100


class Timer:
    """Calls `infer` with one after the other of `rotation`, and times nothing but that."""

    def __init__(self, infer: Callable[[Any], object], rotation: Iterable[Any]) -> None:
        self._infer = infer
        self._rotation: Iterator[Any] = cycle(rotation)
        self._inference_s = 0.0

    def warm_up(self, seconds: float) -> float:
        """Run for `seconds`, at least once; gives the time of the first inference in microseconds."""
        return self.measure(2, seconds, seconds, rewarm=0)[0]

    def measure(
        self, runs: int, seconds: float, at_most: float, loops: int = 1, rewarm: int = _REWARM
    ) -> list[float]:
        """Samples in microseconds, each the mean of `loops` inferences in a row.

        At least `runs` samples and `seconds` seconds, but no longer than `at_most` seconds. Afterwards
        waits until the runtime's threads sleep, so that the next one measured does not pay for them.
        """
        gc.disable()
        try:
            for inputs in islice(self._rotation, self._rewarming(rewarm)):
                self._infer(inputs)
            samples = self._sample(runs, seconds, at_most, loops)
            self._inference_s = min(samples) / 1e6
        finally:
            gc.enable()
        settle()
        return samples

    def _rewarming(self, wanted: int) -> int:
        """How many inferences fit into the time for them."""
        return wanted if wanted * self._inference_s <= _REWARM_S else int(_REWARM_S / self._inference_s)

    def _sample(self, runs: int, seconds: float, at_most: float, loops: int) -> list[float]:
        infer, clock, rotation = self._infer, time.perf_counter_ns, self._rotation
        samples: list[float] = []
        begin = clock()
        while True:
            row = list(islice(rotation, loops))
            start = clock()
            for inputs in row:
                infer(inputs)
            end = clock()
            samples.append((end - start) / 1e3 / loops)
            elapsed = (end - begin) / 1e9
            if elapsed >= at_most or (elapsed >= seconds and len(samples) >= runs):
                return samples


def images_in_turn(images: Images) -> list[Inputs]:
    """Inputs of a classifier, one by one, out of images uint8 [N, height, width, channels]."""
    return [[images[i : i + 1]] for i in range(len(images))]


def random_in_turn(specs: Sequence[TensorSpec]) -> list[Inputs]:
    """Random inputs of any model, at most 256 and 1 MiB of them, but at least one; always the same."""
    size = sum(spec.size_bytes for spec in specs)
    return random_inputs(specs, max(1, min(_ROTATION, _ROTATION_BYTES // max(1, size))))


def settle() -> None:
    """Wait until the runtime's idle threads have stopped spinning, so that they disturb no other process."""
    for _ in range(_SETTLE_STEPS):
        before = time.process_time()
        time.sleep(_SETTLE_STEP_S)
        if time.process_time() - before < _SETTLE_STEP_S / 5:
            return
