"""A model in a process of its own, so that a runtime that dies takes nothing with it."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from edgefashion import files, runtimes
from edgefashion.errors import ArtifactError, RuntimeCrash
from edgefashion.runtimes import base, pinning
from edgefashion.runtimes.base import Images, Logits
from edgefashion.runtimes.inputs import TensorSpec

WORKER = ("-m", "edgefashion.runtimes.worker")
"""What Python runs as the child."""
_FAREWELL_S = 2.0
_OUT_OF_MEMORY = "; this looks like the system's out-of-memory killer: close other programs"


class ModelProcess:
    """A model file, loaded in a child process with a set number of threads. Follows `model.Model`.

    The parent sleeps while the child works. The child ends with the parent, whatever ends the parent.

    Every method raises RuntimeCrash when the child dies, reports an error or is silent for `timeout`
    seconds; the constructor also raises ArtifactError for a file that cannot be loaded, MissingExtra for a
    runtime that is not installed, BadInput where this process may not use all CPUs of `pin`, and
    RuntimeCrash where the system starts no child. OutputError where the temporary folder is full.
    """

    runtime: str
    version: str
    load_ms: float
    inputs: tuple[TensorSpec, ...]
    first_inference_us: float | None = None
    batch: int | None = None
    note: str | None = None

    def __init__(
        self, path: Path, threads: int, timeout: float = 120, pin: Sequence[int] | None = None
    ) -> None:
        self.path = path
        self._timeout = timeout
        runtime = runtimes.for_file(path)
        self.runtime = runtime.name
        base.check_exists(path)
        pinning.check(pin)
        with files.naming_output(Path(tempfile.gettempdir())):
            self._folder = tempfile.TemporaryDirectory(prefix="edgefashion-", ignore_cleanup_errors=True)
        try:
            self._start_child()
        except OSError as error:
            self._folder.cleanup()
            reason = error.strerror or str(error)
            raise RuntimeCrash(
                f"no child process can be started for {path} ({reason}): add --in-process"
            ) from error
        try:
            self.version = self._ask("starting", do="start", path=str(path), pin=pin)["version"]
            loaded = self._ask("loading", do="load", threads=threads)
        except BaseException:
            self.close()
            raise
        self.load_ms = loaded["load_ms"]
        self.inputs = tuple(TensorSpec(name, dtype, tuple(shape)) for name, dtype, shape in loaded["inputs"])

    @property
    def pid(self) -> int:
        """Number of the child process."""
        return self._child.pid

    def predict(self, images: Images, progress: Callable[[int], None] | None = None) -> Logits:
        """Logits float32 [N, 10] of images uint8 [N, 28, 28, 1], in batches, on all of its threads.

        `progress` is called with the number of images done since its last call.
        """
        pixels, out = self._save("images", images), self._file("logits")

        def ask(start: int, stop: int) -> Logits:
            found = self._ask("predicting", do="predict", images=pixels, start=start, stop=stop, logits=out)
            self.batch, self.note = found["batch"], found["note"]
            logits: Logits = np.load(out)
            return logits

        return base.in_parts(images, ask, progress)

    def warm_up(self, images: Images | None = None, seconds: float = 0.3) -> None:
        """Run single inferences for `seconds` (at least one); `measure` goes on with the same inputs.

        These are images uint8 [N, 28, 28, 1], used in turn (ArtifactError where the model takes others),
        or, of any model, random ones. The very first inference gives `first_inference_us`.
        """
        pixels = None if images is None else self._save("rotation", images)
        found = self._ask("warming up", do="warm_up", images=pixels, seconds=seconds)
        self.first_inference_us = found["first_inference_us"]

    def measure(self, runs: int, seconds: float, at_most: float, loops: int = 1) -> list[float]:
        """Times in microseconds, each the mean of `loops` inferences in a row; call `warm_up` first.

        At least `runs` times and `seconds` seconds, but no longer than `at_most` seconds.
        """
        found = self._ask(
            "being measured", do="measure", runs=runs, seconds=seconds, at_most=at_most, loops=loops
        )
        samples: list[float] = found["samples_us"]
        return samples

    def peak_rss_mb(self) -> float | None:
        """The most physical memory the child has held, in MiB; None where the system does not say."""
        peak: float | None = self._ask("being asked for its memory", do="memory")["peak_rss_mb"]
        return peak

    def close(self) -> None:
        """End the child and remove its files. May be called twice."""
        self._requests.close()
        try:
            self._child.wait(_FAREWELL_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._replies.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start_child(self) -> None:
        # -P and PYTHONPATH: the child finds this very package, whatever lies in the current folder.
        root = str(Path(__file__).parents[2])
        search = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        requests, self_requests = os.pipe()
        self_replies, replies = os.pipe()
        with ExitStack() as ours, os.fdopen(requests), os.fdopen(replies, "wb"):
            self._requests = ours.enter_context(os.fdopen(self_requests, "wb", buffering=0))
            self._replies = ours.enter_context(os.fdopen(self_replies, "rb", buffering=0))
            with Path(self._file("log")).open("wb") as log:
                self._child = subprocess.Popen(
                    [sys.executable, "-P", *WORKER, str(requests), str(replies)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    pass_fds=(requests, replies),
                    process_group=0,  # Ctrl-C in a terminal is for the parent
                    env={**os.environ, "PYTHONPATH": search},
                )
            ours.pop_all()  # the child is there: they stay open

    def _ask(self, doing: str, **request: str | float | Sequence[int] | None) -> dict[str, Any]:
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            line = self._read_line(doing)
        except (BrokenPipeError, EOFError):
            raise self._obituary(doing) from None
        reply: dict[str, Any] = json.loads(line)
        if "error" not in reply:
            return reply
        if reply["error"] == "MissingExtra":
            raise base.missing(runtimes.for_file(self.path), self.path.suffix)
        if reply["error"] == "ArtifactError":
            raise ArtifactError(reply["message"])
        raise RuntimeCrash(f"{self._name()} failed while {doing} {self.path}: {reply['message']}")

    def _read_line(self, doing: str) -> bytes:
        line = b""
        deadline = time.monotonic() + self._timeout
        while not line.endswith(b"\n"):
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._replies], [], [], left)[0]:
                self._child.kill()
                silence = f"{self._timeout:g} s of silence"
                raise RuntimeCrash(f"{self._name()} was stopped after {silence} while {doing} {self.path}")
            part = self._replies.read(1 << 16)
            if not part:
                raise EOFError
            line += part
        return line

    def _obituary(self, doing: str) -> RuntimeCrash:
        """What killed the child, and the last thing it said."""
        try:
            code = self._child.wait(_FAREWELL_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            code = self._child.wait()
        end = f"died with {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        lines = Path(self._file("log")).read_text(errors="replace").splitlines()
        said = [line.strip() for line in lines if line.strip() and not line.startswith("INFO")]
        last = f" ({said[-1]})" if said else ""
        advice = _OUT_OF_MEMORY if code == -signal.SIGKILL else ""
        return RuntimeCrash(f"{self._name()} {end} while {doing} {self.path}{last}{advice}")

    def _name(self) -> str:
        return f"{self.runtime} {self.version}" if hasattr(self, "version") else self.runtime

    def _save(self, name: str, images: Images) -> str:
        path = self._file(name)
        with files.naming_output(Path(path)):
            np.save(path, images)
        return path

    def _file(self, name: str) -> str:
        suffix = "" if name == "log" else ".npy"
        return str(Path(self._folder.name) / f"{name}{suffix}")


def peak_memory_mb(
    path: Path,
    threads: int,
    images: Images | None = None,
    seconds: float = 0.1,
    timeout: float = 120,
    pin: Sequence[int] | None = None,
) -> float | None:
    """The most physical memory of a fresh child that loads the model and runs it for `seconds`, in MiB.

    That of Python and numpy is part of it. None where the system does not say. Inputs as in `warm_up`;
    raises what `ModelProcess` raises.
    """
    with ModelProcess(path, threads, timeout, pin) as model:
        model.warm_up(images, seconds)
        return model.peak_rss_mb()
