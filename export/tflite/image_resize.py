"""The resize of an int8 TFLite model's image as two products of integers, which are exact and round twice.

before    pixels → RESIZE_BILINEAR, which gathers four pixels for each that it gives
after     pixels → columns moved before rows → FULLY_CONNECTED gives the rows of the resized image
          → moved back → FULLY_CONNECTED gives its columns

The weights are multiples of a fraction of 1, and all but two a row are 0: kernels of dense layers compute all
of them, and are faster where the image is small. Elsewhere the model stays as it is, and so it does where the
weights do not fit into 8 bits.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from edgefashion.export.graph.bilinear import interpolation
from edgefashion.export.tflite import packing

RESIZED = "resized_image"
"""The name of the tensor that the products give; it has no layer's."""
MOST_WEIGHT = 127
MOST_PRODUCTS = 150
"""How many products a pixel of the resized image may take: measured, see the README."""


def multiply_resize(content: bytes) -> bytes:
    """The TFLite file with products in the place of its resize, if that pays; else as it is."""
    model = packing.unpack(content)
    graph = model.subgraphs[0]
    for place, operator in enumerate(graph.operators):
        if packing.operator_kind(model, operator) == "RESIZE_BILINEAR" and _reads_image(model, operator):
            if not _pays(model, operator):
                break
            writer = _Writer(model)
            writer.resize(int(operator.inputs[0]), int(operator.outputs[0]))
            graph.operators[place : place + 1] = writer.operators
            return packing.pack(model)
    return content


def _reads_image(model: Any, operator: Any) -> bool:
    """Whether it reads the input's integers and gives integers of the same scale, with half-pixel centers."""
    graph, options = model.subgraphs[0], operator.builtinOptions
    makers = {int(other.outputs[0]): other for other in graph.operators}
    maker = makers.get(int(operator.inputs[0]))
    if maker is None or maker.inputs[0] not in graph.inputs or options.alignCorners:
        return False
    source, target = (graph.tensors[index] for index in (operator.inputs[0], operator.outputs[0]))
    return bool(
        options.halfPixelCenters
        and source.type == target.type == schema.TensorType.INT8
        and source.quantization.scale == target.quantization.scale
        and source.quantization.zeroPoint == target.quantization.zeroPoint
    )


def _pays(model: Any, operator: Any) -> bool:
    """Whether its weights fit, and there are few products for each pixel that it gives."""
    tensors = model.subgraphs[0].tensors
    height, width, channels = (int(size) for size in tensors[operator.inputs[0]].shape[1:])
    rows, columns = (int(size) for size in tensors[operator.outputs[0]].shape[1:3])
    wholes = [whole for _, whole in (interpolation(height, rows), interpolation(width, columns))]
    products = width * ((height != rows) * height / columns + (width != columns))
    return channels == 1 and max(wholes) <= MOST_WEIGHT and products <= MOST_PRODUCTS


class _Writer:
    """Writes operators and tensors into an unpacked model.

    operators: those written, one after the other.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.graph = model.subgraphs[0]
        self.operators: list[Any] = []

    def resize(self, source: int, target: int) -> None:
        """From a tensor [N, height, width, channels] to another of more or fewer rows and columns."""
        height, width, _ = (int(size) for size in self.graph.tensors[source].shape[1:])
        rows, columns = (int(size) for size in self.graph.tensors[target].shape[1:3])
        self.graph.tensors[target].name = RESIZED.encode()
        value, axes = source, "hwc"
        if rows != height:
            value = self._multiply(self._transpose(value, axes, "wch"), height, rows, "resize_rows")
            axes = "wch"
        if columns != width:
            value = self._multiply(self._transpose(value, axes, "hcw"), width, columns, "resize_columns")
            axes = "hcw"
        self._transpose(value, axes, "hwc", target)

    def _multiply(self, source: int, size: int, resized: int, name: str) -> int:
        """Resize the last axis."""
        weights, whole = interpolation(size, resized)
        constant = self._constant(weights.astype(np.int8), name)
        self.graph.tensors[constant].quantization = schema.QuantizationParametersT(
            scale=np.array([1 / whole], np.float32), zeroPoint=np.zeros(1, np.int64)
        )
        target = self._like(source, (*self.graph.tensors[source].shape[1:-1], resized))
        options = schema.FullyConnectedOptionsT(keepNumDims=True)
        self._write("FULLY_CONNECTED", 5, [source, constant, packing.NO_TENSOR], target, options)
        return target

    def _transpose(self, source: int, axes: str, wanted: str, target: int | None = None) -> int:
        """From axes in one order to another, each a letter, behind that of images."""
        order = [0, *(1 + axes.index(axis) for axis in wanted)]
        if target is None:
            shape = self.graph.tensors[source].shape
            target = self._like(source, tuple(shape[axis] for axis in order[1:]))
        constant = self._constant(np.array(order, np.int32), "resize_order")
        self._write("TRANSPOSE", 2, [source, constant], target, schema.TransposeOptionsT())
        return target

    def _like(self, index: int, shape: tuple[int, ...]) -> int:
        """A tensor of integers of the same scale as another, of its own `shape` after the first axis."""
        other = self.graph.tensors[index]
        tensor = schema.TensorT(
            shape=np.array([other.shape[0], *shape], np.int32),
            shapeSignature=np.array([-1, *shape], np.int32),
            type=other.type,
            name=b"resize",
            quantization=other.quantization,
            hasRank=True,
        )
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def _constant(self, values: npt.NDArray[Any], name: str) -> int:
        kinds = {np.dtype(np.int8): schema.TensorType.INT8, np.dtype(np.int32): schema.TensorType.INT32}
        data = np.frombuffer(values.tobytes(), np.uint8)
        self.model.buffers.append(schema.BufferT(data=data))
        tensor = schema.TensorT(
            shape=np.array(values.shape, np.int32),
            type=kinds[values.dtype],
            buffer=len(self.model.buffers) - 1,
            name=name.encode(),
            hasRank=True,
        )
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def _write(self, kind: str, version: int, inputs: list[int], output: int, options: Any) -> None:
        operator = schema.OperatorT(
            opcodeIndex=packing.operator_code(self.model, kind, version),
            inputs=np.array(inputs, np.int32),
            outputs=np.array([output], np.int32),
            builtinOptionsType=getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T")),
            builtinOptions=options,
        )
        self.operators.append(operator)
