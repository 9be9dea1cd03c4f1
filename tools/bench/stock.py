"""A trained model converted and called as the documentation shows, for `against_stock` to compare with.

Converted, without an option that the documentation's example does not set:

    TFLite  "Post-training integer quantization", ai.google.dev/edge/litert
    ONNX    "Quantize ONNX models", onnxruntime.ai/docs, and the README of tf2onnx

Called: the model takes its own input (the CNN 28x28x1, MobileNetV2 96x96x3, floats), so the caller makes
it out of the raw image, with Pillow and numpy, and quantizes it where the model is a full-integer one. As
lean as that can be written: no copy that the next step does not need, arithmetic in place.

Importing this module opens neither TensorFlow nor a runtime: the processes that are timed have no more in
them than a user's program would.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgefashion import runtimes
from edgefashion.artifacts.formats import Variant
from edgefashion.errors import EdgefashionError, RuntimeCrash
from edgefashion.runtimes.base import BATCH, Images
from edgefashion.runtimes.timing import Timer

KINDS = [Variant(format, precision) for format in ("tflite", "onnx") for precision in ("float32", "int8")]
Floats = NDArray[np.float32]
Classes = NDArray[np.intp]


@dataclass(frozen=True)
class Preprocessing:
    """What a caller does to a raw image: (pixel - mean) / std; with a `size`, resized and made RGB first."""

    mean: float
    std: float
    size: int | None

    def __call__(self, image: Images) -> Floats:
        """uint8 [1, 28, 28, 1] → float32, the input of the Keras model."""
        if self.size is not None:
            gray = Image.fromarray(image[0, :, :, 0])
            resized = gray.resize((self.size, self.size), Image.Resampling.BILINEAR)
            image = np.asarray(resized.convert("RGB"))[np.newaxis]
        values = image.astype(np.float32)
        if self.mean:
            values -= self.mean
        values /= self.std
        return values


def convert(model: Any, samples: list[Floats], folder: Path) -> dict[Variant, Path]:
    """Write a Keras model in the four `KINDS` to `folder`, calibrated with `samples`, its own inputs."""
    import onnx
    import tf2onnx
    from onnxruntime.quantization import quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    from edgefashion.tensorflow import quiet, tf

    paths = {kind: folder / f"stock-{kind[1]}.{kind[0]}" for kind in KINDS}
    prepared = folder / "stock-prepared.onnx"
    with quiet():
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        paths[Variant("tflite", "float32")].write_bytes(converter.convert())
        paths[Variant("tflite", "int8")].write_bytes(_full_integer(tf, model, samples))
        converted, _ = tf2onnx.convert.from_keras(model)
        onnx.save(converted, paths[Variant("onnx", "float32")])
        # Symbolic shape inference wants one more package; these graphs have no shape that it would find.
        quant_pre_process(paths[Variant("onnx", "float32")], prepared, skip_symbolic_shape=True)
        reader = _Reader(converted.graph.input[0].name, samples)
        quantize_static(prepared, paths[Variant("onnx", "int8")], reader)
    return paths


def _full_integer(tf: Any, model: Any, samples: list[Floats]) -> bytes:
    def representative_dataset() -> Iterator[list[Floats]]:
        for sample in samples:
            yield [sample]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative_dataset
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.uint8
    return bytes(converter.convert())


class _Reader:
    """A calibration data reader of ONNX Runtime, which asks for no more than this method."""

    def __init__(self, name: str, samples: list[Floats]) -> None:
        self.feeds = iter([{name: sample} for sample in samples])

    def get_next(self) -> dict[str, Floats] | None:
        """One input, or None after the last."""
        return next(self.feeds, None)


def _highest(scores: NDArray[Any]) -> Classes:
    classes: Classes = scores.argmax(axis=1)
    return classes


class StockLiteRT:
    """A stock TFLite file and what its caller does around it; a `Session`, but it answers with classes."""

    batch, note = BATCH, None

    def __init__(self, path: Path, prepare: Preprocessing) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.prepare = prepare
        self.interpreter = Interpreter(model_path=str(path), num_threads=1)
        self.interpreter.allocate_tensors()
        (details,) = self.interpreter.get_input_details()
        self.source, self.quantization = details["index"], details["quantization"]
        self.target = self.interpreter.get_output_details()[0]["index"]

    def infer(self, image: Images) -> Classes:
        """The class [1] of one raw image uint8 [1, 28, 28, 1]."""
        return self._run(self._input(image))

    def predict(self, images: Images) -> Classes:
        """The classes [N] of raw images uint8 [N, 28, 28, 1]."""
        inputs = [self._input(images[i : i + 1]) for i in range(len(images))]
        classes = []
        for start in range(0, len(inputs), BATCH):
            values = np.concatenate(inputs[start : start + BATCH])
            self.interpreter.resize_tensor_input(self.source, values.shape)
            self.interpreter.allocate_tensors()
            classes.append(self._run(values))
        return np.concatenate(classes)

    def _input(self, image: Images) -> NDArray[Any]:
        values = self.prepare(image)
        scale, zero_point = self.quantization
        if not scale:
            return values
        values /= scale
        values += zero_point
        return np.rint(values, out=values).astype(np.uint8)

    def _run(self, values: NDArray[Any]) -> Classes:
        self.interpreter.set_tensor(self.source, values)
        self.interpreter.invoke()
        return _highest(self.interpreter.get_tensor(self.target))


class StockOnnx:
    """A stock ONNX file and what its caller does around it; see `StockLiteRT`."""

    batch, note = BATCH, None

    def __init__(self, path: Path, prepare: Preprocessing) -> None:
        import onnxruntime

        self.prepare = prepare
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.source = self.session.get_inputs()[0].name

    def infer(self, image: Images) -> Classes:
        """The class [1] of one raw image uint8 [1, 28, 28, 1]."""
        return self._run(self.prepare(image))

    def predict(self, images: Images) -> Classes:
        """The classes [N] of raw images uint8 [N, 28, 28, 1]."""
        inputs = [self.prepare(images[i : i + 1]) for i in range(len(images))]
        starts = range(0, len(inputs), BATCH)
        return np.concatenate([self._run(np.concatenate(inputs[i : i + BATCH])) for i in starts])

    def _run(self, values: Floats) -> Classes:
        return _highest(self.session.run(None, {self.source: values})[0])


class Ours:
    """An artifact of edgefashion, which takes the raw image; it answers with classes, like the others."""

    batch, note = BATCH, None

    def __init__(self, path: Path) -> None:
        runtime = runtimes.for_file(path)
        runtime.start()
        self.session = runtime.load(path, threads=1)

    def infer(self, image: Images) -> Classes:
        """The class [1] of one raw image uint8 [1, 28, 28, 1]."""
        return _highest(self.session.infer([image])[0])

    def predict(self, images: Images) -> Classes:
        """The classes [N] of raw images uint8 [N, 28, 28, 1]."""
        return _highest(self.session.predict(images))


class PreprocessingOnly:
    """What the caller of a stock float model does before it runs; gives no classes."""

    def __init__(self, prepare: Preprocessing) -> None:
        self.infer = prepare


@dataclass(frozen=True)
class Way:
    """A way from a raw image to a class: a file (None: only the preprocessing), and what its caller does
    first (None: nothing).
    """

    path: Path | None
    prepare: Preprocessing | None = None

    def open(self) -> Any:
        """Load the file, for one thread."""
        if self.path is None:
            assert self.prepare
            return PreprocessingOnly(self.prepare)
        if self.prepare is None:
            return Ours(self.path)
        stock = StockLiteRT if self.path.suffix.lower() == ".tflite" else StockOnnx
        return stock(self.path, self.prepare)


class Child:
    """A fresh process that goes one way. Its operations raise RuntimeCrash when it dies or fails."""

    def __init__(self, way: Way) -> None:
        self.way = way
        context = get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, way), daemon=True)
        self.process.start()
        other.close()

    def predict(self, images: Path) -> Classes:
        """The classes [N] of the raw images in an .npy file, uint8 [N, 28, 28, 1]."""
        classes: Classes = self._ask("predict", str(images))
        return classes

    def warm_up(self, images: Path, seconds: float) -> None:
        """Run single inferences for so long; `measure` goes on with the same images."""
        self._ask("warm_up", str(images), seconds)

    def measure(self, runs: int, seconds: float, at_most: float) -> list[float]:
        """Times from image to class in microseconds; see `ModelProcess.measure`."""
        samples: list[float] = self._ask("measure", runs, seconds, at_most)
        return samples

    def close(self) -> None:
        """End the process."""
        self.pipe.close()
        self.process.join()

    def _ask(self, operation: str, *arguments: Any) -> Any:
        try:
            with contextlib.suppress(ConnectionError):  # it failed before; its last reply says why
                self.pipe.send((operation, arguments))
            reply = self.pipe.recv()
        except (EOFError, ConnectionError):
            raise RuntimeCrash(f"the process of {self.way.path} died: {operation} was not answered") from None
        if isinstance(reply, EdgefashionError):
            raise reply
        return reply


def _serve(pipe: Connection, way: Way) -> None:
    """Answer until the parent closes the pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # runtimes greet
    try:
        session = way.open()
        while True:
            operation, arguments = pipe.recv()
            if operation == "predict":
                pipe.send(session.predict(np.load(*arguments)))
            elif operation == "warm_up":
                path, seconds = arguments
                timer = Timer(session.infer, [image[np.newaxis] for image in np.load(path)])
                pipe.send(timer.warm_up(seconds))
            else:
                pipe.send(timer.measure(*arguments))
    except EOFError:
        return
    except Exception as error:
        pipe.send(RuntimeCrash(f"{way.path}: {type(error).__name__}: {error}"))
