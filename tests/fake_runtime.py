"""A runtime without a framework, to test what must survive a bad one. No part of edgefashion.

The fixture `fake_runtime` makes it known to a test, `python tests/fake_runtime.py REQUESTS REPLIES` to the
child process of one.

A `.fake` file is JSON. Every field may be left out:

    {"seed": 3,              the weights: equal seeds give equal logits
     "batch": 1,             images a call takes; 1 leaves a note, as real runtimes do
     "inputs": [["a", "float32", [null, 3]]],  name, type and shape of each input, null for an open size;
                             what else than one uint8 [N, 28, 28, 1] breaks the contract
     "load": "SIGILL",       what happens at load, in `predict` and in `infer`: a signal's name,
     "predict": "hang",      "hang", "lock" (that, holding Python's lock), "exit", or any other text, which
     "infer": "out of luck", is raised as an error
     "after": 100,           calls of `infer` that go well first
     "load_s": 0.5,          time that loading takes, in seconds
     "delay_us": 50,         time an inference takes, in microseconds
     "edgefashion": {…},     what a file says of itself, see `edgefashion.artifacts.metadata`
     "trace": "calls.txt"}   a file that gains this file's name at every `infer`
"""

import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from edgefashion.artifacts.formats import FORMATS, Format
from edgefashion.artifacts.inspection.base import Model, Port
from edgefashion.errors import ArtifactError
from edgefashion.runtimes import BY_SUFFIX, base, worker
from edgefashion.runtimes.base import BATCH, CLASSES, FIXED_BATCH, IMAGE_SHAPE, Images, Logits
from edgefashion.runtimes.inputs import Array, Inputs, settle

RUNTIME = ("fake_runtime", "FakeRuntime")
FORMAT = Format(
    "fake", "Fake", precisions=(), inspection="fake_runtime:inspect", embedded="fake_runtime:find_text"
)
_IMAGE = ("image", "uint8", (None, *IMAGE_SHAPE))


def inspect(content: bytes | memoryview) -> Model:
    """What it takes. Raises ValueError for a damaged file."""
    given = json.loads(bytes(content)).get("inputs", [_IMAGE])
    inputs = [
        Port(name, dtype, tuple("?" if size is None else size for size in shape))
        for name, dtype, shape in given
    ]
    return Model(inputs, [], [])


def find_text(content: bytes | memoryview, name: str, most: int) -> bytes | None:
    """The JSON of the field `name`; None without one."""
    found = json.loads(bytes(content))
    return json.dumps(found[name]).encode()[:most] if name in found else None


class FakeRuntime:
    """Follows `base.Runtime`."""

    name = "Fake"
    package = "edgefashion"
    extra = "dev"

    def start(self) -> str:
        """Return the version."""
        return "1.0"

    def load(self, path: Path, threads: int) -> "FakeSession":
        """Read a `.fake` file. Raises ArtifactError."""
        try:
            behavior = json.loads(path.read_text())
        except (ValueError, OSError) as error:
            raise base.damaged(path, error) from error
        if not isinstance(behavior, dict):
            raise ArtifactError(f"{path} cannot be loaded (not a JSON object): write it again")
        time.sleep(behavior.get("load_s", 0))
        _act(behavior.get("load"))
        return FakeSession(path, behavior, threads)


class FakeSession:
    """Follows `base.Session`: logits are the pixels times weights drawn from the seed."""

    def __init__(self, path: Path, behavior: dict[str, Any], threads: int) -> None:
        self.batch: int = behavior.get("batch", BATCH)
        self.note = FIXED_BATCH if self.batch == 1 else None
        self._path = path
        self._behavior = behavior
        self._threads = threads
        self._calls = 0
        self.inputs = tuple(settle(path, *given) for given in behavior.get("inputs", [_IMAGE]))
        self._weights = np.random.default_rng(behavior.get("seed", 0)).normal(size=(784, CLASSES))

    def check(self) -> None:
        """Raise ArtifactError unless the model keeps the contract of a classifier."""
        found = [(spec.dtype, spec.shape) for spec in self.inputs]
        if found != [("uint8", (1, *IMAGE_SHAPE))]:
            described = " and ".join(f"{dtype} {list(shape)}" for dtype, shape in found)
            raise base.breaks_contract(self._path, f"{described} in")

    def predict(self, images: Images) -> Logits:
        """Logits float32 [N, 10] of images uint8 [N, 28, 28, 1]."""
        self.check()
        _act(self._behavior.get("predict"))
        return base.spread(images, [self._run] * self._threads, self.batch)

    def infer(self, inputs: Inputs) -> list[Array]:
        """Logits float32 [1, 10] of one image, or the sums of other inputs; arrays that do not fit raise."""
        self._calls += 1
        if self._calls > self._behavior.get("after", 0):
            _act(self._behavior.get("infer"))
        if trace := self._behavior.get("trace"):
            with Path(trace).open("a") as file:
                file.write(f"{self._path.name}\n")
        time.sleep(self._behavior.get("delay_us", 0) / 1e6)
        for spec, values in zip(self.inputs, inputs, strict=True):
            if (values.dtype.name, values.shape) != (spec.dtype, spec.shape):
                raise ValueError(f"{spec.name} is not {values.dtype.name} {list(values.shape)}")
        if "inputs" in self._behavior:
            return [values.sum(keepdims=True) for values in inputs]
        return [self._run(inputs[0])]

    def _run(self, images: Images) -> Logits:
        pixels = images.reshape(len(images), -1) / 255
        return (pixels @ self._weights).astype(np.float32)


def _act(what: str | None) -> None:
    if what is None:
        return
    if what == "hang":
        time.sleep(3600)
    elif what == "lock":
        ctypes.PyDLL(None).sleep(3600)  # unlike CDLL, it lets nobody else run meanwhile
    elif what == "exit":
        os._exit(3)
    elif what in signal.Signals.__members__:
        os.kill(os.getpid(), signal.Signals[what])
    else:
        raise RuntimeError(what)


def register() -> None:
    """Make `.fake` files known to this process."""
    sys.path.append(str(Path(__file__).parent))
    BY_SUFFIX[".fake"], FORMATS[FORMAT.name] = RUNTIME, FORMAT


if __name__ == "__main__":
    register()
    worker.main()
