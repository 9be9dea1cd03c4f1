"""The two protocols every runtime follows, and what they share.

A `Runtime` loads a model file into a `Session`. Any model can be run; a classifier of our contract takes
raw pixels and gives logits:

    runtime = runtimes.for_file(path)
    runtime.start()                           # import it: slow, may fail
    session = runtime.load(path, threads=4)   # read the file
    session.inputs                            # what it takes
    session.infer([array, ...])               # one inference, in and out: what is timed
    session.predict(images)                   # uint8 [N, height, width, channels] -> float32 [N, classes]

The sizes are those of the file, see `classifier`. `predict` goes as fast as it can: it shares its batches
among as many one-thread interpreters as it may use threads. That beats one interpreter with many threads,
whose threads wait for each other in every layer of so small a model (10,000 images on 2 cores, LiteRT:
0.34 s one by one, 0.145 s with 2 threads and batches of 64, 0.13 s so).
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgefashion.artifacts import metadata
from edgefashion.errors import ArtifactError, MissingExtra
from edgefashion.files import reading
from edgefashion.files.stored import ImageSet
from edgefashion.runtimes.inputs import Array, Inputs, TensorSpec

Images = NDArray[np.uint8]
Logits = NDArray[np.float32]

BATCH = 16
"""10,000 images take 0.94 to 1.00 of the time that 8 a call take, see also `litert`; 32 gain up to 5 % more
in int8, and cost MobileNetV2 in float 10 to 24 %: its layers outgrow the caches.
"""
_FIRST_PART = 16
_PART_S = 1.0
_LEAST_S = 1e-4
"""For a part that a coarse clock saw no time pass in."""
FIXED_BATCH = "takes one image a call: its batch size is fixed"


class Session(Protocol):
    """A model, loaded."""

    inputs: tuple[TensorSpec, ...]
    """What one inference takes; an open batch is 1."""
    batch: int
    """Images a call takes inside `predict`; 1 where the model turned out not to take more."""
    note: str | None
    """What `predict` found unusual about how this model is run; None where nothing is."""

    def check(self, image_shape: tuple[int, ...] | None = None, classes: int | None = None) -> None:
        """Raise ArtifactError unless the model keeps the contract of a classifier, takes images of this
        shape, [height, width, channels], and gives as many logits.
        """
        ...

    def predict(self, images: Images) -> Logits:
        """Logits float32 [N, classes] of images uint8 [N, height, width, channels].

        Raises ArtifactError like `check`.
        """
        ...

    def infer(self, inputs: Inputs) -> list[Array]:
        """All outputs for one array per input, in the types the model takes and gives.

        Copies the inputs in, runs, reads the outputs: the smallest thing a program on a device does. An
        int8 output stays int8, since the highest of all logits needs no scale.
        """
        ...

    def logits(self, output: Array) -> Logits:
        """float32 [N, classes] of the first output of a classifier, as `infer` gives it."""
        ...


class Runtime(Protocol):
    """A library that runs model files."""

    name: str
    """What people call it."""
    package: str
    """What pip calls it."""
    extra: str
    """The extra of edgefashion that installs it."""

    def start(self) -> str:
        """Import the library and return its version. Raises MissingExtra where it is not installed."""
        ...

    def load(self, path: Path, threads: int, sizes: Sequence[int] = ()) -> Session:
        """Read a model file; `sizes` are for those of its input that it leaves open.

        Raises ArtifactError where the file is damaged, or takes what `inputs.settle` refuses.
        """
        ...


def missing(runtime: Runtime, suffix: str) -> MissingExtra:
    """The error for a runtime that is not installed."""
    return MissingExtra(f"Running a {suffix} file in {runtime.name} needs {runtime.package}", runtime.extra)


def check_exists(path: Path) -> None:
    """Raise ArtifactError if the file does not exist."""
    reading.require_file(path, ArtifactError)


@contextlib.contextmanager
def utf8_name(path: Path) -> Iterator[str]:
    """A name of the file that is UTF-8, for a runtime that takes no other, while the block lasts."""
    if str(path).isascii() or os.fsencode(path).decode(errors="replace") == str(path):
        yield str(path)
        return
    with path.open("rb") as file:
        yield f"/proc/self/fd/{file.fileno()}"


def damaged(path: Path, error: Exception) -> ArtifactError:
    """The error for a file its runtime refuses, with the first line of the reason."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    again = "export" if metadata.is_ours(path, metadata.read(path)) else "copy"
    return ArtifactError(f"{path} cannot be loaded ({reason}): {again} it again")


def reason(error: Exception) -> str:
    """What an unexpected error says, in one line."""
    return f"{type(error).__name__}: {(str(error).strip() or 'no reason given').splitlines()[0]}"


def spread(images: Images, runners: Sequence[Callable[[Images], Logits]], batch: int, classes: int) -> Logits:
    """Logits float32 [N, classes] of images uint8 [N, height, width, channels], the batches shared among
    the runners.

    Each runner works in a thread of its own (runtimes let go of Python's lock while they compute) and
    takes the next batch of at most `batch` images when it is done with one, so that a slow core delays
    nobody.
    """
    logits = np.empty((len(images), classes), np.float32)
    starts = iter(range(0, len(images), batch))

    def work(runner: Callable[[Images], Logits]) -> None:
        for start in starts:
            logits[start : start + batch] = runner(images[start : start + batch])

    with ThreadPoolExecutor(len(runners)) as pool:
        for done in [pool.submit(work, runner) for runner in runners]:
            done.result()
    return logits


def in_parts(
    images: ImageSet,
    predict: Callable[[int, int], Logits],
    progress: Callable[[int], None] | None,
) -> Logits:
    """Logits float32 [N, classes] of images uint8 [N, height, width, channels], asked for in parts:
    `predict(start, stop)`.

    The first part is small; each of the others is as big as takes about a second.
    """
    parts: list[Logits] = []
    start, size = 0, _FIRST_PART
    while start < len(images) or not parts:
        stop = min(start + size, len(images))
        begin = time.perf_counter()
        parts.append(predict(start, stop))
        if progress:
            progress(stop - start)
        took = max(_LEAST_S, time.perf_counter() - begin)
        size = max(1, int((stop - start) * _PART_S / took))
        start = stop
    return np.concatenate(parts)
