"""ONNX Runtime on the processor: runs `.onnx` files.

It is left to spin between inferences, as it does by default: with 2 threads that took a third off the
small CNN's latency. The price, idle threads that keep a core busy for some 30 ms after the last
inference, is paid in `worker`, which answers only when they have gone to sleep.
"""

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgefashion.runtimes import base
from edgefashion.runtimes.base import BATCH, FIXED_BATCH, Images, Logits
from edgefashion.runtimes.classifier import Classifier, Classifying, Tensor, classifier
from edgefashion.runtimes.inputs import Array, Inputs, settle

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


class OnnxRuntime:
    """Follows `base.Runtime`."""

    name = "ONNX Runtime"
    package = "onnxruntime"
    extra = "onnx"

    def start(self) -> str:
        """Import ONNX Runtime and return its version. Raises MissingExtra."""
        try:
            import onnxruntime
        except ModuleNotFoundError as error:
            raise base.missing(self, ".onnx") from error
        return str(onnxruntime.__version__)

    def load(self, path: Path, threads: int, sizes: Sequence[int] = ()) -> "OnnxSession":
        """Read an `.onnx` file. Raises ArtifactError."""
        return OnnxSession(path, threads, sizes)


class OnnxSession(Classifying):
    """Follows `base.Session`."""

    def __init__(self, path: Path, threads: int, sizes: Sequence[int] = ()) -> None:
        self._path = path
        self._threads = threads
        self._runners: list[Any] = []
        self._session = self._open(threads)
        self.inputs = tuple(
            settle(path, tensor.name, _dtype(tensor), [_size(size) for size in tensor.shape], sizes)
            for tensor in self._session.get_inputs()
        )
        self._names = [spec.name for spec in self.inputs]
        fixed = [tensor.shape[:1] for tensor in self._session.get_inputs()] == [[1]]
        self.batch = 1 if fixed else BATCH
        self.note = FIXED_BATCH if fixed else None

    def infer(self, inputs: Inputs) -> list[Array]:
        """All outputs for one array per input."""
        feed = {}
        for name, values in zip(self._names, inputs):  # noqa: B905 - `strict` takes four times as long
            feed[name] = values
        outputs: list[Array] = self._session.run(None, feed)
        return outputs

    def predict(self, images: Images) -> Logits:
        """Logits float32 [N, classes] of images uint8 [N, height, width, channels]."""
        self.check(images.shape[1:])
        if not self._runners:
            # One session serves all: with one thread of its own it computes in the thread that calls it.
            self._runners = [partial(self._run, self._open(threads=1))] * self._threads
        return base.spread(images, self._runners, self.batch, self._classifier.classes)

    @cached_property
    def _classifier(self) -> Classifier:
        """What it is, if it keeps the contract. Raises ArtifactError."""
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        return classifier(self._path, [*map(_tensor, inputs)], [*map(_tensor, outputs)])

    def _open(self, threads: int) -> "InferenceSession":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        try:
            with base.utf8_name(self._path) as name:
                return onnxruntime.InferenceSession(name, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise base.damaged(self._path, error) from error

    def _run(self, session: "InferenceSession", images: Images) -> Logits:
        output: Logits = session.run(None, {self._names[0]: images})[0]
        return output


def _size(size: int | str | None) -> int | None:
    """A size as the model gives it; None where it is open, with a name or without."""
    return size if isinstance(size, int) else None


def _dtype(tensor: Any) -> str:
    """The type as numpy calls it; anything but a number keeps the name that ONNX gives it."""
    name = str(tensor.type)
    if name.startswith("tensor("):
        name = name[len("tensor(") : -1]
    return {"float": "float32", "double": "float64"}.get(name, name)


def _tensor(tensor: Any) -> Tensor:
    return Tensor(_dtype(tensor), tuple(map(_size, tensor.shape)))
