"""The output shapes of ONNX operators from their input shapes: a rule for each operator.

A rule raises LookupError where an operand is unknown, ValueError or ArithmeticError where it is against the
rules or follows another.
"""

import math
from collections.abc import Callable

from edgefashion.artifacts.inspection.base import MOST_AXES, Shape
from edgefashion.artifacts.inspection.onnx_file import Graph, Operation

Shapes = dict[str, Shape]
Rule = Callable[[Operation, Shapes, Graph], Shape]
MOST_SIZES = 2 * MOST_AXES
_SAME = """
    Abs BatchNormalization Cast Ceil Clip Cos CumSum DequantizeLinear Dropout DynamicQuantizeLinear Elu
    Erf Exp Floor Gelu GroupNormalization HardSigmoid HardSwish Hardmax Identity InstanceNormalization IsInf
    IsNaN LayerNormalization LeakyRelu Log LogSoftmax LpNormalization LRN MeanVarianceNormalization Mish Neg
    Not PRelu QuantizeLinear Reciprocal Relu RMSNormalization Round Selu Shrink Sigmoid Sign Sin Softmax
    Softplus Softsign Sqrt Swish Tanh ThresholdedRelu Trilu
"""
_BROADCAST = """
    Add Sub Mul Div Pow Max Min Sum Mean Mod And Or Xor Equal Greater GreaterOrEqual Less LessOrEqual Where
"""
_REDUCE = """
    ReduceMean ReduceSum ReduceMax ReduceMin ReduceL1 ReduceL2 ReduceProd ReduceLogSum ReduceLogSumExp
    ReduceSumSquare
"""


def values(graph: Graph, name: str) -> tuple[int, ...]:
    """The integers of a constant. Raises LookupError or ValueError where they are not at hand, or many."""
    constant = graph.constants[name]
    count = math.prod(constant.shape)
    found = constant.integers() if count <= MOST_SIZES else ()
    if len(found) != count:
        raise ValueError("values that are not sizes, or not in the file")
    return found


def same(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    """The shape of the first input."""
    return shapes[operation.input(0)]


def _broadcast(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    return broadcast_all([shapes[name] for name in operation.inputs])


def broadcast_all(given: list[Shape]) -> Shape:
    """The shape that arrays of these have together."""
    rank = max(map(len, given))
    padded = [(1,) * (rank - len(shape)) + shape for shape in given]
    return tuple(next((size for size in sizes if size != 1), 1) for sizes in zip(*padded, strict=True))


def windows(operation: Operation, shape: Shape, kernel: Shape) -> Shape:
    """How many positions a sliding window has in each direction."""
    rank = len(kernel)
    strides = operation.integers("strides") or (1,) * rank
    dilations = operation.integers("dilations") or (1,) * rank
    pads = operation.integers("pads") or (0,) * 2 * rank
    if operation.text("auto_pad").startswith("SAME"):
        return tuple(-(-size // stride) for size, stride in zip(shape, strides, strict=True))
    up = operation.integer("ceil_mode")
    found = []
    for i, size in enumerate(shape):
        room = size + pads[i] + pads[i + rank] - dilations[i] * (kernel[i] - 1) - 1
        steps = -(-room // strides[i]) if up else room // strides[i]
        if up and steps * strides[i] >= size + pads[i]:  # a window may not begin in the padding behind
            steps -= 1
        found.append(steps + 1)
    return tuple(found)


def _conv(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    image = shapes[operation.input(0)]
    kernel = shapes[operation.input(3 if operation.kind == "QLinearConv" else 1)]
    return (image[0], kernel[0], *windows(operation, image[2:], kernel[2:]))


def _conv_transpose(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    image, kernel = shapes[operation.input(0)], shapes[operation.input(1)]
    rank = len(kernel) - 2
    strides = operation.integers("strides") or (1,) * rank
    dilations = operation.integers("dilations") or (1,) * rank
    pads = operation.integers("pads") or (0,) * 2 * rank
    more = operation.integers("output_padding") or (0,) * rank
    same = operation.text("auto_pad").startswith("SAME")
    sizes = operation.integers("output_shape") or tuple(
        size * strides[i]
        if same
        else (size - 1) * strides[i]
        + more[i]
        + (kernel[i + 2] - 1) * dilations[i]
        + 1
        - pads[i]
        - pads[i + rank]
        for i, size in enumerate(image[2:])
    )
    return (image[0], kernel[1] * operation.integer("group", 1), *sizes)


def _pool(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    image = shapes[operation.input(0)]
    return (*image[:2], *windows(operation, image[2:], operation.integers("kernel_shape")))


def _global_pool(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    image = shapes[operation.input(0)]
    return image[:2] + (1,) * len(image[2:])


def gemm(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    """A product of two matrices."""
    return gemm_of(operation, shapes[operation.input(0)], shapes[operation.input(1)])


def gemm_of(operation: Operation, left: Shape, right: Shape) -> Shape:
    """That of a product of matrices, either of which may be transposed."""
    return left[1 if operation.integer("transA") else 0], right[0 if operation.integer("transB") else 1]


def matmul(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    """A product of two stacks of matrices."""
    left = shapes[operation.input(0)]
    return matmul_of(left, shapes[operation.input(3 if "QLinear" in operation.kind else 1)])


def matmul_of(left: Shape, right: Shape) -> Shape:
    """That of a product of stacks of matrices."""
    if len(left) < 2 or len(right) < 2:
        raise ValueError("vectors have rules of their own")
    longer, shorter = sorted((left[:-2], right[:-2]), key=len, reverse=True)
    padded = (1,) * (len(longer) - len(shorter)) + shorter
    return (*map(max, longer, padded), left[-2], right[-1])


def _reshape(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given, wanted = shapes[operation.input(0)], values(graph, operation.input(1))
    if not operation.integer("allowzero"):
        wanted = tuple(size or given[place] for place, size in enumerate(wanted))
    rest = -math.prod(wanted) if -1 in wanted else 1
    return tuple(math.prod(given) // rest if size == -1 else size for size in wanted)


def _flatten(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given, axis = shapes[operation.input(0)], operation.integer("axis", 1)
    return math.prod(given[:axis]), math.prod(given[axis:])


def _transpose(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given = shapes[operation.input(0)]
    return tuple(given[axis] for axis in operation.integers("perm") or reversed(range(len(given))))


def _axes(operation: Operation, graph: Graph, rank: int) -> set[int]:
    """From the attribute, or in later operator sets the second input."""
    name = operation.input(1)
    axes = values(graph, name) if name else operation.integers("axes")
    return {axis % rank for axis in axes}


def _squeeze(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given = shapes[operation.input(0)]
    axes = _axes(operation, graph, len(given))
    if not axes:
        raise ValueError("which sizes are 1 depends on the batch")
    return tuple(size for axis, size in enumerate(given) if axis not in axes)


def _unsqueeze(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given = iter(shapes[operation.input(0)])
    name = operation.input(1)
    count = len(values(graph, name) if name else operation.integers("axes"))
    rank = len(shapes[operation.input(0)]) + count
    axes = _axes(operation, graph, rank)
    return tuple(1 if axis in axes else next(given) for axis in range(rank))


def _concat(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    return concat_all([shapes[name] for name in operation.inputs], operation.integer("axis"))


def concat_all(given: list[Shape], axis: int) -> Shape:
    """That of arrays one behind the other."""
    axis %= len(given[0])
    return (*given[0][:axis], sum(shape[axis] for shape in given), *given[0][axis + 1 :])


def _pad(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given, name = shapes[operation.input(0)], operation.input(1)
    pads = values(graph, name) if name else operation.integers("pads")
    if operation.input(3) or len(pads) != 2 * len(given):
        raise ValueError("pads some axes only")
    return tuple(size + pads[i] + pads[i + len(given)] for i, size in enumerate(given))


def _slice(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    """From attributes, or in later operator sets the inputs."""
    given = shapes[operation.input(0)]
    starts, ends, axes, steps = (
        values(graph, name) if (name := operation.input(place)) else operation.integers(attribute)
        for place, attribute in enumerate(("starts", "ends", "axes", "steps"), 1)
    )
    found = list(given)
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        axis = axes[number] if axes else number
        step = steps[number] if steps else 1
        found[axis] = len(range(given[axis])[start:end:step])
    return tuple(found)


def _resize(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given = shapes[operation.input(0)]
    if name := operation.input(3):
        return values(graph, name)
    scales = graph.constants[operation.input(1 if operation.kind == "Upsample" else 2)].floats()
    return tuple(math.floor(size * scale) for size, scale in zip(given, scales, strict=True))


def _reduce(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given = shapes[operation.input(0)]
    axes = _axes(operation, graph, len(given))
    if not axes and not operation.integer("noop_with_empty_axes"):
        axes = set(range(len(given)))
    return reduced(given, axes, operation.integer("keepdims", 1))


def reduced(given: Shape, axes: set[int], kept: int) -> Shape:
    """The shape without these axes; where they are kept, with 1 in their stead."""
    return tuple(1 if axis in axes else size for axis, size in enumerate(given) if kept or axis not in axes)


def split(operation: Operation, shapes: Shapes, graph: Graph) -> list[Shape]:
    """Those of all outputs, in the sizes that are given or in equal ones, the last perhaps smaller."""
    given, count = shapes[operation.input(0)], len(operation.outputs)
    axis = operation.integer("axis") % len(given)
    name = operation.input(1)
    sizes = values(graph, name) if name else operation.integers("split")
    if not sizes:
        part = -(-given[axis] // count)
        sizes = (*[part] * (count - 1), given[axis] - part * (count - 1))
    return [(*given[:axis], size, *given[axis + 1 :]) for size in sizes]


def _gather(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given = shapes[operation.input(0)]
    axis = operation.integer("axis") % len(given)
    return given[:axis] + shapes[operation.input(1)] + given[axis + 1 :]


def _expand(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    return broadcast_all([shapes[operation.input(0)], values(graph, operation.input(1))])


def _filled(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    return values(graph, operation.input(0))


def _depth_to_space(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    count, channels, height, width = shapes[operation.input(0)]
    side = operation.integer("blocksize")
    return count, channels // side**2, height * side, width * side


def _space_to_depth(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    count, channels, height, width = shapes[operation.input(0)]
    side = operation.integer("blocksize")
    return count, channels * side**2, height // side, width // side


RULES: dict[str, Rule] = {
    **dict.fromkeys(_SAME.split(), same),
    **dict.fromkeys(_BROADCAST.split(), _broadcast),
    **dict.fromkeys(_REDUCE.split(), _reduce),
    **dict.fromkeys(("Conv", "ConvInteger", "QLinearConv"), _conv),
    **dict.fromkeys(("MaxPool", "AveragePool", "LpPool"), _pool),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool"), _global_pool),
    **dict.fromkeys(("MatMul", "MatMulInteger", "QLinearMatMul"), matmul),
    **dict.fromkeys(("Resize", "Upsample"), _resize),
    "ConvTranspose": _conv_transpose,
    "Gemm": gemm,
    "Reshape": _reshape,
    "Slice": _slice,
    "Flatten": _flatten,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Concat": _concat,
    "Pad": _pad,
    "Gather": _gather,
    "Expand": _expand,
    "ConstantOfShape": _filled,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
}
