"""Int8 files from a model that was trained quantization-aware: its rounded kernels, its ranges.

TensorFlow's converter reads the rounding inside such a model. tf2onnx cannot, so it is taken out, and ONNX
Runtime's quantizer is told what training had settled on. Where it rounds kernels to 7 bits (see onnx.int8),
the correction of post-training quantization makes up for that.
"""

from dataclasses import replace

from edgefashion.export.converters import Convert
from edgefashion.export.graph.graph import Graph, build, for_integers
from edgefashion.export.graph.unread_pixels import crop_unread
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization import post_training
from edgefashion.export.source import Source
from edgefashion.export.tflite import tflite_model
from edgefashion.models import resize_of
from edgefashion.training.runs import Run


def to_tflite(source: Source, options: ExportOptions) -> Convert:
    """The integers that training computed with, except in layers that are to be in float: these have the
    kernels of training, rounded, and outputs that are not. Raises what `tflite.int8_qat` raises.
    """
    graph = source.graph

    def convert(_: str) -> bytes:
        return tflite_model.mix(tflite_model.int8_qat(graph), strip_rounding(graph), options.keep_float)

    return convert


def to_onnx(source: Source, options: ExportOptions) -> Convert:
    """Like `PostTraining.to_onnx`, from the graph of a quantization-aware model. Raises what that raises."""
    from edgefashion.models.quantization_aware import learned_ranges

    ranges = learned_ranges(source.graph.model)
    stripped = Source(strip_rounding(source.graph), source.representative)
    return post_training.PostTraining(stripped, options, ranges).to_onnx


def float_graph(run: Run) -> Graph:
    """The graph that a run's int8 files are made from, without the rounding of quantization-aware training.
    Raises RunError.
    """
    model = build(run)
    return strip_rounding(model) if run.quantized else for_integers(model)


def strip_rounding(graph: Graph) -> Graph:
    """The float graph inside that of a quantization-aware model, its kernels as training rounds them."""
    from edgefashion.models import quantization_aware

    return replace(
        graph,
        deployed=crop_unread(quantization_aware.without_rounding(graph.model)),
        resize=resize_of(graph.architecture.name),
    )
