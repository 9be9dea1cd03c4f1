"""Layers of an int8 TFLite model put back into float.

Each is given its float weights, and reads and writes float; DEQUANTIZE and QUANTIZE stand where it meets
integers, and nothing stands between two such layers. All else stays as the converter made it, byte for
byte, so that what such a model does better is the layer's doing. TensorFlow's own way to leave layers out
(QuantizationDebugger) works on calibrated models only, not on those of quantization-aware training.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from edgefashion.errors import VerificationError
from edgefashion.export.graph.fused_layers import Step, find_step, steps_of
from edgefashion.export.graph.graph import Graph
from edgefashion.export.tflite import packing
from edgefashion.export.tflite.space_to_depth import compute_cells
from edgefashion.tensorflow import keras

Array = npt.NDArray[np.float32]
CAST_VERSIONS = {"QUANTIZE": 1, "DEQUANTIZE": 2}
"""Of these operators, the first that know int8."""
MOVING = ("RESHAPE", "PAD", "TRANSPOSE", "QUANTIZE", "DEQUANTIZE", "RESIZE_BILINEAR")


def restore(content: bytes, graph: Graph, layers: Iterable[str]) -> bytes:
    """The TFLite file `content`, made from `graph`, with the named layers in float.

    Raises VerificationError when the file does not have one operator for each of them.
    """
    model = packing.unpack(content)
    steps, wanted = steps_of(graph), list(layers)
    subgraph = model.subgraphs[0]
    names = [_name(model, operator, steps) for operator in subgraph.operators]
    if wrong := [name for name in wanted if names.count(name) != 1]:
        raise VerificationError(
            f"the int8 TFLite model does not have exactly one operator for each of {', '.join(wrong)}: "
            "no file was kept"
        )
    editor, converted = _Editor(model), compute_cells(graph.deployed)
    for operator, name in zip(subgraph.operators, names, strict=True):
        if name in wanted:
            editor.restore(operator, _weights(converted.get_layer(name)))
        else:
            editor.operators.append(operator)
    editor.finish()
    return packing.pack(model)


def count(model: Any) -> int:
    """How many operators compute in float, in a model as LiteRT's schema unpacks it."""
    return len(computing(model))


def computing(model: Any) -> list[str]:
    """The operators that compute in float, each with the name of what it gives."""
    subgraph = model.subgraphs[0]
    floats = {n for n, tensor in enumerate(subgraph.tensors) if tensor.type == schema.TensorType.FLOAT32}
    kinds = [(packing.operator_kind(model, operator), operator) for operator in subgraph.operators]
    return [
        f"{kind} ({subgraph.tensors[operator.outputs[0]].name.decode()})"
        for kind, operator in kinds
        if kind not in CAST_VERSIONS and not floats.isdisjoint([*operator.inputs, *operator.outputs])
    ]


def _name(model: Any, operator: Any, steps: Sequence[Step]) -> str | None:
    """The step that an operator computes; None for one that moves values."""
    subgraph = model.subgraphs[0]
    (output, *_) = operator.outputs
    if packing.operator_kind(model, operator) in MOVING:
        return None
    if output in subgraph.outputs:
        return steps[-1].name
    return find_step(subgraph.tensors[output].name.decode(), steps)


def _weights(layer: keras.layers.Layer) -> list[Array]:
    """Kernel and bias of a layer, if it has any, as TFLite lays them out."""
    weights = layer.get_weights()
    if not weights:
        return []
    kernel, *biases = weights
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        kernel = kernel.reshape(1, *kernel.shape[:2], -1)
    elif isinstance(layer, keras.layers.Conv2D):
        kernel = kernel.transpose(3, 0, 1, 2)
    else:
        kernel = kernel.T
    return [np.ascontiguousarray(kernel), *biases]


class _Editor:
    """Rewrites the operators of a model, one after the other.

    operators: those written so far, which become the model's when it is finished.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.graph = model.subgraphs[0]
        self.operators: list[Any] = []
        self._readers = Counter(int(index) for operator in self.graph.operators for index in operator.inputs)
        self._floats: dict[int, int] = {}  # by a tensor of integers, the float tensor of the same values

    def restore(self, operator: Any, weights: list[Array]) -> None:
        """Write an operator that computes in float, with these weights, and what leads to and from it."""
        inputs = [int(index) for index in operator.inputs]
        for position, index in enumerate(inputs):
            if index == packing.NO_TENSOR:
                continue
            if not self._is_constant(index):
                inputs[position] = self._float(index)
            else:  # the converter gives a depthwise layer without a bias one of zeros
                values = weights.pop(0) if weights else np.zeros(self.graph.tensors[index].shape, np.float32)
                inputs[position] = self._constant(index, values)
        operator.inputs = inputs
        (output,) = operator.outputs
        twin = self._floats[int(output)] = self._add(output)
        operator.outputs = [twin]
        self.operators += [operator, self._cast("QUANTIZE", twin, output)]

    def finish(self) -> None:
        """Leave out what nothing reads. Logits that are computed in float stay so."""
        self.graph.outputs = [self._floats.get(int(index), index) for index in self.graph.outputs]
        read = {index for operator in self.operators for index in operator.inputs} | set(self.graph.outputs)
        self.graph.operators = [operator for operator in self.operators if operator.outputs[0] in read]
        used = {tensor.buffer for tensor in self.graph.tensors}
        used |= {entry.buffer for entry in self.model.metadata or []}
        for number, buffer in enumerate(self.model.buffers):
            if number not in used:
                buffer.data = None

    def _is_constant(self, index: int) -> bool:
        data = self.model.buffers[self.graph.tensors[index].buffer].data
        return data is not None and len(data) > 0

    def _float(self, index: int) -> int:
        """The number of the float tensor with the values of a tensor of integers."""
        if index not in self._floats:
            self._floats[index] = self._add(index)
            self.operators.append(self._cast("DEQUANTIZE", index, self._floats[index]))
        return self._floats[index]

    def _constant(self, index: int, values: Array) -> int:
        """Give a constant float values; one that others read too is left to them. Gives its number."""
        if self._readers[index] > 1:
            index = self._add(index)
        tensor = self.graph.tensors[index]
        tensor.type, tensor.quantization, tensor.buffer = (
            schema.TensorType.FLOAT32,
            None,
            len(self.model.buffers),
        )
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.astype(np.float32).tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        return index

    def _add(self, index: int) -> int:
        """A float tensor of the shape of another, without values. Gives its number."""
        tensor = copy(self.graph.tensors[index])
        tensor.name = tensor.name + b"_float"
        tensor.type, tensor.quantization, tensor.buffer = schema.TensorType.FLOAT32, None, 0
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def _cast(self, kind: str, source: int, target: int) -> Any:
        operator = schema.OperatorT()
        operator.opcodeIndex = packing.operator_code(self.model, kind, CAST_VERSIONS[kind])
        operator.inputs, operator.outputs = [source], [target]
        return operator
