"""ONNX from a model that was trained quantization-aware: its rounded kernels, its ranges.

tf2onnx cannot read the rounding inside such a model, so it is taken out, and ONNX Runtime's quantizer is
told what training had settled on. Where it rounds kernels to 7 bits (see onnx.int8), the correction of
post-training quantization makes up for that.
"""

from dataclasses import replace

from edgefashion.models import ARCHITECTURES, quantized
from export import ptq
from export.calibration import RepresentativeDataset
from export.graph import Graph
from export.settings import Settings


def to_onnx(graph: Graph, calibration: RepresentativeDataset, settings: Settings) -> bytes:
    """Like `ptq.to_onnx`, from the graph of a quantization-aware model. Raises what that raises."""
    ranges = quantized.learned_ranges(graph.model)
    return ptq.to_onnx(without_rounding(graph), calibration, settings, ranges)


def without_rounding(graph: Graph) -> Graph:
    """The float graph inside that of a quantization-aware model: see `quantized.without_rounding`."""
    return replace(
        graph,
        deployed=quantized.without_rounding(graph.model),
        resize=ARCHITECTURES[graph.architecture.name].resize,
    )
