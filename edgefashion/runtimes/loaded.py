"""A model loaded in this very process, and everything that is done with it."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgefashion import runtimes
from edgefashion.runtimes import allowance
from edgefashion.runtimes.base import Images, Logits, Session
from edgefashion.runtimes.inputs import Array, TensorSpec
from edgefashion.runtimes.timing import Timer, images_in_turn, random_in_turn


class LoadedModel:
    """A model file and its runtime: `start`, then `load`, then the rest; `warm_up` before `measure`.

    Its methods raise what their runtimes raise, besides what `base.Runtime` and `base.Session` say.
    """

    session: Session
    memory_mb: float | None = None
    """What it may take; None where nothing is set."""

    def __init__(self, path: Path, runtime: str | None = None) -> None:
        self._path = path
        self._runtime = runtimes.for_file(path, runtime)

    def start(self) -> str:
        """Import the runtime and return its version."""
        return self._runtime.start()

    def load(self, threads: int, sizes: Sequence[int] = ()) -> float:
        """Build the session, open sizes of the input being `sizes`; gives its time in milliseconds."""
        begin = time.perf_counter_ns()
        self.session = self._runtime.load(self._path, threads, sizes)
        return (time.perf_counter_ns() - begin) / 1e6

    @property
    def inputs(self) -> Sequence[TensorSpec]:
        """What one inference takes."""
        return self.session.inputs

    def predict(self, images: Images, classes: int | None = None) -> Logits:
        """Logits float32 [N, classes] of images uint8 [N, height, width, channels]; see `Session.check`."""
        self.session.check(images.shape[1:], classes)
        return self.session.predict(images)

    def run(self, inputs: Array) -> Array:
        """The first output, [N, ...], of a model of one input for [N, ...] as that is, whatever it means."""
        batch = self.inputs[0].shape[0]
        outputs = []
        for start in range(0, len(inputs), batch):
            part = inputs[start : start + batch]
            padding = np.repeat(part[-1:], batch - len(part), axis=0)
            outputs.append(self.session.infer([np.concatenate([part, padding])])[0][: len(part)])
        return np.concatenate(outputs)

    def warm_up(self, images: Images | None, seconds: float) -> float:
        """Run for `seconds` and keep the images for `measure`; see `Model.warm_up`. Gives microseconds."""
        if images is None:
            allowance.check_inputs(self._path, self.inputs, self.memory_mb)
            rotation = random_in_turn(self.inputs)
        else:
            self.session.check(images.shape[1:])
            rotation = images_in_turn(images)
        self._timer = Timer(self.session.infer, rotation)
        return self._timer.warm_up(seconds)

    def measure(self, runs: int, seconds: float, at_most: float, loops: int) -> list[float]:
        """See `Model.measure`."""
        return self._timer.measure(runs, seconds, at_most, loops)
