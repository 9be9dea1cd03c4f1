"""ONNX from a model that was trained quantization-aware: its rounded kernels, its ranges.

tf2onnx cannot read the rounding inside such a model, so it is taken out, and ONNX Runtime's quantizer is
told what training had settled on. It rounds kernels to 7 bits (see onnx.int8), which the correction of
post-training quantization makes up for.
"""

from dataclasses import replace
from functools import partial

from edgefashion.models import ARCHITECTURES
from edgefashion.models.quantized import learned_ranges, without_rounding
from export import onnx, ptq
from export.calibration import RepresentativeDataset
from export.graph import Graph


def to_onnx(graph: Graph, calibration: RepresentativeDataset) -> bytes:
    """Static QDQ like `onnx.int8`, from the graph of a quantization-aware model. Raises what that raises."""
    plain = replace(
        graph,
        deployed=without_rounding(graph.model),
        resize=ARCHITECTURES[graph.architecture.name].resize,
    )
    convert = partial(onnx.int8, ranges=learned_ranges(graph.model))
    return ptq.quantize(convert, ".onnx", ptq.seven_bits_but_depthwise, plain, calibration)
