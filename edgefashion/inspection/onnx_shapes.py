"""How large an ONNX model's tensors are for a batch of one.

Most files tell the shapes of inputs and weights only; the rest follows from each operator's definition.
What follows from none of those here, or hangs on a size that is open, stays unknown.
"""

import math
from collections.abc import Callable

from edgefashion.inspection.base import Shape
from edgefashion.inspection.onnx_file import Graph, Operation, Value

Shapes = dict[str, Shape]
Rule = Callable[[Operation, Shapes, Graph], Shape]
_SAME = """
    Abs BatchNormalization Cast Ceil Clip DequantizeLinear Dropout Elu Erf Exp Floor Gelu HardSigmoid
    HardSwish Identity InstanceNormalization LayerNormalization LeakyRelu Log LogSoftmax LRN Mish Neg PRelu
    QuantizeLinear Reciprocal Relu Round Selu Sigmoid Sign Softmax Softplus Softsign Sqrt Tanh ThresholdedRelu
"""
_BROADCAST = "Add Sub Mul Div Pow Max Min Sum Mean And Or Xor Equal Greater Less Where"
_REDUCE = "ReduceMean ReduceSum ReduceMax ReduceMin ReduceL2 ReduceProd"


def infer(graph: Graph) -> Shapes:
    """The shapes of all tensors for which there is one."""
    shapes: Shapes = {name: tensor.shape for name, tensor in graph.constants.items()}
    batches = set()
    for value in graph.inputs:
        if value.shape and not isinstance(value.shape[0], int):
            batches.add(value.shape[0])
        _settle(value, shapes, {*batches, None})
    for value in graph.between + graph.outputs:
        _settle(value, shapes, batches - {None})
    for operation in graph.operations:
        rule = RULES.get(operation.kind)
        if rule is None or not operation.outputs or operation.outputs[0] in shapes:
            continue
        try:
            found = rule(operation, shapes, graph)
        except (LookupError, ArithmeticError, ValueError):  # an operand is unknown, or against the rules
            continue
        if all(size >= 0 for size in found):
            shapes[operation.outputs[0]] = found
    return shapes


def _settle(value: Value, shapes: Shapes, batches: set[str | None]) -> None:
    """Take the shape that the file tells, with 1 for the batch, if that leaves nothing open."""
    if value.shape is None:
        return
    first = [1 if size in batches else size for size in value.shape[:1]]
    sizes = [size for size in (*first, *value.shape[1:]) if isinstance(size, int)]
    if len(sizes) == len(value.shape):
        shapes.setdefault(value.name, tuple(sizes))


def _same(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    return shapes[operation.input(0)]


def _broadcast(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given = [shapes[name] for name in operation.inputs]
    rank = max(map(len, given))
    padded = [(1,) * (rank - len(shape)) + shape for shape in given]
    return tuple(next((size for size in sizes if size != 1), 1) for sizes in zip(*padded, strict=True))


def _windows(operation: Operation, shape: Shape, kernel: Shape) -> Shape:
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
    return (image[0], kernel[0], *_windows(operation, image[2:], kernel[2:]))


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
    return (*image[:2], *_windows(operation, image[2:], operation.integers("kernel_shape")))


def _global_pool(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    image = shapes[operation.input(0)]
    return image[:2] + (1,) * len(image[2:])


def _gemm(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    left, right = shapes[operation.input(0)], shapes[operation.input(1)]
    return left[1 if operation.integer("transA") else 0], right[0 if operation.integer("transB") else 1]


def _matmul(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    left = shapes[operation.input(0)]
    right = shapes[operation.input(3 if operation.kind == "QLinearMatMul" else 1)]
    if len(left) < 2 or len(right) < 2:
        raise ValueError("vectors have rules of their own")
    longer, shorter = sorted((left[:-2], right[:-2]), key=len, reverse=True)
    padded = (1,) * (len(longer) - len(shorter)) + shorter
    return (*map(max, longer, padded), left[-2], right[-1])


def _reshape(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given, wanted = shapes[operation.input(0)], graph.constants[operation.input(1)].integers()
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
    axes = graph.constants[name].integers() if name else operation.integers("axes")
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
    count = len(graph.constants[name].integers() if name else operation.integers("axes"))
    rank = len(shapes[operation.input(0)]) + count
    axes = _axes(operation, graph, rank)
    return tuple(1 if axis in axes else next(given) for axis in range(rank))


def _concat(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given = [shapes[name] for name in operation.inputs]
    axis = operation.integer("axis") % len(given[0])
    return (*given[0][:axis], sum(shape[axis] for shape in given), *given[0][axis + 1 :])


def _pad(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given, name = shapes[operation.input(0)], operation.input(1)
    pads = graph.constants[name].integers() if name else operation.integers("pads")
    if operation.input(3) or len(pads) != 2 * len(given):
        raise ValueError("pads some axes only")
    return tuple(size + pads[i] + pads[i + len(given)] for i, size in enumerate(given))


def _slice(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    """From attributes, or in later operator sets the inputs."""
    given = shapes[operation.input(0)]
    starts, ends, axes, steps = (
        graph.constants[name].integers()
        if (name := operation.input(place))
        else operation.integers(attribute)
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
        return graph.constants[name].integers()
    scales = graph.constants[operation.input(1 if operation.kind == "Upsample" else 2)].floats()
    return tuple(math.floor(size * scale) for size, scale in zip(given, scales, strict=True))


def _reduce(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given = shapes[operation.input(0)]
    axes = _axes(operation, graph, len(given))
    if not axes and not operation.integer("noop_with_empty_axes"):
        axes = set(range(len(given)))
    kept = operation.integer("keepdims", 1)
    return tuple(1 if axis in axes else size for axis, size in enumerate(given) if kept or axis not in axes)


RULES: dict[str, Rule] = {
    **dict.fromkeys(_SAME.split(), _same),
    **dict.fromkeys(_BROADCAST.split(), _broadcast),
    **dict.fromkeys(_REDUCE.split(), _reduce),
    **dict.fromkeys(("Conv", "ConvInteger", "QLinearConv"), _conv),
    **dict.fromkeys(("MaxPool", "AveragePool", "LpPool"), _pool),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool"), _global_pool),
    **dict.fromkeys(("MatMul", "MatMulInteger", "QLinearMatMul"), _matmul),
    **dict.fromkeys(("Resize", "Upsample"), _resize),
    "ConvTranspose": _conv_transpose,
    "Gemm": _gemm,
    "Reshape": _reshape,
    "Slice": _slice,
    "Flatten": _flatten,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Concat": _concat,
    "Pad": _pad,
}
