"""The child process that runs one model: `python -m edgefashion.runtimes.worker REQUESTS REPLIES`.

Its two arguments are the file descriptors of two pipes, so that whatever a runtime prints harms nothing.
A request is one line of JSON with the operation's name under `do`; so is its reply, which holds either
`error` and `message` or the operation's results. Arrays travel as `.npy` files whose paths are given.

    start    path                                      → runtime, version
    load     path, threads                             → load_ms
    predict  images, start, stop, logits               → batch, note
    warm_up  images, seconds                           → first_inference_us
    measure  runs, seconds, at_most                    → samples_us
    memory                                             → peak_rss_mb
"""

import gc
import json
import os
import select
import sys
import threading
import time
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from edgefashion import runtimes
from edgefashion.errors import EdgefashionError
from edgefashion.runtimes.base import Runtime, Session

_REWARM = 5
"""Untimed inferences before each measured block: the caches have seen other processes meanwhile."""
_SETTLE_STEP_S = 0.005
_SETTLE_STEPS = 100


class Worker:
    """One model and the operations on it."""

    runtime: Runtime
    session: Session

    def start(self, path: str) -> dict[str, Any]:
        """Import the runtime."""
        self.runtime = runtimes.for_file(Path(path))
        return {"version": self.runtime.start()}

    def load(self, path: str, threads: int) -> dict[str, Any]:
        """Build the session."""
        begin = time.perf_counter_ns()
        self.session = self.runtime.load(Path(path), threads)
        return {"load_ms": (time.perf_counter_ns() - begin) / 1e6}

    def predict(self, images: str, start: int, stop: int, logits: str) -> dict[str, Any]:
        """Write the logits of some of the images."""
        pixels = np.asarray(np.load(images, mmap_mode="r"))
        np.save(logits, self.session.predict(pixels[start:stop]))
        return {"batch": self.session.batch, "note": self.session.note}

    def warm_up(self, images: str, seconds: float) -> dict[str, Any]:
        """Keep the images for `measure`, time the first inference and run until all is warm."""
        pixels = np.load(images)
        self.images = cycle([pixels[i : i + 1] for i in range(len(pixels))])
        samples = self.measure(2, seconds, seconds, rewarm=0)["samples_us"]
        return {"first_inference_us": samples[0]}

    def measure(self, runs: int, seconds: float, at_most: float, rewarm: int = _REWARM) -> dict[str, Any]:
        """Time inferences: at least `runs` of them and `seconds` long, but not longer than `at_most`."""
        infer, clock, images = self.session.infer, time.perf_counter_ns, self.images
        samples: list[float] = []
        gc.disable()
        for _ in range(rewarm):
            infer(next(images))
        begin = clock()
        while True:
            image = next(images)
            start = clock()
            infer(image)
            end = clock()
            samples.append((end - start) / 1e3)
            elapsed = (end - begin) / 1e9
            if elapsed >= at_most or (elapsed >= seconds and len(samples) >= runs):
                break
        gc.enable()
        _settle()
        return {"samples_us": samples}

    def memory(self) -> dict[str, Any]:
        """The most physical memory this process has held."""
        # Not ru_maxrss, which a child inherits from its parent's size at the fork.
        try:
            status = Path("/proc/self/status").read_text()
        except OSError:
            return {"peak_rss_mb": None}
        held = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return {"peak_rss_mb": int(held.split()[1]) / 1024}


def _settle() -> None:
    """Wait until the runtime's idle threads have stopped spinning, so that they disturb no other process."""
    for _ in range(_SETTLE_STEPS):
        before = time.process_time()
        time.sleep(_SETTLE_STEP_S)
        if time.process_time() - before < _SETTLE_STEP_S / 5:
            return


def _answer(worker: Worker, request: dict[str, Any]) -> dict[str, Any]:
    operation = getattr(worker, request.pop("do"))
    try:
        result: dict[str, Any] = operation(**request)
        return result
    except EdgefashionError as error:
        return {"error": type(error).__name__, "message": str(error)}
    except Exception as error:
        reason = (str(error).strip() or "no reason given").splitlines()[0]
        return {"error": "RuntimeCrash", "message": f"{type(error).__name__}: {reason}"}


def _die_with_parent(requests: int) -> None:
    """End this process when the other end of the pipe closes, even in the middle of a long operation."""

    def wait() -> None:
        watch = select.poll()
        watch.register(requests, 0)  # a hang-up is always reported
        watch.poll()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    """Answer requests until the parent closes the pipe."""
    requests, replies = (int(argument) for argument in sys.argv[1:])
    _die_with_parent(requests)
    worker = Worker()
    with os.fdopen(requests) as lines, os.fdopen(replies, "w") as answers:
        for line in lines:
            print(json.dumps(_answer(worker, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
