"""LiteRT (TensorFlow Lite): runs `.tflite` files."""

import math
import os
from collections.abc import Sequence
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgefashion.runtimes import base
from edgefashion.runtimes.base import BATCH, FIXED_BATCH, Images, Logits
from edgefashion.runtimes.classifier import Classifier, Classifying, Tensor, classifier
from edgefashion.runtimes.inputs import Array, Inputs, TensorSpec, settle

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

OPEN = -1
LARGE = 1 << 19
"""Bytes of a tensor, of which 16 at a time cost MobileNetV2 in float 8 % and half as many nothing."""


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

    def load(self, path: Path, threads: int, sizes: Sequence[int] = ()) -> "LiteRTSession":
        """Read a `.tflite` file. Raises ArtifactError."""
        return LiteRTSession(path, threads, sizes)


class LiteRTSession(Classifying):
    """Follows `base.Session`."""

    def __init__(self, path: Path, threads: int, sizes: Sequence[int] = ()) -> None:
        self._path = path
        self._threads = threads
        self.batch = BATCH
        self.note: str | None = None
        self._runners: list[Any] = []
        self._interpreter = self._open(threads)
        self.inputs = self._allocate(sizes)
        self._sources = [tensor["index"] for tensor in self._interpreter.get_input_details()]
        self._targets = [tensor["index"] for tensor in self._interpreter.get_output_details()]

    def infer(self, inputs: Inputs) -> list[Array]:
        """All outputs for one array per input."""
        # Timed, so lean: `zip(strict=True)` takes four times as long, a list comprehension twice.
        interpreter = self._interpreter
        for index, values in zip(self._sources, inputs):  # noqa: B905
            interpreter.set_tensor(index, values)
        interpreter.invoke()
        outputs = []
        for index in self._targets:
            outputs.append(interpreter.get_tensor(index))
        return outputs

    def logits(self, output: Array) -> Logits:
        """See `base.Session.logits`."""
        if output.dtype == np.float32:
            return np.asarray(output, np.float32)
        scale, zero_point = self._quantization
        return np.asarray((output.astype(np.float32) - zero_point) * scale, np.float32)

    def predict(self, images: Images) -> Logits:
        """Logits float32 [N, classes] of images uint8 [N, height, width, channels]."""
        self.check(images.shape[1:])
        if not self._runners:
            self._find_batch()
            self._runners = [partial(self._run, self._open_batch()) for _ in range(self._threads)]
        return base.spread(images, self._runners, self.batch, self._classifier.classes)

    @cached_property
    def _quantization(self) -> tuple[float, int]:
        """Scale and zero point of its first output."""
        scale, zero_point = self._interpreter.get_output_details()[0]["quantization"]
        return scale, zero_point

    @cached_property
    def _classifier(self) -> Classifier:
        """What it is, if it keeps the contract. Raises ArtifactError."""
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        return classifier(self._path, [*map(_tensor, inputs)], [*map(_tensor, outputs)])

    def _open(self, threads: int) -> "Interpreter":
        from ai_edge_litert.interpreter import Interpreter

        try:
            return Interpreter(model_path=os.fsencode(self._path), num_threads=threads)
        except Exception as error:
            raise base.damaged(self._path, error) from error

    def _allocate(self, sizes: Sequence[int]) -> tuple[TensorSpec, ...]:
        """Give the tensors memory, open batches being 1, and say what the model takes."""
        try:
            inputs = self._interpreter.get_input_details()
        except ValueError as error:  # a type that has no place in Python
            raise base.damaged(self._path, error) from error
        specs = tuple(
            settle(self._path, t["name"], np.dtype(t["dtype"]).name, _sizes(t), sizes) for t in inputs
        )
        try:
            for tensor, spec in zip(inputs, specs, strict=True):
                if tuple(tensor["shape"]) != spec.shape:
                    self._interpreter.resize_tensor_input(tensor["index"], spec.shape)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise base.damaged(self._path, error) from error
        return specs

    def _resize(self, interpreter: "Interpreter") -> bool:
        """Whether `interpreter` now takes `batch` images."""
        try:
            interpreter.resize_tensor_input(self._sources[0], [self.batch, *self._classifier.image_shape])
            interpreter.allocate_tensors()
        except (RuntimeError, ValueError):
            return False
        shape = interpreter.get_output_details()[0]["shape"]
        return bool(tuple(shape) == (self.batch, self._classifier.classes))

    def _find_batch(self) -> None:
        if self._largest() > LARGE:
            self.batch = BATCH // 2
        if not self._resize(self._open(1)):
            self.batch, self.note = 1, FIXED_BATCH

    def _largest(self) -> int:
        """Bytes of the largest tensor of one image, [1, height, width, channels]."""
        found = [(t["shape"].tolist(), np.dtype(t["dtype"])) for t in self._interpreter.get_tensor_details()]
        images = [(shape, dtype) for shape, dtype in found if len(shape) == 4 and shape[0] == 1]
        return max((math.prod(shape) * dtype.itemsize for shape, dtype in images), default=0)

    def _open_batch(self) -> "Interpreter":
        interpreter = self._open(1)
        self._resize(interpreter)
        return interpreter

    def _run(self, interpreter: "Interpreter", images: Images) -> Logits:
        """Logits of at most `batch` images; fewer are padded, which is cheaper than to allocate again."""
        count = len(images)
        if count < self.batch:
            padding = np.zeros((self.batch - count, *images.shape[1:]), np.uint8)
            images = np.concatenate([images, padding])
        interpreter.set_tensor(self._sources[0], images)
        interpreter.invoke()
        return self.logits(interpreter.get_tensor(self._targets[0])[:count])


def _sizes(tensor: dict[str, Any]) -> Sequence[int | None]:
    """The tensor's shape, with None for what is open. Only a model with open sizes has a signature."""
    signature = tensor["shape_signature"]
    sizes = signature if len(signature) else tensor["shape"]
    return [None if size == OPEN else int(size) for size in sizes]


def _tensor(tensor: dict[str, Any]) -> Tensor:
    """An integer without a scale stands for no logit: its type says so."""
    dtype = np.dtype(tensor["dtype"]).name
    unknown = dtype == "int8" and not tensor["quantization"][0] > 0
    return Tensor("int8 without a scale" if unknown else dtype, tuple(map(int, tensor["shape"])))
