"""The workers that classify pictures, one a core, and those who wait for one."""

import contextlib
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from edgefashion.artifacts.artifact import Artifact
from edgefashion.errors import (
    ArtifactError,
    EdgefashionError,
    OutOfMemory,
    OutOfTime,
    PictureError,
    PictureTooLarge,
    RuntimeCrash,
)
from edgefashion.files.temporary import Folder
from edgefashion.runtimes import allowance
from edgefashion.runtimes.child import Child, Died, Silent
from edgefashion.runtimes.process import START_S
from edgefashion.serving.classifier import Classifier
from edgefashion.serving.limits import ANSWER_S, QUEUE_S, WAITING
from edgefashion.serving.messages import Refusal
from edgefashion.serving.selection import task_of

PLACE = "edgefashion.serving.classifier:Classifier"
_KINDS: dict[str, type[EdgefashionError]] = {
    **{kind.__name__: kind for kind in (ArtifactError, OutOfMemory, PictureError, PictureTooLarge)},
    "MissingExtra": EdgefashionError,
}
"""What a process reports, by its name."""


class Worker(Protocol):
    """One that classifies pictures, one at a time."""

    def start(self) -> list[str]:
        """Load the models; gives the versions of their runtimes. Raises what keeps them from being served."""
        ...

    def classify(self, content: bytes, **options: bool | None) -> dict[str, Any]:
        """See `Classifier.classify`."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class OwnProcess:
    """The models in a child process. One that has ended is followed by another for the next picture."""

    def __init__(self, artifacts: Sequence[Artifact]) -> None:
        self._told = _told(artifacts)
        self._memory_mb = sum(allowance.usual_mb(each.path, threads=1) for each in artifacts)
        self._folder = Folder()
        self._child = self._spawn()

    def start(self) -> list[str]:
        """See `Worker.start`. Raises RuntimeCrash where the process ends."""
        versions: list[str] = self._ask(START_S, do="start", **self._told)["versions"]
        self._ask(ANSWER_S, do="load", memory_mb=self._memory_mb)
        return versions

    def classify(self, content: bytes, **options: bool | None) -> dict[str, Any]:
        """See `Classifier.classify`. Raises RuntimeCrash where the process ends, OutOfTime if it is slow."""
        if self.has_ended:
            self._child.end()
            self._child = self._spawn()
            try:
                self.start()
            except EdgefashionError:
                self._child.end()
                raise
        return self._ask(ANSWER_S, content, do="classify", **options)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._child.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._child.has_ended

    def close(self) -> None:
        """End the process."""
        self._child.end()
        self._folder.remove()

    def _spawn(self) -> Child:
        try:
            return Child(self._folder.path / "log", PLACE)
        except OSError as error:
            raise RuntimeCrash(f"no process can be started ({error.strerror or error})") from error

    def _ask(self, seconds: float, content: bytes = b"", **request: Any) -> dict[str, Any]:
        try:
            reply = self._child.ask(request, seconds, content)
        except Silent:
            self._child.end()
            raise OutOfTime(f"the models gave no answer in {seconds:g} s") from None
        except Died as end:
            raise RuntimeCrash(f"the process of the models {end.how}{end.details}") from None
        if "error" in reply:
            raise _KINDS.get(reply["error"], RuntimeCrash)(reply["message"])
        return reply


class SameProcess:
    """The models in this process, where no other can be started: a crash of a runtime ends it."""

    def __init__(self, artifacts: Sequence[Artifact]) -> None:
        self._told = _told(artifacts)
        self._models = Classifier()

    def start(self) -> list[str]:
        """See `Worker.start`."""
        found = self._models.start(**self._told)
        self._models.load(None)
        versions: list[str] = found["versions"]
        return versions

    def classify(self, content: bytes, **options: bool | None) -> dict[str, Any]:
        """See `Classifier.classify`."""
        try:
            return self._models.classify(content, **options)
        except EdgefashionError:
            raise
        except Exception as error:
            raise RuntimeCrash(f"the models failed: {error}") from error

    def close(self) -> None:
        """Nothing is to be let go of."""


class Pool:
    """So many workers, which take turns. Raises what `Worker.start` raises."""

    def __init__(self, make: Callable[[], Worker], count: int) -> None:
        self.count = count
        self._most = WAITING * count
        self._waiting: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._workers: list[Worker] = []
        try:
            for _ in range(count):
                self._workers.append(make())
            with ThreadPoolExecutor(count) as starting:
                versions = [*starting.map(lambda worker: worker.start(), self._workers)]
        except BaseException:
            self.close()
            raise
        self.versions = versions[0]
        for worker in self._workers:
            self._idle.put(worker)

    def classify(self, content: bytes, address: str, **options: bool | None) -> dict[str, Any]:
        """See `Classifier.classify`. Raises what that raises, and Refusal where too many wait."""
        worker = self._next(address)
        try:
            return worker.classify(content, **options)
        finally:
            self._idle.put(worker)

    @property
    def waiting(self) -> int:
        """How many pictures wait for a worker."""
        return self._waiting.total()

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.close()

    def _next(self, address: str) -> Worker:
        with contextlib.suppress(queue.Empty):
            return self._idle.get_nowait()
        with self._in_line(address):
            try:
                return self._idle.get(timeout=QUEUE_S)
            except queue.Empty:
                raise Refusal(503, f"no worker had time for {QUEUE_S:g} s: try again in a second") from None

    @contextlib.contextmanager
    def _in_line(self, address: str) -> Iterator[None]:
        with self._lock:
            if self.waiting >= self._most:
                raise Refusal(503, f"{self._most} pictures are waiting already: try again in a second")
            if self._waiting[address] >= self._most // 2:
                raise Refusal(
                    429, f"{self._most // 2} pictures of {address} are waiting already: send fewer at a time"
                )
            self._waiting[address] += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[address] -= 1
                if not self._waiting[address]:
                    del self._waiting[address]


def _told(artifacts: Sequence[Artifact]) -> dict[str, Any]:
    """What `Classifier.start` takes."""
    return {
        "paths": [str(each.path.absolute()) for each in artifacts],
        "rejections": [each.rejection and each.rejection.to_dict() for each in artifacts],
        "task": task_of(artifacts).to_dict(),
    }
