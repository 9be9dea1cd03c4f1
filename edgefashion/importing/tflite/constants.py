"""Constants of a `.tflite` file as arrays, and what its operators make of constants alone: sizes, mostly."""

from collections.abc import Callable, Sequence

import numpy as np

from edgefashion.artifacts.inspection.tflite_file import Buffer, Tensor
from edgefashion.importing.network.plan import Array, Unsupported
from edgefashion.importing.tflite.operators import Operator

DTYPES = {
    name: np.dtype(name)
    for name in ("float32", "float16", "float64", "int8", "uint8", "int16", "int32", "int64", "bool")
}
_MOST_SIZES = 1 << 10
"""Numbers of a constant that is computed and is no kernel."""


def array(tensor: Tensor, buffer: Buffer) -> Array:
    """The values of a constant. Raises ValueError for a damaged one, Unsupported for one of another type."""
    dtype = DTYPES.get(tensor.dtype)
    if dtype is None or tensor.sparse:
        raise Unsupported(f"with {'sparse ' if tensor.sparse else ''}constants of type {tensor.dtype}")
    if buffer.size and not len(buffer.content):
        raise Unsupported("with constants behind the 2 GB that a file addresses")
    if tensor.quantization is not None and any(tensor.scales):
        raise Unsupported("with quantized constants")
    return np.frombuffer(buffer.content, dtype).reshape(tensor.placeholder)


def compute(operator: Operator, read: Sequence[Array]) -> Array:
    """What an operator makes of constants. Raises Unsupported for one that is not computed here."""
    rule = RULES.get(operator.kind)
    if rule is None:
        raise Unsupported("of constants")
    if operator.kind not in KERNELS and sum(each.size for each in read) > _MOST_SIZES:
        raise Unsupported("of constants, too large")
    try:
        return np.asarray(rule(operator, read))
    except (IndexError, TypeError, OverflowError) as error:
        raise ValueError(f"its {operator.kind} of constants is against the rules") from error


def _strided(operator: Operator, read: Sequence[Array]) -> Array:
    begin, end, ellipsis, new, shrink = (operator.integer(slot) for slot in range(5))
    if ellipsis or new:
        raise Unsupported("of constants")
    index: list[slice | int] = []
    for axis, (first, last, step) in enumerate(zip(*(each.tolist() for each in read[1:4]), strict=True)):
        if shrink >> axis & 1:
            index.append(first)
        else:
            index.append(slice(None if begin >> axis & 1 else first, None if end >> axis & 1 else last, step))
    made: Array = read[0][tuple(index)]
    return made


Rule = Callable[[Operator, Sequence[Array]], Array]
KERNELS = ("DEQUANTIZE", "TRANSPOSE", "RESHAPE")
"""What may be done to weights: they stay as many."""
RULES: dict[str, Rule] = {
    "DEQUANTIZE": lambda _, read: read[0].astype(np.float32),
    "TRANSPOSE": lambda _, read: read[0].transpose(read[1].tolist()),
    "RESHAPE": lambda _, read: read[0].reshape(read[1].tolist()),
    "CAST": lambda _, read: read[0],
    "SHAPE": lambda _, read: np.asarray(read[0].shape),
    "STRIDED_SLICE": _strided,
    "PACK": lambda operator, read: np.stack(list(read), operator.integer(1)),
    "CONCATENATION": lambda operator, read: np.concatenate(list(read), operator.integer(0)),
    "ADD": lambda _, read: read[0] + read[1],
    "SUB": lambda _, read: read[0] - read[1],
    "MUL": lambda _, read: read[0] * read[1],
}
