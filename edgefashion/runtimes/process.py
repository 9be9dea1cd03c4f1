"""A model in a process of its own, so that a runtime that dies takes nothing with it."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from edgefashion import files, runtimes
from edgefashion.errors import ArtifactError, RuntimeCrash
from edgefashion.runtimes import base
from edgefashion.runtimes.base import CLASSES, Images, Logits

_FIRST_REQUEST = 500
"""Images in the first request of a prediction; the next ones are as big as take about `_REQUEST_S`."""
_REQUEST_S = 1.0
_FAREWELL_S = 2.0


class ModelProcess:
    """A model file, loaded in a child process with a set number of threads. A context manager.

    The parent sleeps while the child works. The child ends with the parent, whatever ends the parent.

    Every method raises RuntimeCrash when the child dies, reports an error or is silent for `timeout`
    seconds; the constructor also raises ArtifactError for a file that cannot be loaded and MissingExtra
    for a runtime that is not installed. OutputError where the temporary folder is full.
    """

    runtime: str
    """Name of the runtime, e.g. `LiteRT`."""
    version: str
    """Its version."""
    load_ms: float
    """Time to build the session in a fresh process, the runtime imported already, in milliseconds."""
    first_inference_us: float | None = None
    """Time of the first inference, in microseconds; known after `warm_up`."""
    batch: int | None = None
    """Images a call takes; known after `predict`. 1 where the model cannot take more."""
    note: str | None = None
    """What is unusual about how this model is run; known after `predict`."""

    def __init__(self, path: Path, threads: int, timeout: float = 120) -> None:
        self.path = path
        self._timeout = timeout
        runtime = runtimes.for_file(path)
        self.runtime = runtime.name
        if not path.is_file():
            raise ArtifactError(f"{path} does not exist")
        with files.naming_output(Path(tempfile.gettempdir())):
            self._folder = tempfile.TemporaryDirectory(prefix="edgefashion-", ignore_cleanup_errors=True)
        self._start_child()
        try:
            self.version = self._ask("starting", do="start", path=str(path))["version"]
            self.load_ms = self._ask("loading", do="load", path=str(path), threads=threads)["load_ms"]
        except BaseException:
            self.close()
            raise

    def predict(self, images: Images, progress: Callable[[int], None] | None = None) -> Logits:
        """Logits float32 [N, 10] of images uint8 [N, 28, 28, 1], in batches, on all of its threads.

        `progress` is called with the number of images done since its last call.
        """
        pixels, out = self._save("images", images), self._file("logits")
        logits = np.empty((len(images), CLASSES), np.float32)
        start, size = 0, _FIRST_REQUEST
        while start < len(images):
            stop = min(start + size, len(images))
            begin = time.perf_counter()
            found = self._ask("predicting", do="predict", images=pixels, start=start, stop=stop, logits=out)
            self.batch, self.note = found["batch"], found["note"]
            logits[start:stop] = np.load(out)
            if progress:
                progress(stop - start)
            size = max(1, int((stop - start) * _REQUEST_S / (time.perf_counter() - begin)))
            start = stop
        return logits

    def warm_up(self, images: Images, seconds: float = 0.3) -> None:
        """Run single inferences for `seconds` (at least one); `measure` goes on with the same images.

        The very first one gives `first_inference_us`. Images are uint8 [N, 28, 28, 1], used in turn.
        """
        pixels = self._save("rotation", images)
        found = self._ask("warming up", do="warm_up", images=pixels, seconds=seconds)
        self.first_inference_us = found["first_inference_us"]

    def measure(self, runs: int, seconds: float, at_most: float) -> list[float]:
        """Times of single inferences in microseconds; call `warm_up` first.

        At least `runs` inferences and `seconds` seconds, but no longer than `at_most` seconds.
        """
        found = self._ask("being measured", do="measure", runs=runs, seconds=seconds, at_most=at_most)
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
        self._requests = os.fdopen(self_requests, "wb", buffering=0)
        self._replies = os.fdopen(self_replies, "rb", buffering=0)
        with os.fdopen(requests), os.fdopen(replies, "wb"), Path(self._file("log")).open("wb") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "edgefashion.runtimes.worker", str(requests), str(replies)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=(requests, replies),
                process_group=0,  # Ctrl-C in a terminal is for the parent
                env={**os.environ, "PYTHONPATH": search},
            )

    def _ask(self, doing: str, **request: str | float) -> dict[str, Any]:
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
        return RuntimeCrash(f"{self._name()} {end} while {doing} {self.path}{last}")

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
