"""TFLite models unpacked to change them, and packed again in as few bytes as their format allows.

TensorFlow's converter writes the zero points of each tensor, eight bytes for each channel and nearly all of
them 0, for every kernel and once more for its bias: a tenth of an int8 MobileNetV2. A flatbuffer may point at
the same vector from many tables, so vectors that are equal are written once here.
"""

from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from edgefashion.artifacts.flatbuffer import IDENTIFIER
from edgefashion.artifacts.inspection.tflite_file import names_of

BUFFER_ALIGNMENT = 16
"""Of weights, as TFLite's schema wants it."""
NO_TENSOR = -1
"""Stands where an operator has no bias; the converter drops one of zeros."""
Vector = npt.NDArray[Any]


def unpack(content: bytes) -> Any:
    """The model of a TFLite file, as LiteRT's schema unpacks it."""
    return schema.ModelT.InitFromPackedBuf(content, 0)


def operator_kind(model: Any, operator: Any) -> str:
    """The name of an operator of such a model, as the schema has it."""
    code = model.operatorCodes[operator.opcodeIndex]
    return names_of("BuiltinOperator")[max(code.builtinCode, code.deprecatedBuiltinCode)]


def operator_code(model: Any, kind: str, version: int) -> int:
    """The position of an operator, of this version or a later one, among the kinds that such a model has."""
    number = getattr(schema.BuiltinOperator, kind)
    for position, code in enumerate(model.operatorCodes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == number and code.version >= version:
            return position
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = number
    code.version = version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def pack(model: Any) -> bytes:
    """The TFLite file of such a model."""
    builder = _Sharing()
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


class _Sharing(flatbuffers.Builder):
    """Writes equal vectors of numbers once, and bytes where weights may stand."""

    def __init__(self) -> None:
        super().__init__(1 << 20)
        self.written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: Vector) -> int:
        """The offset of the vector `x`."""
        key = (x.dtype.str, x.tobytes())
        if key not in self.written:
            self.written[key] = self._bytes(key[1]) if x.dtype == np.uint8 else super().CreateNumpyVector(x)
        return self.written[key]

    def _bytes(self, content: bytes) -> int:
        self.StartVector(1, len(content), BUFFER_ALIGNMENT)
        self.head -= len(content)
        self.Bytes[self.head : self.head + len(content)] = content
        return int(self.EndVector())
