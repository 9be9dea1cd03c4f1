"""Int8 files from a model that was trained quantization-aware: its rounded kernels, its ranges.

TensorFlow's converter reads the rounding inside such a model. tf2onnx cannot, so it is taken out, and ONNX
Runtime's quantizer is told what training had settled on. Where it rounds kernels to 7 bits (see onnx.int8),
the correction of post-training quantization makes up for that.
"""

from dataclasses import replace

from edgefashion.models import ARCHITECTURES
from edgefashion.runs import Run
from export import ptq, tflite
from export.calibration import RepresentativeDataset
from export.graph import Graph, build
from export.margin import without_margin
from export.settings import Settings


def to_tflite(graph: Graph, _: RepresentativeDataset, settings: Settings) -> bytes:
    """The integers that training computed with, but for layers that are to be in float: these have the
    kernels of training, rounded, and outputs that are not. Raises what `tflite.int8_qat` raises.
    """
    return tflite.mixed(tflite.int8_qat(graph), without_rounding(graph), settings.keep_float)


def to_onnx(graph: Graph, calibration: RepresentativeDataset, settings: Settings) -> bytes:
    """Like `ptq.to_onnx`, from the graph of a quantization-aware model. Raises what that raises."""
    from edgefashion.models.quantized import learned_ranges

    ranges = learned_ranges(graph.model)
    return ptq.to_onnx(without_rounding(graph), calibration, settings, ranges)


def float_graph(run: Run) -> Graph:
    """The graph of a run, without the rounding of quantization-aware training. Raises RunError."""
    model = build(run)
    return without_rounding(model) if run.quantized else model


def without_rounding(graph: Graph) -> Graph:
    """The float graph inside that of a quantization-aware model: see `quantized.without_rounding`."""
    from edgefashion.models import quantized

    return replace(
        graph,
        deployed=without_margin(quantized.without_rounding(graph.model)),
        resize=ARCHITECTURES[graph.architecture.name].resize,
    )
