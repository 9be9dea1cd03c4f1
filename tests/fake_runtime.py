"""A runtime without a framework, to test what must survive a bad one. No part of edgefashion.

The fixture `fake_runtime` makes it known to a test, `python tests/fake_runtime.py REQUESTS REPLIES` to the
child process of one.

A `.fake` file is JSON. Every field may be left out:

    {"seed": 3,              the weights: equal seeds give equal logits
     "batch": 1,             images a call takes; 1 leaves a note, as real runtimes do
     "inputs": [["a", "float32", [null, 3]]],  name, type and shape of each input, null for an open size;
                             else one uint8 [N, 28, 28, 1]
     "classes": 10,          logits an image
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
import math
import os
import signal
import sys
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from edgefashion.artifacts.formats import FORMATS, Format
from edgefashion.artifacts.inspection.base import Model, Port
from edgefashion.errors import ArtifactError
from edgefashion.runtimes import RUNTIMES, base, worker
from edgefashion.runtimes.base import BATCH, FIXED_BATCH, Images, Logits
from edgefashion.runtimes.classifier import Classifier, Tensor, classifier
from edgefashion.runtimes.inputs import Array, Inputs, settle

RUNTIME = ("fake", "Fake"), "fake_runtime:FakeRuntime"
SECOND = ("onnx", "Second"), "fake_runtime:SecondRuntime"
FORMAT = Format(
    "fake", "Fake", precisions=(), inspection="fake_runtime:inspect", embedded="fake_runtime:find_text"
)
_IMAGE = ("image", "uint8", (None, 28, 28, 1))
_CLASSES = 10


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

    def load(self, path: Path, threads: int, sizes: Sequence[int] = ()) -> "FakeSession":
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


class SecondRuntime(FakeRuntime):
    """Runs any file as if it were an empty `.fake` one; a second runtime for a format that has one."""

    name = "Second"

    def load(self, path: Path, threads: int, sizes: Sequence[int] = ()) -> "FakeSession":
        """The same model, whatever is in the file."""
        return FakeSession(path, {}, threads)


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

    @cached_property
    def _classifier(self) -> Classifier:
        inputs = [Tensor(spec.dtype, spec.shape) for spec in self.inputs]
        logits = Tensor("float32", (1, self._behavior.get("classes", _CLASSES)))
        return classifier(self._path, inputs, [logits])

    @cached_property
    def _weights(self) -> Array:
        size = (math.prod(self._classifier.image_shape), self._classifier.classes)
        return np.random.default_rng(self._behavior.get("seed", 0)).normal(size=size)

    @cached_property
    def _is_image(self) -> bool:
        return [(spec.dtype, len(spec.shape)) for spec in self.inputs] == [("uint8", 4)]

    def check(self, image_shape: tuple[int, ...] | None = None, classes: int | None = None) -> None:
        """See `base.Session.check`."""
        self._classifier.check(image_shape, classes)

    def predict(self, images: Images) -> Logits:
        """Logits float32 [N, classes] of images uint8 [N, height, width, channels]."""
        self.check(images.shape[1:])
        _act(self._behavior.get("predict"))
        return base.spread(images, [self._run] * self._threads, self.batch, self._classifier.classes)

    def infer(self, inputs: Inputs) -> list[Array]:
        """Logits float32 [1, classes] of one image, or the sums of other inputs; others raise."""
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
        if not self._is_image:
            return [values.sum(keepdims=True) for values in inputs]
        return [self._run(inputs[0])]

    def logits(self, output: Array) -> Logits:
        """See `base.Session.logits`."""
        return output

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
    FORMATS[FORMAT.name] = FORMAT
    RUNTIMES.update([RUNTIME, SECOND])


if __name__ == "__main__":
    register()
    worker.main()
