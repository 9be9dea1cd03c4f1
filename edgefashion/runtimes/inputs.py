"""The inputs of a model, and random numbers for them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgefashion.errors import ArtifactError

Array = NDArray[Any]
Inputs = Sequence[Array]
"""One array for each input of a model."""

_FLOATS = ("float16", "float32", "float64")
_INTEGERS = ("int8", "uint8", "int16", "uint16")
_INDICES = ("int32", "uint32", "int64", "uint64", "bool")
_FILLED = (*_FLOATS, *_INTEGERS, *_INDICES)


@dataclass(frozen=True)
class TensorSpec:
    """An input of a model: its name, its type as numpy calls it, and its shape for one inference."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of one such array."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


def settle(
    path: Path, name: str, dtype: str, shape: Sequence[int | None], sizes: Sequence[int] = ()
) -> TensorSpec:
    """The input of a model file; None stands for an open size, and an open first one, the batch, becomes 1.
    Where `sizes` are as many, open ones become those.

    Raises ArtifactError where another size is open, or where random numbers cannot fill such a type.
    """
    if dtype not in _FILLED:
        raise ArtifactError(
            f"{path}: input {name} is of type {dtype}, which random numbers cannot fill: "
            f"export the part of the model behind it"
        )
    if len(sizes) == len(shape):
        shape = [given if size is None else size for size, given in zip(shape, sizes, strict=True)]
    settled = tuple(1 if size is None and axis == 0 else size for axis, size in enumerate(shape))
    sizes = tuple(size for size in settled if size is not None)
    if len(sizes) < len(settled):
        found = ", ".join("?" if size is None else str(size) for size in shape)
        raise ArtifactError(
            f"{path}: input {name} has an open shape, {dtype} [{found}]: "
            f"export it with every size but the batch fixed"
        )
    return TensorSpec(name, dtype, sizes)


def random_inputs(specs: Sequence[TensorSpec], count: int, seed: int = 0) -> list[Inputs]:
    """`count` times one array for each of `specs`, the same for the same seed.

    Floats are uniform in 0..1, integers of 8 and 16 bits uniform over their whole range: quantized values
    as a rule. Those of 32 and 64 bits are mostly indices, masks and kinds of token, so they are 0 or 1,
    which a table of any size has; so are truth values.
    """
    random = np.random.default_rng(seed)
    return [[_fill(random, spec) for spec in specs] for _ in range(count)]


def _fill(random: np.random.Generator, spec: TensorSpec) -> Array:
    """Such an array, made without one of a larger type on the way: it may be as large as the memory."""
    if spec.dtype in _FLOATS:
        drawn = np.float64 if spec.dtype == "float64" else np.float32
        return np.asarray(random.random(spec.shape, dtype=drawn)).astype(spec.dtype, copy=False)
    low, high = 0, 1
    if spec.dtype in _INTEGERS:
        low, high = np.iinfo(spec.dtype).min, np.iinfo(spec.dtype).max
    kind = np.dtype(spec.dtype)
    return np.asarray(random.integers(low, high, spec.shape, dtype=kind, endpoint=True))
