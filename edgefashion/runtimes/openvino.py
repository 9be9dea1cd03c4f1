"""OpenVINO on the processor: runs `.onnx` files. What they have in float it computes in float32 or, as a
runtime of its own, in bfloat16; integers stay integers.

Left alone it would choose bfloat16 where the processor has instructions for it, and, asked for it, imitate
them where there are none, which is slow: so it is always told, and that is refused. It would move threads to
processors of its own choice too, which are the user's to choose (`--pin`).
"""

import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgefashion.errors import ArtifactError, RuntimeCrash
from edgefashion.runtimes import base
from edgefashion.runtimes.base import BATCH, FIXED_BATCH, Images, Logits
from edgefashion.runtimes.classifier import Classifier, Classifying, Tensor, classifier
from edgefashion.runtimes.inputs import Array, Inputs, settle

if TYPE_CHECKING:
    from openvino import CompiledModel, Core, InferRequest, Model

_NUMBERS = {"f": "float", "i": "int", "u": "uint"}


class OpenVINO:
    """Follows `base.Runtime`."""

    name = "OpenVINO"
    package = "openvino"
    extra = "openvino"
    precision = "f32"

    def start(self) -> str:
        """Import OpenVINO and return its version. Raises MissingExtra."""
        # With this, its import would tell its maker of it, and leave files in the user's home.
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
        try:
            import openvino  # noqa: F401
        except ModuleNotFoundError as error:
            raise base.missing(self, ".onnx") from error
        return version(self.package)

    def load(self, path: Path, threads: int, sizes: Sequence[int] = ()) -> "OpenVINOSession":
        """Read an `.onnx` file. Raises ArtifactError."""
        return OpenVINOSession(path, threads, sizes, self.precision)


class OpenVINOBfloat16(OpenVINO):
    """The same with float layers in bfloat16."""

    name = "OpenVINO-bf16"
    precision = "bf16"

    def start(self) -> str:
        """Import OpenVINO and return its version. Raises MissingExtra, and RuntimeCrash without bfloat16."""
        found = super().start()
        if "BF16" not in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise RuntimeCrash("this processor has no instructions for bfloat16: measure with openvino")
        return found


class OpenVINOSession(Classifying):
    """Follows `base.Session`."""

    def __init__(self, path: Path, threads: int, sizes: Sequence[int], precision: str) -> None:
        self._path, self._threads, self._precision = path, threads, precision
        self._runners: list[Any] = []
        model = self._read()
        self._takes, self._gives = (
            [Tensor(_dtype(port), _shape(port)) for port in ports] for ports in (model.inputs, model.outputs)
        )
        self.inputs = tuple(
            settle(path, port.any_name, *tensor, sizes)
            for port, tensor in zip(model.inputs, self._takes, strict=True)
        )
        fixed = [tensor.shape[:1] for tensor in self._takes] == [(1,)]
        self.batch = 1 if fixed else BATCH
        self.note = FIXED_BATCH if fixed else None
        shapes = [spec.shape for spec in self.inputs]
        self._request = self._compile(model, shapes, threads, 1).create_infer_request()
        self._sources = [self._request.get_input_tensor(place).data for place in range(len(self._takes))]

    def infer(self, inputs: Inputs) -> list[Array]:
        """All outputs for one array per input."""
        # Timed, so lean: arrays as its arguments and the dictionary that it gives take a third more.
        request = self._request
        for source, values in zip(self._sources, inputs):  # noqa: B905
            source[...] = values
        request.infer(share_outputs=True)
        outputs = []
        for place in range(len(self._gives)):
            outputs.append(request.get_output_tensor(place).data.copy())
        return outputs

    def predict(self, images: Images) -> Logits:
        """Logits float32 [N, classes] of images uint8 [N, height, width, channels]."""
        self.check(images.shape[1:])
        if not self._runners:
            compiled = self._compile_batch()
            requests = [compiled.create_infer_request() for _ in range(self._threads)]
            self._runners = [partial(self._run, request) for request in requests]
        return base.spread(images, self._runners, self.batch, self._classifier.classes)

    @cached_property
    def _classifier(self) -> Classifier:
        """What it is, if it keeps the contract. Raises ArtifactError."""
        return classifier(self._path, self._takes, self._gives)

    def _read(self) -> "Model":
        """The model in the file, which is read as ONNX and not as what else its content may be."""
        from openvino.frontend import FrontEndManager

        frontend = FrontEndManager().load_by_framework("onnx")
        with base.utf8_name(self._path) as name:
            try:
                found = frontend.load(name)
            except Exception as error:
                raise base.damaged(self._path, ValueError(_reason(error))) from error
            try:
                model = frontend.convert(found)
            except Exception as error:
                raise self._refused(error) from error
        if not model.outputs:
            raise base.damaged(self._path, ValueError("no ONNX model is in it"))
        return model

    def _compile(
        self, model: "Model", shapes: Sequence[tuple[int, ...]], threads: int, requests: int
    ) -> "CompiledModel":
        """The model for inputs of these shapes, with so many requests at the same time."""
        from openvino import PartialShape

        settings = {
            "INFERENCE_PRECISION_HINT": self._precision,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": requests,
            "ENABLE_CPU_PINNING": False,
        }
        try:
            model.reshape({place: PartialShape(shape) for place, shape in enumerate(shapes)})
            return _core().compile_model(model, "CPU", settings)
        except Exception as error:
            raise self._refused(error) from error

    def _compile_batch(self) -> "CompiledModel":
        """The model for `batch` images a request, and as many requests at the same time as threads."""
        found, threads = self._classifier, self._threads
        if self.batch > 1:
            with suppress(ArtifactError):
                compiled = self._compile(self._read(), [(self.batch, *found.image_shape)], threads, threads)
                if _shape(compiled.outputs[0]) == (self.batch, found.classes):
                    return compiled
            self.batch, self.note = 1, FIXED_BATCH
        return self._compile(self._read(), [(1, *found.image_shape)], threads, threads)

    def _run(self, request: "InferRequest", images: Images) -> Logits:
        """Logits of at most `batch` images; what the others were before is computed again."""
        request.get_input_tensor().data[: len(images)] = images
        request.infer(share_outputs=True)
        return np.array(request.get_output_tensor(0).data[: len(images)], np.float32)

    def _refused(self, error: Exception) -> ArtifactError:
        """The error for a model that others may run."""
        return ArtifactError(
            f"{self._path} is no model that OpenVINO runs ({_reason(error)}): measure it with onnxruntime"
        )


@cache
def _core() -> "Core":
    from openvino import Core

    return Core()


def _reason(error: Exception) -> str:
    """The last line of what it says: those before tell where in its own code that is."""
    *_, last = str(error).strip().splitlines() or [""]
    return last.lstrip("- ")


def _shape(port: Any) -> tuple[int | None, ...]:
    """Its sizes; None for an open one. Where even their number is open, as of two open ones."""
    shape = port.partial_shape
    if shape.rank.is_dynamic:
        return (None, None)
    return tuple(None if size.is_dynamic else size.get_length() for size in shape)


def _dtype(port: Any) -> str:
    """The type as numpy calls it; anything but a number keeps the name that OpenVINO gives it."""
    name = str(port.element_type.get_type_name())
    number = re.fullmatch(r"([fiu])(\d+)", name)
    return f"{_NUMBERS[number[1]]}{number[2]}" if number else {"boolean": "bool"}.get(name, name)
