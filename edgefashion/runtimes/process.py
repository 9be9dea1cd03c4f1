"""A model in a process of its own, so that a crash of a runtime ends nothing else."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import shorten
from types import TracebackType
from typing import Any, Self

import numpy as np

from edgefashion import files, runtimes
from edgefashion.errors import ArtifactError, OutOfMemory, OutOfTime, RuntimeCrash
from edgefashion.errors.wording import setting
from edgefashion.files.stored import ImageSet
from edgefashion.files.temporary import Folder
from edgefashion.runtimes import allowance, base, endings, pinning
from edgefashion.runtimes.base import Images, Logits
from edgefashion.runtimes.child import Child, Died, Silent
from edgefashion.runtimes.inputs import Array, TensorSpec

ANSWER_S = 30.0
"""Seconds that loading a file and its first answer may take together, and each answer after that."""
START_S = 120.0
"""Seconds that importing a runtime may take: from a slow card half a minute, emulated more."""
RUN_AT_ONCE = 16
"""Inputs of any model that one answer may be about."""
_WORDS = 120
"""Characters of a runtime's own words on its lack of memory, which may be a page."""


class ModelProcess:
    """A model file, loaded in a child process with a set number of threads. Follows `model.Model`.

    The parent sleeps while the child works. The child ends with the parent, whatever ends the parent. The
    model may take `memory_mb` beyond what its runtime takes, see `allowance`. Open sizes of its input are
    `sizes`, where there are as many.

    Every method raises RuntimeCrash when the child dies or reports an error, OutOfTime when loading and the
    first answer take more than `timeout` seconds, or a later answer does, and OutOfMemory; the constructor
    also raises ArtifactError for a file that cannot be loaded, MissingExtra for a runtime that is not
    installed, BadInput where this process may not use all CPUs of `pin`, and RuntimeCrash where the system
    starts no child. OutputError where the temporary folder is full.
    """

    runtime: str
    version: str
    load_ms: float
    inputs: tuple[TensorSpec, ...]
    first_inference_us: float | None = None
    batch: int | None = None
    note: str | None = None

    def __init__(
        self,
        path: Path,
        threads: int,
        timeout: float = ANSWER_S,
        pin: Sequence[int] | None = None,
        memory_mb: float | None = None,
        start_timeout: float = START_S,
        runtime: str | None = None,
        sizes: Sequence[int] = (),
    ) -> None:
        self.path = path
        self._timeout = self._left = timeout
        self.runtime = runtimes.for_file(path, runtime).name
        base.check_exists(path)
        pinning.check(pin)
        self._memory_mb = memory_mb or allowance.usual_mb(path, threads)
        self._folder = Folder()
        try:
            self._child = Child(self._folder.path / "log")
        except OSError as error:
            self._folder.remove()
            reason = error.strerror or str(error)
            raise RuntimeCrash(
                f"no child process can be started for {path} ({reason}): "
                f"{setting('--in-process')} is for such systems"
            ) from error
        try:
            request = {"do": "start", "path": str(path), "runtime": self.runtime, "pin": pin}
            self.version = self._ask("starting", start_timeout, request)["version"]
            begin = time.monotonic()
            wanted = {"threads": threads, "memory_mb": self._memory_mb, "sizes": sizes}
            loaded = self._ask("loading", timeout, {"do": "load", **wanted})
            self._left -= time.monotonic() - begin
        except BaseException:
            self.close()
            raise
        self.load_ms = loaded["load_ms"]
        self.inputs = tuple(TensorSpec(name, dtype, tuple(shape)) for name, dtype, shape in loaded["inputs"])

    @property
    def pid(self) -> int:
        """Number of the child process."""
        return self._child.pid

    def predict(
        self,
        images: ImageSet,
        progress: Callable[[int], None] | None = None,
        classes: int | None = None,
    ) -> Logits:
        """Logits float32 [N, classes] of images uint8 [N, height, width, channels], in batches, on all of its
        threads.

        `progress` is called with the number of images done since its last call. ArtifactError where the model
        takes other images, or gives other than `classes` logits, where that is known.
        """
        out = self._file("logits")

        def ask(start: int, stop: int) -> Logits:
            part = {"images": self._save("images", images[start:stop]), "classes": classes, "logits": out}
            found = self._answer("predicting", {"do": "predict", **part})
            self.batch, self.note = found["batch"], found["note"]
            logits: Logits = np.load(out)
            return logits

        return base.in_parts(images, ask, progress)

    def run(self, inputs: Array) -> Array:
        """The first output, [N, ...], for [N, ...] of the type and shape that the model's one input has."""
        out = self._file("outputs")
        parts = []
        for start in range(0, len(inputs), RUN_AT_ONCE):
            part = self._save("inputs", inputs[start : start + RUN_AT_ONCE])
            self._answer("running", {"do": "run", "inputs": part, "outputs": out})
            parts.append(np.load(out))
        return np.concatenate(parts)

    def warm_up(self, images: Images | None = None, seconds: float = 0.3) -> None:
        """Run single inferences for `seconds` (at least one); `measure` goes on with the same inputs.

        These are images uint8 [N, height, width, channels], used in turn (ArtifactError where the model
        takes others), or, of any model, random ones. The very first inference gives `first_inference_us`.
        """
        pixels = None if images is None else self._save("rotation", images)
        found = self._answer(
            "warming up", {"do": "warm_up", "images": pixels, "seconds": seconds}, busy=seconds
        )
        self.first_inference_us = found["first_inference_us"]

    def measure(self, runs: int, seconds: float, at_most: float, loops: int = 1) -> list[float]:
        """Times in microseconds, each the mean of `loops` inferences in a row; call `warm_up` first.

        At least `runs` times and `seconds` seconds, but no longer than `at_most` seconds.
        """
        request = {"do": "measure", "runs": runs, "seconds": seconds, "at_most": at_most, "loops": loops}
        found = self._answer("being measured", request, busy=at_most)
        samples: list[float] = found["samples_us"]
        return samples

    def peak_rss_mb(self) -> float | None:
        """The most physical memory the child has held, in MiB; None where the system does not say."""
        peak: float | None = self._answer("being asked for its memory", {"do": "memory"})["peak_rss_mb"]
        return peak

    def close(self) -> None:
        """End the child and remove its files. May be called twice."""
        self._child.end()
        self._folder.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, doing: str, request: dict[str, Any], busy: float = 0) -> dict[str, Any]:
        """The reply to a request that keeps the child busy for so many seconds and one inference."""
        reply = self._ask(doing, self._left + busy, request)
        self._left = self._timeout
        return reply

    def _ask(self, doing: str, seconds: float, request: dict[str, Any]) -> dict[str, Any]:
        try:
            reply = self._child.ask(request, seconds)
        except Silent:
            patience = seconds if request["do"] == "start" else self._timeout
            raise OutOfTime(
                f"{self._name()} was stopped while {doing} {self.path}: no answer in the {patience:g} s "
                f"that {'it' if doing == 'starting' else 'loading and one inference'} may take"
            ) from None
        except Died as end:
            if end.of_memory:
                raise self._out_of_memory(doing, end.how) from None
            raise RuntimeCrash(f"{self._name()} {end.how} while {doing} {self.path}{end.details}") from None
        if "error" in reply:
            raise self._error(doing, reply["error"], reply["message"])
        return reply

    def _error(self, doing: str, kind: str, message: str) -> Exception:
        """The error that a child has reported."""
        if kind == "MissingExtra":
            return base.missing(runtimes.for_file(self.path, self.runtime), self.path.suffix)
        if kind == "OutOfMemory":
            return OutOfMemory(message)
        if kind == "MemoryError" or endings.is_of_memory(message):
            return self._out_of_memory(doing, message)
        if kind == "ArtifactError":
            return ArtifactError(message)
        return RuntimeCrash(f"{self._name()} failed while {doing} {self.path}: {message}")

    def _out_of_memory(self, doing: str, why: str) -> OutOfMemory:
        return OutOfMemory(
            f"{self._name()} needs more than the {self._memory_mb:,.0f} MiB of memory that it may use, "
            f"while {doing} {self.path} ({shorten(why, _WORDS)})"
        )

    def _name(self) -> str:
        return f"{self.runtime} {self.version}" if hasattr(self, "version") else self.runtime

    def _save(self, name: str, images: Images) -> str:
        path = self._file(name)
        with files.naming_output(Path(path)):
            np.save(path, images)
        return path

    def _file(self, name: str) -> str:
        return str(self._folder.path / f"{name}.npy")


def peak_memory_mb(
    path: Path,
    threads: int,
    images: Images | None = None,
    seconds: float = 0.1,
    timeout: float = ANSWER_S,
    pin: Sequence[int] | None = None,
    memory_mb: float | None = None,
    runtime: str | None = None,
) -> float | None:
    """The most physical memory of a fresh child that loads the model and runs it for `seconds`, in MiB.

    That of Python and numpy is part of it. None where the system does not say. Inputs as in `warm_up`;
    raises what `ModelProcess` raises.
    """
    with ModelProcess(path, threads, timeout, pin, memory_mb, runtime=runtime) as model:
        model.warm_up(images, seconds)
        return model.peak_rss_mb()
