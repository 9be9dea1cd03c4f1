"""The child process of a model: `python -m edgefashion.runtimes.worker REQUESTS REPLIES PARENT [PLACE]`.

The first two arguments are the file descriptors of two pipes, so that whatever a runtime prints harms
nothing; the third is the number of the process that it ends with, see `child`; the last is where other
operations than those here are, `module:class`.
A request is one line of JSON with the operation's name under `do`; so is its reply, which holds either
`error` and `message` or the operation's results. Bytes that belong to a request follow it, and it says how
many under `content`. Arrays travel as `.npy` files whose paths are given.

    start    path, runtime, pin                        → version
    load     threads, memory_mb, sizes                 → load_ms, inputs
    predict  images, classes, logits                   → batch, note
    run      inputs, outputs                           → nothing
    warm_up  images, seconds                           → first_inference_us
    measure  runs, seconds, at_most, loops             → samples_us
    memory                                             → peak_rss_mb
"""

import json
import os
import select
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np

from edgefashion.artifacts.formats import open_place
from edgefashion.errors import EdgefashionError
from edgefashion.runtimes import allowance, base, pinning
from edgefashion.runtimes.loaded import LoadedModel

_PR_SET_PDEATHSIG = 1


class Worker:
    """One model and the operations on it."""

    model: LoadedModel

    def start(self, path: str, runtime: str | None, pin: Sequence[int] | None) -> dict[str, Any]:
        """Import the runtime, on the CPUs that it is to run on."""
        pinning.pin(pin)
        self.model = LoadedModel(Path(path), runtime)
        return {"version": self.model.start()}

    def load(self, threads: int, memory_mb: float, sizes: Sequence[int]) -> dict[str, Any]:
        """Build the session, which takes no more than so much memory, now or later."""
        allowance.hold(memory_mb, threads)
        self.model.memory_mb = memory_mb
        load_ms = self.model.load(threads, sizes)
        return {"load_ms": load_ms, "inputs": [astuple(spec) for spec in self.model.inputs]}

    def predict(self, images: str, classes: int | None, logits: str) -> dict[str, Any]:
        """Write the logits of the images."""
        np.save(logits, self.model.predict(np.load(images), classes))
        return {"batch": self.model.session.batch, "note": self.model.session.note}

    def run(self, inputs: str, outputs: str) -> dict[str, Any]:
        """Write what the model gives for its own kind of inputs."""
        np.save(outputs, self.model.run(np.load(inputs)))
        return {}

    def warm_up(self, images: str | None, seconds: float) -> dict[str, Any]:
        """Keep the images for `measure`, time the first inference and run until all is warm."""
        pixels = None if images is None else np.load(images)
        return {"first_inference_us": self.model.warm_up(pixels, seconds)}

    def measure(self, **protocol: Any) -> dict[str, Any]:
        """Time inferences."""
        return {"samples_us": self.model.measure(**protocol)}

    def memory(self) -> dict[str, Any]:
        """The most physical memory this process has held."""
        # Not ru_maxrss, which a child inherits from its parent's size at the fork.
        try:
            status = Path("/proc/self/status").read_text()
        except OSError:
            return {"peak_rss_mb": None}
        held = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
        return {"peak_rss_mb": int(held[0]) / 1024 if held else None}


def _answer(worker: object, request: dict[str, Any]) -> dict[str, Any]:
    operation = getattr(worker, request.pop("do"))
    try:
        result: dict[str, Any] = operation(**request)
        return result
    except EdgefashionError as error:
        return {"error": type(error).__name__, "message": str(error)}
    except MemoryError:
        return {"error": "MemoryError", "message": "MemoryError"}
    except Exception as error:
        return {"error": "RuntimeCrash", "message": base.reason(error)}


def _die_with_parent(requests: int, parent: int) -> None:
    """End this process when the other end of the pipe closes, even in the middle of a long operation.

    And, where Linux can do that, when the process of the number given ends: a thread that waits for the
    pipe does not run while a runtime holds Python's lock.
    """

    def wait() -> None:
        watch = select.poll()
        watch.register(requests, 0)  # a hang-up is always reported
        watch.poll()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
    if parent and sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it has ended before that
            os._exit(0)


def main() -> None:
    """Answer requests until the parent closes the pipe."""
    requests, replies, parent = (int(argument) for argument in sys.argv[1:4])
    _die_with_parent(requests, parent)
    worker = open_place(sys.argv[4])() if sys.argv[4:] else Worker()
    with os.fdopen(requests, "rb") as lines, os.fdopen(replies, "w") as answers:
        for line in lines:
            request = json.loads(line)
            if size := request.get("content"):
                request["content"] = lines.read(size)
            print(json.dumps(_answer(worker, request)), file=answers, flush=True)


if __name__ == "__main__":
    main()
