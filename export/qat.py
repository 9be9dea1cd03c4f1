"""ONNX from a model that was trained quantization-aware: its rounded kernels, its ranges.

tf2onnx cannot read the rounding inside such a model, so it is taken out, and ONNX Runtime's quantizer is
told what training had settled on. It rounds kernels to 7 bits (see onnx.int8), which the correction of
post-training quantization makes up for.
"""

from dataclasses import replace
from functools import partial

from edgefashion.models import ARCHITECTURES, quantized
from export import onnx, ptq
from export.calibration import RepresentativeDataset
from export.graph import Graph


def to_onnx(graph: Graph, calibration: RepresentativeDataset) -> bytes:
    """Static QDQ like `onnx.int8`, from the graph of a quantization-aware model. Raises what that raises."""
    convert = partial(onnx.int8, ranges=quantized.learned_ranges(graph.model))
    return ptq.quantize(convert, ".onnx", ptq.seven_bits_but_depthwise, without_rounding(graph), calibration)


def without_rounding(graph: Graph) -> Graph:
    """The float graph inside that of a quantization-aware model: see `quantized.without_rounding`."""
    return replace(
        graph,
        deployed=quantized.without_rounding(graph.model),
        resize=ARCHITECTURES[graph.architecture.name].resize,
    )
