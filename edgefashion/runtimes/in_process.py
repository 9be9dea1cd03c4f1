"""A model in this very process, where child processes are not possible."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from edgefashion.errors import EdgefashionError, OutOfMemory, RuntimeCrash
from edgefashion.files.stored import ImageSet
from edgefashion.runtimes import allowance, base, for_file, pinning
from edgefashion.runtimes.base import Images, Logits
from edgefashion.runtimes.inputs import TensorSpec
from edgefashion.runtimes.loaded import LoadedModel
from edgefashion.system.descriptors import quiet

UNPROTECTED = "run in this process: a crash would have ended it, and no time limit held"


class InProcessModel:
    """A model file, loaded in this process with a set number of threads. Follows `model.Model`.

    As `ModelProcess`, but nothing protects this process: a runtime that dies ends it, and one that hangs
    hangs it. An error that the runtime raises is a RuntimeCrash here too. With `pin`, this thread stays on
    those CPUs until `close`.
    """

    runtime: str
    version: str
    load_ms: float
    inputs: tuple[TensorSpec, ...]
    first_inference_us: float | None = None
    batch: int | None = None
    note: str | None = UNPROTECTED

    def __init__(
        self,
        path: Path,
        threads: int,
        pin: Sequence[int] | None = None,
        memory_mb: float | None = None,
        runtime: str | None = None,
    ) -> None:
        self.path = path
        self.pid = os.getpid()
        self.runtime = for_file(path, runtime).name
        base.check_exists(path)
        self._before = os.sched_getaffinity(0) if pin else None
        pinning.pin(pin)
        self._model = LoadedModel(path, runtime)
        self._model.memory_mb = memory_mb or allowance.usual_mb(path, threads)
        try:
            with self._failing("starting"):
                self.version = self._model.start()
            with self._failing("loading"), quiet():
                self.load_ms = self._model.load(threads)
        except BaseException:
            self.close()
            raise
        self.inputs = tuple(self._model.inputs)

    def predict(
        self,
        images: ImageSet,
        progress: Callable[[int], None] | None = None,
        classes: int | None = None,
    ) -> Logits:
        """See `ModelProcess.predict`."""

        def part(start: int, stop: int) -> Logits:
            return self._model.predict(images[start:stop], classes)

        with self._failing("predicting"):
            logits = base.in_parts(images, part, progress)
        session = self._model.session
        self.batch = session.batch
        self.note = "; ".join(filter(None, [session.note, UNPROTECTED]))
        return logits

    def warm_up(self, images: Images | None = None, seconds: float = 0.3) -> None:
        """See `ModelProcess.warm_up`."""
        with self._failing("warming up"):
            self.first_inference_us = self._model.warm_up(images, seconds)

    def measure(self, runs: int, seconds: float, at_most: float, loops: int = 1) -> list[float]:
        """See `ModelProcess.measure`."""
        with self._failing("being measured"):
            return self._model.measure(runs, seconds, at_most, loops)

    def close(self) -> None:
        """Let this thread run on all its CPUs again. May be called twice."""
        if self._before:
            os.sched_setaffinity(0, self._before)
            self._before = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _failing(self, doing: str) -> Iterator[None]:
        """Turn what the runtime raises into a RuntimeCrash."""
        try:
            yield
        except EdgefashionError:
            raise
        except MemoryError as error:
            raise OutOfMemory(
                f"there is too little memory for {doing} {self.path} in this process"
            ) from error
        except Exception as error:
            name = f"{self.runtime} {self.version}" if hasattr(self, "version") else self.runtime
            raise RuntimeCrash(f"{name} failed while {doing} {self.path}: {base.reason(error)}") from error
