"""ONNX Runtime on the processor: runs `.onnx` files.

It is left to spin between inferences, as it does by default: with 2 threads that took a third off the
small CNN's latency. The price, idle threads that keep a core busy for some 30 ms after the last
inference, is paid in `worker`, which answers only when they have gone to sleep.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from edgefashion.runtimes import base
from edgefashion.runtimes.base import BATCH, CLASSES, FIXED_BATCH, IMAGE_SHAPE, Images, Logits

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

    def load(self, path: Path, threads: int) -> "OnnxSession":
        """Read an `.onnx` file. Raises ArtifactError."""
        return OnnxSession(path, threads)


class OnnxSession:
    """Follows `base.Session`."""

    def __init__(self, path: Path, threads: int) -> None:
        self._path = path
        self._threads = threads
        self._runners: list[Any] = []
        self._session = self._open(threads)
        self._check()
        fixed = self._session.get_inputs()[0].shape[0] == 1
        self.batch = 1 if fixed else BATCH
        self.note = FIXED_BATCH if fixed else None

    def infer(self, image: Images) -> NDArray[Any]:
        """Output float32 [1, 10] of one image uint8 [1, 28, 28, 1]."""
        return self._run(self._session, image)

    def predict(self, images: Images) -> Logits:
        """Logits float32 [N, 10] of images uint8 [N, 28, 28, 1]."""
        if not self._runners:
            # One session serves all: with one thread of its own it computes in the thread that calls it.
            self._runners = [partial(self._run, self._open(threads=1))] * self._threads
        return base.spread(images, self._runners, self.batch)

    def _open(self, threads: int) -> "InferenceSession":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(str(self._path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise base.damaged(self._path, error) from error

    def _check(self) -> None:
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        kept = (
            len(inputs) == len(outputs) == 1
            and inputs[0].type == "tensor(uint8)"
            and tuple(inputs[0].shape[1:]) == IMAGE_SHAPE
            and inputs[0].shape[0] in (1, None, str(inputs[0].shape[0]))
            and outputs[0].type == "tensor(float)"
            and len(outputs[0].shape) == 2
            and outputs[0].shape[1] == CLASSES
        )
        if not kept:
            raise base.breaks_contract(self._path, f"{_describe(inputs)} in and {_describe(outputs)} out")
        self._input = inputs[0].name

    def _run(self, session: "InferenceSession", images: Images) -> Logits:
        output: Logits = session.run(None, {self._input: images})[0]
        return output


def _describe(tensors: list[Any]) -> str:
    return " and ".join(f"{t.type.removeprefix('tensor(').rstrip(')')} {t.shape}" for t in tensors)
