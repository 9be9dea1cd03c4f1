"""Keras graph in, ONNX bytes out. No disk but a temporary folder, which ONNX Runtime's quantizer wants."""

import copy
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import onnxruntime.quantization as ort
import tf2onnx
import tf2onnx.rewriter  # a module in it takes a number too, where it is opened during a conversion
from onnxruntime.quantization.calibrate import TensorsData
from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

from edgefashion.errors import VerificationError, first_line
from edgefashion.export.graph.graph import INPUT, OUTPUT, Graph
from edgefashion.export.graph.unread_pixels import rows_and_columns
from edgefashion.export.onnx import blocked_convolution, integer_io, operators  # noqa: F401 - registers
from edgefashion.export.onnx import keep_float as keep_float_onnx
from edgefashion.export.onnx.compaction import compact
from edgefashion.export.onnx.layer_names import restore_names
from edgefashion.export.onnx.simplification import flatten_pixels, simplify
from edgefashion.files import temporary
from edgefashion.tensorflow import quiet

OPSET = 17
COMPUTING = ("Conv", "Gemm", "MatMul")
FLOAT_KERNELS = (*COMPUTING, "FusedConv", "FusedGemm", "FusedMatMul")
FULL_RANGE = [{"quant_type": ort.QuantType.QInt8, "axis": 0, "symmetric": True, "reduce_range": False}]


def float32(graph: Graph) -> bytes:
    """Weights and arithmetic in float32; `image` uint8 [N, height, width, channels] → `logits` float32
    [N, classes].
    """
    return _serialize(_convert(graph.from_pixels))


LearnedRanges = dict[str, tuple[float, float]]


def prepare(graph: Graph) -> onnx.ModelProto:
    """The float model that `int8` is made from: `image` float32, normalized, its constants folded."""
    with temporary.Folder() as folder, quiet():
        converted, simplified = Path(folder, "float.onnx"), Path(folder, "prepared.onnx")
        onnx.save(_convert(graph.from_normalized), converted)
        ort.quant_pre_process(converted, simplified, skip_symbolic_shape=True)
        made = onnx.load(simplified)
    flatten_pixels(made)
    restore_names(made, graph)
    return made


def int8(
    model: onnx.ModelProto,
    graph: Graph,
    ranges: TensorsData,
    learned: LearnedRanges | None = None,
    reduce_range: bool = True,
    keep_float: Sequence[str] = (),
) -> bytes:
    """Static post-training quantization in QDQ format: uint8 activations, int8 weights per-channel.

    With `reduce_range` weights keep to 7 bits: on x86 without VNNI the sum of two products of 8-bit values
    overflows 16 bits, silently. Depthwise convolutions are computed by other kernels, with wider sums, and
    keep 8 bits: they have few weights a channel, and 7 bits there cost MobileNetV2 two points.

    `model` is what `prepare` made of `graph`, `ranges` are those of its tensors (see `ranges.measured`);
    `learned`, where given, those of the outputs of layers, by their names, and come first. Training rounds
    the logits, and TFLite does, so here, too (agreement of the two files 99.7 instead of 99.4 % for the CNN);
    else they are not rounded. The layers named in `keep_float` compute in float. Raises VerificationError
    where another one does.
    """
    floats = keep_float_onnx.nodes_of(model, graph, keep_float)
    made = quantize(model, graph, ranges, learned, reduce_range, [node.name for node in floats])
    allowed = [node.name for node in floats if node.op_type in COMPUTING]
    _rewrite(made, graph, rounded_logits=bool(learned))
    if floats:
        keep_float_onnx.isolate(made, [node.name for node in floats])
    check_quantized(made, allowed)
    content = _serialize(made)
    check_integer_kernels(content, len(allowed))
    return content


def quantize(
    model: onnx.ModelProto,
    graph: Graph,
    ranges: TensorsData,
    learned: LearnedRanges | None = None,
    reduce_range: bool = True,
    excluded: Sequence[str] = (),
) -> onnx.ModelProto:
    """What ONNX Runtime's quantizer makes for `int8`: of a normalized image, float32, to the end in QDQ, but
    for the nodes of the names `excluded`.
    """
    overrides = _overrides(model, graph, learned or {})
    quantizer = ort.QDQQuantizer(
        copy.deepcopy(model),
        per_channel=True,
        reduce_range=reduce_range,
        weight_qType=ort.QuantType.QInt8,
        activation_qType=ort.QuantType.QUInt8,
        tensors_range=copy.deepcopy(ranges),
        nodes_to_quantize=[],
        nodes_to_exclude=list(excluded),
        op_types_to_quantize=sorted({*QLinearOpsRegistry, *QDQRegistry}),
        extra_options={"ForceQuantizeNoInputCheck": True, "TensorQuantOverrides": overrides},
    )
    try:
        quantizer.quantize_model()
    except Exception as error:  # it asserts and raises what it likes
        raise VerificationError(
            f"ONNX Runtime cannot quantize the model ({first_line(error)}): no file was kept"
        ) from error
    quantizer.model.topological_sort()
    return quantizer.model.model


def _convert(function: Any) -> onnx.ModelProto:
    """tf2onnx, with the names and the batch dimension of the contract."""
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    tf2onnx.utils.INTERNAL_NAME = 1  # it numbers names through all conversions of a process
    with quiet():
        model, _ = tf2onnx.convert.from_function(
            function, input_signature=function.input_signature, opset=OPSET
        )
    (output,) = model.graph.output
    for node in model.graph.node:
        node.output[:] = [OUTPUT if name == output.name else name for name in node.output]
    output.name = OUTPUT
    model.graph.doc_string = ""  # the number of functions that this process has traced
    for value in (model.graph.input[0], output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    simplify(model)
    return model


def _overrides(
    model: onnx.ModelProto, graph: Graph, learned: LearnedRanges
) -> dict[str, list[dict[str, Any]]]:
    """What is not for the quantizer to decide: 8 bits of depthwise kernels, the ranges of layers, and that
    the pixel is its own quantized value.

    A tensor is called after its layer: `model/layer/Relu6:0`; the model's output is that of the last one.
    Of several nodes of an activation the last has its range.
    """
    kinds = {name: node.op_type for node in model.graph.node for name in node.output}
    layers = {name: name.split("/")[-2] if "/" in name else graph.last_layer for name in kinds}
    last = set({layer: name for name, layer in layers.items()}.values())
    layers = {name: layer for name, layer in layers.items() if name in last or kinds[name] in COMPUTING}
    activations = {name: [affine(*learned[layer])] for name, layer in layers.items() if layer in learned}
    image = {INPUT: [_parameters(graph.normalization.scale, graph.normalization.zero_point)]}
    return {**dict.fromkeys(depthwise_weights(model), FULL_RANGE), **activations, **image}


def affine(low: float, high: float) -> dict[str, Any]:
    """Scale and zero point of 256 steps from `low` to `high`, 0 being one of them (Jacob et al. 2018).

    Of a tensor that is always 0, every scale is right.
    """
    scale = float(np.float32((high - low) / 255)) or 1.0
    return _parameters(scale, float(np.clip(np.rint(-low / scale), 0, 255)))


def _parameters(scale: float, zero_point: float) -> dict[str, Any]:
    return {
        "quant_type": ort.QuantType.QUInt8,
        "scale": np.array(scale, np.float32),
        "zero_point": np.array(zero_point, np.uint8),
    }


def depthwise_weights(model: onnx.ModelProto) -> list[str]:
    """The names of the kernels of all depthwise convolutions."""
    return [
        node.input[1]
        for node in model.graph.node
        if node.op_type == "Conv" and any(entry.name == "group" and entry.i > 1 for entry in node.attribute)
    ]


def _rewrite(model: onnx.ModelProto, graph: Graph, rounded_logits: bool) -> None:
    """Make pixels the input, sums the output, and fill the lanes of the first layer."""
    height, width, _ = graph.deployed.input_shape[1:]
    read = rows_and_columns(graph.deployed)
    shape = graph.task.image_shape
    graph.check_input("ONNX", *integer_io.take_pixels(model, INPUT, shape, (height, width), read))
    blocked_convolution.compute_blocks(model)
    if not rounded_logits:
        integer_io.keep_logits(model, OUTPUT)


def check_integer_kernels(content: bytes, allowed: int = 0) -> None:
    """Have ONNX Runtime optimize the model for this processor: of the layers that multiply, `allowed` and
    no more may be left to a float kernel. Raises VerificationError.
    """
    floats = {kind: count for kind, count in kernels(content).items() if kind in FLOAT_KERNELS}
    if sum(floats.values()) != allowed:
        found = ", ".join(f"{count} {kind}" for kind, count in floats.items()) or "none of the layers"
        wanted = f" instead of {allowed}" if allowed else ""
        raise VerificationError(
            f"ONNX Runtime computes {found} of the int8 model in float{wanted}: no file was kept"
        )


def kernels(content: bytes) -> Counter[str]:
    """How many kernels of each kind ONNX Runtime computes a model with on this processor."""
    with temporary.Folder() as folder, quiet():
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(Path(folder, "optimized.onnx"))
        options.log_severity_level = 3
        onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        return Counter(node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node)


def check_quantized(model: onnx.ModelProto, allowed: Sequence[str] = ()) -> None:
    """Every layer that multiplies must read dequantized integers only, but for the nodes of the names
    `allowed`, which must not. Raises VerificationError.
    """
    dequantized = {node.output[0] for node in model.graph.node if node.op_type == "DequantizeLinear"}
    computing = [node for node in model.graph.node if node.op_type in COMPUTING]
    left = [node.name for node in computing if not dequantized.issuperset(node.input)]
    if sorted(left) != sorted(allowed) or not computing:
        raise VerificationError(
            f"the int8 ONNX model has {len(left)} of {len(computing)} layers in float ({', '.join(left)}): "
            "no file was kept"
        )


def _serialize(model: onnx.ModelProto) -> bytes:
    model.producer_name = "edgefashion"
    compact(model)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())
