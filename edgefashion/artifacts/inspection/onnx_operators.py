"""The ONNX operators that multiply or hold quantized values: standard ones, and ONNX Runtime's own.

Those of its domain `com.microsoft` are what its optimization and quantization write, those of
`com.microsoft.nchwc` convolutions in blocks of channels, those of `com.ms.internal.nhwc` with channels last.
What is in none of these tables and not of the standard may do anything: its figures stay blank.
"""

from dataclasses import dataclass

MICROSOFT = "com.microsoft."
NCHWC, NHWC = "com.microsoft.nchwc.", "com.ms.internal.nhwc."


@dataclass(frozen=True)
class Multiplying:
    """An operator that multiplies.

    `form` is how its multiply-accumulates follow from shapes: `conv`, `transposed`, `matmul`, `gemm`, or
    `packed` for weights in fewer bits than a byte; None where they do not. `left`, `right`: the inputs that
    are multiplied; `learned`: those that may be learned, the weights first, and no scales or zero points.
    """

    form: str | None
    left: int = 0
    right: int = 1
    learned: tuple[int, ...] = (1, 2)
    integer: bool = False


def _of(domain: str, names: str, entry: Multiplying) -> dict[str, Multiplying]:
    return {domain + name: entry for name in names.split()}


_ATTENTIONS = """
    Attention MultiHeadAttention GroupQueryAttention PackedAttention PackedMultiHeadAttention DecoderAttention
    DecoderMaskedMultiHeadAttention DecoderMaskedSelfAttention LongformerAttention SparseAttention CDist
"""
_CONV, _TRANSPOSED = Multiplying("conv"), Multiplying("transposed")
_MATMUL, _GEMM = Multiplying("matmul", learned=(1, 0)), Multiplying("gemm", learned=(1, 0, 2))
_QLINEAR_CONV = Multiplying("conv", 0, 3, (3, 8), integer=True)
_QLINEAR_MATMUL = Multiplying("matmul", 0, 3, (3, 0), integer=True)
_ALL = tuple(range(9))
_UNKNOWN = Multiplying(None, learned=tuple(range(1, 9)))
MULTIPLYING = {
    "Conv": _CONV,
    "ConvTranspose": _TRANSPOSED,
    "Gemm": _GEMM,
    "MatMul": _MATMUL,
    "ConvInteger": Multiplying("conv", learned=(1, 0), integer=True),
    "MatMulInteger": Multiplying("matmul", learned=(1, 0), integer=True),
    "QLinearConv": _QLINEAR_CONV,
    "QLinearMatMul": _QLINEAR_MATMUL,
    **_of("", "LSTM GRU RNN", Multiplying(None, learned=(1, 2, 3, 5, 6, 7))),
    "DeformConv": Multiplying(None, learned=(1, 3)),
    **_of("", "Einsum Attention LinearAttention FlexAttention DFT STFT", Multiplying(None, learned=_ALL)),
    "CausalConvWithState": Multiplying(None),
    **_of(MICROSOFT, "FusedConv NhwcFusedConv NhwcConv", _CONV),
    **_of(MICROSOFT, "FusedMatMul FusedMatMulActivation TransposeMatMul SparseToDenseMatMul", _MATMUL),
    **_of(MICROSOFT, "FusedGemm", _GEMM),
    **_of(MICROSOFT, "GemmFastGelu", Multiplying("matmul")),
    **_of(MICROSOFT, "ConvTransposeWithDynamicPads", Multiplying("transposed", learned=(1, 3))),
    **_of(MICROSOFT, "QGemm", Multiplying("gemm", 0, 3, (3, 0, 6), integer=True)),
    **_of(MICROSOFT, "QLinearConv", _QLINEAR_CONV),
    **_of(MICROSOFT, "QLinearMatMul", _QLINEAR_MATMUL),
    **_of(MICROSOFT, "DynamicQuantizeMatMul", Multiplying("matmul", learned=(1, 4), integer=True)),
    **_of(MICROSOFT, "MatMulIntegerToFloat", Multiplying("matmul", learned=(1, 0, 6), integer=True)),
    **_of(MICROSOFT, "MatMulInteger16", Multiplying("matmul", learned=(1, 0), integer=True)),
    **_of(MICROSOFT, "QOrderedMatMul", Multiplying("matmul", 0, 2, (2, 0, 5), integer=True)),
    **_of(MICROSOFT, "MatMulNBits", Multiplying("packed", learned=(1, 5))),
    **_of(MICROSOFT, "MatMulBnb4", Multiplying("packed", learned=(1,))),
    **_of(MICROSOFT, "QAttention", Multiplying(None, learned=(1, 2), integer=True)),
    **_of(MICROSOFT, "DynamicQuantizeLSTM", Multiplying(None, learned=(1, 2, 3, 5, 6, 7), integer=True)),
    **_of(MICROSOFT, _ATTENTIONS, _UNKNOWN),
    **_of(NCHWC, "Conv", _CONV),
    **_of(NHWC, "Conv", _CONV),
    **_of(NHWC, "ConvTranspose", _TRANSPOSED),
    **_of(NHWC, "QLinearConv", _QLINEAR_CONV),
    **_of(NHWC, "QLinearConvTranspose", Multiplying("transposed", 0, 3, (3, 8), integer=True)),
}

_QLINEAR = "GlobalAveragePool AveragePool LeakyRelu Sigmoid Softmax ReduceMean"
_PLAIN = """
    BiasAdd BiasDropout BiasGelu BiasSoftmax BiasSplitGelu ComplexMul ComplexMulConj CropAndResize
    EmbedLayerNormalization ExpandDims FastGelu GatherND Gelu GridSample GroupNorm IsAllFinite MaxpoolWithMask
    NhwcMaxPool Pad QuickGelu Range RotaryEmbedding ScaledSiLU SkipGroupNorm SkipLayerNormalization
    SkipSimplifiedLayerNormalization SwiGLU Trilu Unique
"""
_POOLS = "MaxPool AveragePool GlobalMaxPool GlobalAveragePool"
ANY, NONE = slice(None), slice(0)
PLAIN = {
    **{f"{MICROSOFT}QLinear{name}": slice(1) for name in _QLINEAR.split()},
    **{f"{MICROSOFT}QLinear{name}": slice(0, 4, 3) for name in ("Add", "Mul")},
    f"{MICROSOFT}QLinearWhere": slice(1, 5, 3),
    f"{MICROSOFT}QLinearConcat": slice(2, None, 3),
    f"{MICROSOFT}MulInteger": slice(0, 3, 2),
    f"{MICROSOFT}QEmbedLayerNormalization": slice(2, 7),
    **{MICROSOFT + name: ANY for name in _PLAIN.split()},
    **{MICROSOFT + name: NONE for name in ("QuantizeLinear", "DequantizeLinear")},
    **{NCHWC + name: NONE for name in ("ReorderInput", "ReorderOutput", "Upsample", *_POOLS.split())},
    **{NHWC + name: NONE for name in ("QLinearAveragePool", "LRN", "DepthToSpace", *_POOLS.split())},
    **{NHWC + name: ANY for name in ("BatchNormalization", "InstanceNormalization", "SpaceToDepth")},
    **{name: NONE for name in ("QuantizeLinear", "DequantizeLinear", "Resize", "Upsample", "Clip", "Pad")},
    **{name: NONE for name in ("Range", "Reshape")},
    "BatchNormalization": ANY,
}
"""Those that move, compare or add, and which of their inputs may be learned; of the standard, any others."""
OPAQUE = {"If", "Loop", "Scan", "SequenceMap"}
"""They run graphs inside them, who knows how often."""
