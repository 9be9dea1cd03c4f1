"""A model file that is ready to run: in a child process, or in this one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from edgefashion.files.stored import ImageSet
from edgefashion.runtimes.base import Images, Logits
from edgefashion.runtimes.in_process import InProcessModel
from edgefashion.runtimes.inputs import TensorSpec
from edgefashion.runtimes.process import ANSWER_S, ModelProcess


class Model(Protocol):
    """What `ModelProcess` and `InProcessModel` have in common; the methods are explained there."""

    path: Path
    runtime: str
    """Name of the runtime, e.g. `LiteRT`."""
    version: str
    """Its version."""
    load_ms: float
    """Time to build the session, the runtime imported already, in milliseconds."""
    inputs: tuple[TensorSpec, ...]
    """What one inference takes; an open batch is 1."""
    first_inference_us: float | None
    """Time of the first inference, in microseconds; known after `warm_up`."""
    batch: int | None
    """Images a call takes; known after `predict`. 1 where the model cannot take more."""
    note: str | None
    """What is unusual about how this model is run; all known after `predict`."""

    @property
    def pid(self) -> int:
        """Number of the process that it runs in."""
        ...

    def predict(
        self,
        images: ImageSet,
        progress: Callable[[int], None] | None = None,
        classes: int | None = None,
    ) -> Logits:
        """Logits float32 [N, classes] of images uint8 [N, height, width, channels], in batches."""
        ...

    def warm_up(self, images: Images | None = None, seconds: float = 0.3) -> None:
        """Run single inferences on images uint8 [N, height, width, channels] or random inputs."""
        ...

    def measure(self, runs: int, seconds: float, at_most: float, loops: int = 1) -> list[float]:
        """Times in microseconds, each the mean of `loops` inferences in a row."""
        ...

    def close(self) -> None:
        """Let go of it. May be called twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_model(
    path: Path,
    threads: int,
    timeout: float = ANSWER_S,
    pin: Sequence[int] | None = None,
    in_process: bool = False,
    memory_mb: float | None = None,
    runtime: str | None = None,
) -> Model:
    """Load a model file in a child process; or in this process, where neither `timeout` nor `memory_mb` can
    be kept, but for the size of random inputs. `runtime` is the name of one of its format's runtimes, or
    None for the default.

    Raises what `ModelProcess` raises.
    """
    if in_process:
        return InProcessModel(path, threads, pin, memory_mb, runtime)
    return ModelProcess(path, threads, timeout, pin, memory_mb, runtime=runtime)
