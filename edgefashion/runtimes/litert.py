"""LiteRT (TensorFlow Lite): runs `.tflite` files."""

from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgefashion.runtimes import base
from edgefashion.runtimes.base import BATCH, CLASSES, FIXED_BATCH, IMAGE_SHAPE, Images, Logits

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter


class LiteRT:
    """Follows `base.Runtime`."""

    name = "LiteRT"
    package = "ai-edge-litert"
    extra = "litert"

    def start(self) -> str:
        """Import LiteRT and return its version. Raises MissingExtra."""
        try:
            import ai_edge_litert.interpreter  # noqa: F401
        except ModuleNotFoundError as error:
            raise base.missing(self, ".tflite") from error
        return version(self.package)

    def load(self, path: Path, threads: int) -> "LiteRTSession":
        """Read a `.tflite` file. Raises ArtifactError."""
        return LiteRTSession(path, threads)


class LiteRTSession:
    """Follows `base.Session`."""

    def __init__(self, path: Path, threads: int) -> None:
        self._path = path
        self._threads = threads
        self.batch = BATCH
        self.note: str | None = None
        self._runners: list[Any] = []
        self._interpreter = self._open(threads)
        self._check()
        if not self._resize(self._interpreter, 1):
            raise base.breaks_contract(path, f"a batch fixed at {self._input['shape'][0]} images")

    def infer(self, image: Images) -> NDArray[Any]:
        """Output float32 or int8 [1, 10] of one image uint8 [1, 28, 28, 1]."""
        self._interpreter.set_tensor(self._input["index"], image)
        self._interpreter.invoke()
        output: NDArray[Any] = self._interpreter.get_tensor(self._output["index"])
        return output

    def predict(self, images: Images) -> Logits:
        """Logits float32 [N, 10] of images uint8 [N, 28, 28, 1]."""
        if not self._runners:
            self._find_batch()
            self._runners = [partial(self._run, self._open_batch()) for _ in range(self._threads)]
        return base.spread(images, self._runners, self.batch)

    def _open(self, threads: int) -> "Interpreter":
        from ai_edge_litert.interpreter import Interpreter

        try:
            return Interpreter(model_path=str(self._path), num_threads=threads)
        except Exception as error:
            raise base.damaged(self._path, error) from error

    def _check(self) -> None:
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        kept = (
            len(inputs) == len(outputs) == 1
            and inputs[0]["dtype"] is np.uint8
            and tuple(inputs[0]["shape"][1:]) == IMAGE_SHAPE
            and outputs[0]["dtype"] in (np.float32, np.int8)
            and len(outputs[0]["shape"]) == 2
            and outputs[0]["shape"][1] == CLASSES
            and (outputs[0]["dtype"] is np.float32 or outputs[0]["quantization"][0] > 0)
        )
        if not kept:
            raise base.breaks_contract(self._path, f"{_describe(inputs)} in and {_describe(outputs)} out")
        self._input, self._output = inputs[0], outputs[0]

    def _resize(self, interpreter: "Interpreter", batch: int) -> bool:
        """Whether `interpreter` now takes `batch` images."""
        try:
            interpreter.resize_tensor_input(self._input["index"], [batch, *IMAGE_SHAPE])
            interpreter.allocate_tensors()
        except (RuntimeError, ValueError):
            return False
        shape = interpreter.get_output_details()[0]["shape"]
        return bool(tuple(shape) == (batch, CLASSES))

    def _find_batch(self) -> None:
        if not self._resize(self._open(1), self.batch):
            self.batch, self.note = 1, FIXED_BATCH

    def _open_batch(self) -> "Interpreter":
        interpreter = self._open(1)
        self._resize(interpreter, self.batch)
        return interpreter

    def _run(self, interpreter: "Interpreter", images: Images) -> Logits:
        """Logits of at most `batch` images; fewer are padded, which is cheaper than to allocate again."""
        count = len(images)
        if count < self.batch:
            images = np.concatenate([images, np.zeros((self.batch - count, *IMAGE_SHAPE), np.uint8)])
        interpreter.set_tensor(self._input["index"], images)
        interpreter.invoke()
        output = interpreter.get_tensor(self._output["index"])[:count]
        if output.dtype == np.float32:
            return np.asarray(output, np.float32)
        scale, zero_point = self._output["quantization"]
        return np.asarray((output.astype(np.float32) - zero_point) * scale, np.float32)


def _describe(tensors: list[dict[str, Any]]) -> str:
    return " and ".join(f"{np.dtype(t['dtype']).name} {t['shape'].tolist()}" for t in tensors)
