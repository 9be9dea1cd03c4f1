"""How large a TFLite model's tensors are for a batch of one.

The file has a shape for every tensor, with -1 where a size is open. An open first size is not always the
batch (a reshape may have folded others into it), so it is followed from the input through the operators
that are known to keep it.
"""

import math
from collections.abc import Sequence

from edgefashion.artifacts.inspection.base import Shape

_KEEPING_FIRST = """
    ABS ADD AVERAGE_POOL_2D CAST CEIL CONV_2D CONV_3D COS DEPTHWISE_CONV_2D DEQUANTIZE DIV ELU EXP
    FAKE_QUANT FLOOR GELU HARD_SWISH L2_NORMALIZATION LEAKY_RELU LOCAL_RESPONSE_NORMALIZATION LOG LOGISTIC
    LOG_SOFTMAX MAXIMUM MAX_POOL_2D MINIMUM MUL NEG POW PRELU QUANTIZE RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1
    RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR ROUND RSQRT SIN SOFTMAX SQRT SQUARE SQUARED_DIFFERENCE SUB TANH
    BATCH_MATMUL DEPTH_TO_SPACE SPACE_TO_DEPTH PAD PADV2 MIRROR_PAD
"""
WHOLE_SLICE = "STRIDED_SLICE of the whole batch"
KEEPING_FIRST = {*_KEEPING_FIRST.split(), WHOLE_SLICE}
KEEPING_COUNT = {"RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE"}
REDUCING = {"MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"}

Operation = tuple[str, tuple[int, ...], tuple[int, ...]]


def resolve(
    shapes: Sequence[Shape], inputs: set[int], constants: set[int], operations: Sequence[Operation]
) -> list[Shape | None]:
    """The shape of every tensor, None where it stays open.

    `inputs` are the tensors whose first open size is the batch, `operations` (kind, inputs, outputs) in
    the order in which they run.
    """
    found: list[Shape | None] = [None if min(shape, default=0) < 0 else shape for shape in shapes]
    for index in inputs:
        if 0 <= index < len(shapes):
            found[index] = _with_first(shapes[index], 1)
    constants = constants | {-1}
    for kind, given, made in operations:
        if constants.issuperset(given):
            constants.update(made)
        known = [found[i] for i in given if i not in constants]
        for index in made:
            if index >= 0 and found[index] is None:
                found[index] = _follow(kind, shapes[index], known, [found[i] for i in given if i >= 0])
    return found


def _follow(kind: str, shape: Shape, known: list[Shape | None], given: list[Shape | None]) -> Shape | None:
    if None in known or not known:
        return None
    sizes = [size for size in known if size is not None]
    if kind in KEEPING_FIRST and all(size and len(size) == len(shape) for size in sizes):
        return _with_first(shape, max(size[0] for size in sizes))
    if kind == "CONCATENATION" and all(size[1:] != shape[1:] for size in sizes):
        return _with_first(shape, sizes[0][0])
    rest = math.prod(shape[1:])
    if kind in KEEPING_COUNT and rest:
        return _with_first(shape, math.prod(sizes[0]) // rest)
    kernel = given[1] if len(given) > 1 else None
    if kind == "FULLY_CONNECTED" and kernel and rest and kernel[-1]:
        rows = math.prod(sizes[0]) // kernel[-1]
        return _with_first(shape, rows * kernel[0] // rest)
    if kind in REDUCING and 1 < len(shape) <= len(sizes[0]):
        return _with_first(shape, sizes[0][0]) if -1 not in shape[1:] else None
    return None


def _with_first(shape: Shape, first: int) -> Shape | None:
    """The shape with an open first size settled; None where another one is open, too."""
    settled = (first, *shape[1:]) if shape and shape[0] == -1 else shape
    return None if -1 in settled else settled
