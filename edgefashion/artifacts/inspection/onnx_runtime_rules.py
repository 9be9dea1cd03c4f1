"""The output shapes of ONNX Runtime's own operators; see `onnx_rules`."""

from edgefashion.artifacts.inspection import onnx_rules as standard
from edgefashion.artifacts.inspection.base import MOST_AXES, Shape
from edgefashion.artifacts.inspection.onnx_file import Graph, Operation
from edgefashion.artifacts.inspection.onnx_operators import MICROSOFT, NCHWC, NHWC
from edgefashion.artifacts.inspection.onnx_rules import Rule, Shapes

_LAST = {MICROSOFT + name for name in ("NhwcMaxPool", "NhwcConv", "NhwcFusedConv")}
_SAME = """
    QLinearLeakyRelu QLinearSigmoid QLinearSoftmax QuantizeLinear DequantizeLinear BiasGelu BiasSoftmax
    BiasDropout FastGelu Gelu QuickGelu RotaryEmbedding ScaledSiLU SkipLayerNormalization
    SkipSimplifiedLayerNormalization Trilu GroupNorm
"""
_MATMUL = """
    FusedMatMul FusedMatMulActivation TransposeMatMul SparseToDenseMatMul GemmFastGelu DynamicQuantizeMatMul
    MatMulIntegerToFloat MatMulInteger16
"""
_BITS = {f"{MICROSOFT}MatMulNBits": 4, f"{MICROSOFT}MatMulBnb4": 4}


def packed_weights(operation: Operation, graph: Graph) -> tuple[int, int] | None:
    """Bits of each, and how many weights a constant is packed of; None where it is not, or cannot be."""
    constant = graph.constants.get(operation.input(1))
    if operation.kind not in _BITS or constant is None:
        return None
    bits = operation.integer("bits", _BITS[operation.kind])
    count = operation.integer("K") * operation.integer("N")
    return (bits, count) if 0 < count * bits <= 8 * constant.size_bytes else None


def _first(shape: Shape) -> Shape:
    """Channels moved from behind to before the places."""
    return (shape[0], shape[-1], *shape[1:-1])


def _behind(shape: Shape) -> Shape:
    """And back."""
    return (shape[0], *shape[2:], shape[1])


def _windowed(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    """A convolution or pooling, whose channels may be last."""
    name, kind = operation.input(0), operation.kind.rpartition(".")[2]
    last = operation.kind in _LAST or operation.kind.startswith(NHWC) or operation.integer("channels_last")
    image = _first(shapes[name]) if last else shapes[name]
    if "Global" in kind:
        found = image[:2] + (1,) * len(image[2:])
    elif "Conv" in kind:
        kernel = shapes[operation.input(3 if kind.startswith("QLinear") else 1)]
        window = operation.integers("kernel_shape") or kernel[2:]
        found = (image[0], kernel[0], *standard.windows(operation, image[2:], window))
    else:
        window = operation.integers("kernel_shape")
        found = (*image[:2], *standard.windows(operation, image[2:], window))
    return _behind(found) if last else found


def _broadcast(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    places = (0, 1, 4) if operation.kind.endswith("Where") else (0, 3)
    return standard.broadcast_all([shapes[operation.input(place)] for place in places])


def _concat(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given = [shapes[name] for name in operation.inputs[2::3]]
    return standard.concat_all(given, operation.integer("axis"))


def _qgemm(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    return standard.gemm_of(operation, shapes[operation.input(0)], shapes[operation.input(3)])


def _matmul(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    if operation.integer("transBatchA") or operation.integer("transBatchB"):
        raise ValueError("batches that are moved have rules of their own")
    left, right = (
        (*shape[:-2], shape[-1], shape[-2]) if operation.integer(flag) else shape
        for shape, flag in ((shapes[operation.input(0)], "transA"), (shapes[operation.input(1)], "transB"))
    )
    return standard.matmul_of(left, right)


def _packed(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given = shapes[operation.input(0)]
    if given[-1] != operation.integer("K"):
        raise ValueError("its rows are of another length")
    return (*given[:-1], operation.integer("N"))


def _reorder_input(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given = shapes[operation.input(0)]
    return _first(given) if operation.integer("channels_last") else given


def _reorder_output(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given = shapes[operation.input(0)]
    found = (given[0], operation.integer("channels"), *given[2:])
    return _behind(found) if operation.integer("channels_last") else found


def _upsample(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given, scales = shapes[operation.input(0)], operation.integers("scales")
    if len(scales) > MOST_AXES:
        raise ValueError("more scales than axes")
    return tuple(size * scale for size, scale in zip(given, scales, strict=True))


def _reduce(operation: Operation, shapes: Shapes, graph: Graph) -> Shape:
    given = shapes[operation.input(0)]
    axes = {axis % len(given) for axis in operation.integers("axes")} or set(range(len(given)))
    return standard.reduced(given, axes, operation.integer("keepdims", 1))


_POOLS = ("MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool")
RULES: dict[str, Rule] = {
    **{MICROSOFT + name: standard.same for name in _SAME.split()},
    **{MICROSOFT + name: _matmul for name in _MATMUL.split()},
    **{kind: _packed for kind in _BITS},
    **{MICROSOFT + name: _broadcast for name in ("QLinearAdd", "QLinearMul", "QLinearWhere")},
    **{MICROSOFT + name: _windowed for name in ("FusedConv", "QLinearConv", "QLinearAveragePool")},
    **{name: _windowed for name in _LAST},
    **{NCHWC + name: _windowed for name in ("Conv", *_POOLS)},
    **{NHWC + name: _windowed for name in ("Conv", "QLinearConv", "QLinearAveragePool", *_POOLS)},
    f"{MICROSOFT}QLinearGlobalAveragePool": _windowed,
    f"{MICROSOFT}QLinearConcat": _concat,
    f"{MICROSOFT}QLinearMatMul": standard.matmul,
    f"{MICROSOFT}QLinearReduceMean": _reduce,
    f"{MICROSOFT}QGemm": _qgemm,
    f"{MICROSOFT}FusedGemm": standard.gemm,
    f"{MICROSOFT}BiasAdd": standard.same,
    f"{NCHWC}ReorderInput": _reorder_input,
    f"{NCHWC}ReorderOutput": _reorder_output,
    f"{NCHWC}Upsample": _upsample,
}
