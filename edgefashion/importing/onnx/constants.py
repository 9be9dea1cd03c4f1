"""Constants of an `.onnx` file as arrays, and what its operators make of constants alone.

Exporters write sizes of tensors as small computations of their own, and keep a kernel beside the operators
that reorder it.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from edgefashion.artifacts.inspection import external
from edgefashion.artifacts.inspection.onnx_file import EXTERNAL, TYPES, Operation, Tensor
from edgefashion.artifacts.protobuf import Message
from edgefashion.errors import ArtifactError
from edgefashion.files import reading
from edgefashion.importing.network.operands import check_size
from edgefashion.importing.network.plan import Array, Unsupported

_NUMBERS = "float32 float64 float16 int8 uint8 int16 uint16 int32 uint32 int64 uint64 bool"
DTYPES = {name: np.dtype(name) for name in _NUMBERS.split()}
_FREE_BYTES = 1 << 20
_SIZES_MANY = 64
"""Numbers of a constant that is no weight, such as a shape."""


class Constants:
    """The constants of a file: those of its graph and in other files in its folder, and what is made of them.

    What is made may have as many bytes as there are, four times over. Raises ArtifactError for other files
    that are missing, truncated or elsewhere.
    """

    def __init__(
        self, path: Path, tensors: Mapping[str, Tensor], elsewhere: Mapping[str, int], size: int
    ) -> None:
        files = {name: external.checked(path, {name: needed})[0] for name, needed in elsewhere.items()}
        self._files = {name: reading.map_model(file, ArtifactError) for name, file in files.items()}
        self._tensors = tensors
        self._left = 4 * (size + sum(map(len, self._files.values()))) + _FREE_BYTES

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def array(self, name: str) -> Array:
        """The values of a constant. Raises ValueError for a damaged one, Unsupported for
        one of another type.
        """
        tensor = self._tensors[name]
        dtype = DTYPES.get(tensor.dtype)
        if dtype is None:
            raise Unsupported(f"with constants of type {tensor.dtype}")
        values = _values(tensor, dtype, self._files)
        if values.size != math.prod(tensor.shape):
            raise ValueError("a constant has another number of values than its shape")
        return values.reshape(tensor.shape)

    def compute(self, operation: Operation, read: Sequence[Array]) -> Array:
        """What an operator makes of constants; an input that is left out is empty. Raises Unsupported
        for one that is not computed here.
        """
        rule = RULES.get(operation.kind)
        if rule is None:
            raise Unsupported("of constants")
        try:
            if operation.kind == "ConstantOfShape" and math.prod(map(int, read[0])) > _SIZES_MANY:
                raise Unsupported("of constants, too large")
            self._left -= sum(each.nbytes for each in read) + _SIZES_MANY
            if self._left < 0:
                raise ValueError("it computes more from its constants than they are")
            if operation.kind not in ALONE:
                check_size(read, joined=operation.kind == "Concat")
            return np.asarray(rule(operation, read))
        except (IndexError, TypeError, OverflowError) as error:
            raise ValueError(f"its {operation.kind} of constants is against the rules") from error


def _values(tensor: Tensor, dtype: np.dtype[np.generic], files: Mapping[str, memoryview]) -> Array:
    source = tensor.source
    if isinstance(source, tuple):
        return np.asarray(source, dtype)
    if source.integer(14) == EXTERNAL:
        place = {entry.text(1): entry.text(2) for entry in source.messages(13)}
        start = int(place.get("offset") or 0)
        content = files[place.get("location", "")][start : start + tensor.size_bytes]
        return np.frombuffer(content, dtype)
    if 9 in source:
        return np.frombuffer(tensor.raw, dtype)
    if tensor.dtype == "float32":
        return np.asarray(source.floats(4), dtype)
    if tensor.dtype == "float64":
        return np.frombuffer(source.data(10), dtype)
    if tensor.dtype == "float16":
        return np.asarray(source.integers(5), np.uint16).view(dtype)
    return np.asarray(source.integers({"int64": 7, "uint64": 11, "uint32": 11}.get(tensor.dtype, 5)), dtype)


def numbers_of(operation: Operation, name: str, default: float) -> float:
    """An attribute that is one number."""
    return operation.attributes[name].floats(2)[-1] if name in operation.attributes else default


def axes_of(operation: Operation, read: Sequence[Array | None], place: int = 1) -> tuple[int, ...]:
    """The axes an operator is told, by an attribute or, in newer files, by an input; none for all."""
    if "axes" in operation.attributes:
        return operation.integers("axes")
    given = read[place] if place < len(read) else None
    return () if given is None else tuple(map(int, given.ravel()))


def _slice(operation: Operation, read: Sequence[Array]) -> Array:
    if "starts" in operation.attributes:
        starts, ends = operation.integers("starts"), operation.integers("ends")
        axes: tuple[int, ...] = operation.integers("axes")
        steps: tuple[int, ...] = ()
    else:
        starts, ends = (tuple(map(int, each)) for each in read[1:3])
        axes = tuple(map(int, read[3])) if len(read) > 3 else ()
        steps = tuple(map(int, read[4])) if len(read) > 4 else ()
    index = [slice(None)] * read[0].ndim
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        step = steps[number] if steps else 1
        limited = None if step < 0 and end < -(1 << 31) else end
        index[axes[number] if axes else number] = slice(start, limited, step)
    made: Array = read[0][tuple(index)]
    return made


def _unsqueezed(operation: Operation, read: Sequence[Array]) -> Array:
    axes = axes_of(operation, read)
    return np.expand_dims(read[0], tuple(axes))


def _squeezed(operation: Operation, read: Sequence[Array]) -> Array:
    return np.squeeze(read[0], axes_of(operation, read) or None)


def _reshaped(operation: Operation, read: Sequence[Array]) -> Array:
    shape = [read[0].shape[axis] if not edge else int(edge) for axis, edge in enumerate(read[1])]
    return read[0].reshape(shape)


def _transposed(operation: Operation, read: Sequence[Array]) -> Array:
    return read[0].transpose(operation.integers("perm") or None)


def _filled(operation: Operation, read: Sequence[Array]) -> Array:
    value: Array = np.zeros(1, np.float32)
    if "value" in operation.attributes:
        message: Message = operation.attributes["value"].message(5)
        dtype = DTYPES[TYPES[message.integer(2)]]
        value = _values(Tensor(dtype.name, (1,), dtype.itemsize, message), dtype, {})
    return np.full([int(edge) for edge in read[0]], value[0])


def _divided(operation: Operation, read: Sequence[Array]) -> Array:
    left, right = read
    if np.issubdtype(left.dtype, np.integer):
        if not np.all(right):
            raise ValueError("it divides by zero")
        return np.asarray(np.trunc(left / right)).astype(left.dtype)
    return np.asarray(left / right)


def _clipped(operation: Operation, read: Sequence[Array]) -> Array:
    low, high = (read[place] if place < len(read) and read[place].size else None for place in (1, 2))
    return np.clip(read[0], low, high)


def _arithmetic(function: Callable[..., Array]) -> "Rule":
    return lambda _, read: function(*read)


Rule = Callable[[Operation, Sequence[Array]], Array]
RULES: dict[str, Rule] = {
    "Identity": lambda _, read: read[0],
    "Shape": lambda _, read: np.asarray(read[0].shape, np.int64),
    "Cast": lambda operation, read: read[0].astype(DTYPES[TYPES[operation.integer("to")]]),
    "Gather": lambda operation, read: np.take(read[0], read[1].astype(np.int64), operation.integer("axis")),
    "Concat": lambda operation, read: np.concatenate(list(read), operation.integer("axis")),
    "Clip": _clipped,
    "Slice": _slice,
    "Unsqueeze": _unsqueezed,
    "Squeeze": _squeezed,
    "Reshape": _reshaped,
    "Transpose": _transposed,
    "ConstantOfShape": _filled,
    "Add": _arithmetic(np.add),
    "Sub": _arithmetic(np.subtract),
    "Mul": _arithmetic(np.multiply),
    "Div": _divided,
    "Mod": _arithmetic(np.remainder),
    "Max": lambda _, read: functools.reduce(np.maximum, read),
    "Min": lambda _, read: functools.reduce(np.minimum, read),
    **{
        name: _arithmetic(function)
        for name, function in (("Ceil", np.ceil), ("Floor", np.floor), ("Abs", np.abs))
    },
    "Neg": _arithmetic(np.negative),
    "Sqrt": _arithmetic(np.sqrt),
    "Reciprocal": _arithmetic(np.reciprocal),
    "ReduceProd": lambda operation, read: np.prod(read[0], keepdims=bool(operation.integer("keepdims", 1))),
}
ALONE = ("Identity", "Shape", "Cast", "Clip", "Slice", "Unsqueeze", "Squeeze", "Reshape", "Transpose")
"""Those that make no more numbers than they read."""
