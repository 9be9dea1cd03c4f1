"""Keras graph in, ONNX bytes out. No disk but a temporary folder, which ONNX Runtime's quantizer wants."""

import logging
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import onnxruntime.quantization as ort
import tf2onnx
from onnxruntime.quantization.shape_inference import quant_pre_process

from edgefashion.errors import VerificationError
from edgefashion.keras import quiet
from export import blocks, qdq
from export.calibration import RepresentativeDataset
from export.graph import IMAGE_SHAPE, INPUT, OUTPUT, Graph

OPSET = 17
COMPUTING = ("Conv", "Gemm", "MatMul")
FLOAT_KERNELS = (*COMPUTING, "FusedConv", "FusedGemm", "FusedMatMul")
FULL_RANGE = [{"quant_type": ort.QuantType.QInt8, "axis": 0, "symmetric": True, "reduce_range": False}]


def float32(graph: Graph) -> bytes:
    """Weights and arithmetic in float32; `image` uint8 [N, 28, 28, 1] → `logits` float32 [N, 10]."""
    return _serialize(_convert(graph.from_pixels))


Ranges = dict[str, tuple[float, float]]


def int8(
    graph: Graph,
    calibration: RepresentativeDataset,
    ranges: Ranges | None = None,
    reduce_range: bool = True,
) -> bytes:
    """Static post-training quantization in QDQ format: uint8 activations, int8 weights per-channel.

    With `reduce_range` weights keep to 7 bits: on x86 without VNNI the sum of two products of 8-bit values
    overflows 16 bits, silently. Depthwise convolutions are computed by other kernels, with wider sums, and
    keep 8 bits: they have few weights a channel, and 7 bits there cost MobileNetV2 two points.

    `ranges`, where given, are those of the outputs of layers, by their names; other tensors, or all, take
    the lowest and highest value that the representative dataset brings about.
    Raises VerificationError where a layer was left in float.
    """
    with tempfile.TemporaryDirectory() as folder, quiet():
        steps = ("float.onnx", "prepared.onnx", "int8.onnx")
        converted, prepared, quantized = (Path(folder, step) for step in steps)
        onnx.save(_convert(graph.from_normalised), converted)
        quant_pre_process(converted, prepared, skip_symbolic_shape=True)
        ort.quantize_static(
            prepared,
            quantized,
            _Reader(calibration.images),
            quant_format=ort.QuantFormat.QDQ,
            activation_type=ort.QuantType.QUInt8,
            weight_type=ort.QuantType.QInt8,
            per_channel=True,
            reduce_range=reduce_range,
            extra_options={
                "ForceQuantizeNoInputCheck": True,
                "TensorQuantOverrides": _overrides(onnx.load(prepared), ranges or {}),
            },
        )
        model = onnx.load(quantized)
    _rewrite(model, graph)
    check_quantized(model)
    content = _serialize(model)
    check_integer_kernels(content)
    return content


class _Reader(ort.CalibrationDataReader):
    def __init__(self, images: npt.NDArray[np.float32]) -> None:
        self.batches = iter(np.array_split(images, max(1, len(images) // 50)))

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        batch = next(self.batches, None)
        return None if batch is None else {INPUT: batch}


def _convert(function: Any) -> onnx.ModelProto:
    """tf2onnx, with the names and the batch dimension of the contract."""
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    with quiet():
        model, _ = tf2onnx.convert.from_function(
            function, input_signature=function.input_signature, opset=OPSET
        )
    (output,) = model.graph.output
    for node in model.graph.node:
        node.output[:] = [OUTPUT if name == output.name else name for name in node.output]
    output.name = OUTPUT
    for value in (model.graph.input[0], output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    return model


def _overrides(model: onnx.ModelProto, ranges: Ranges) -> dict[str, list[dict[str, Any]]]:
    """What is not for the quantizer to decide: 8 bits of depthwise kernels, and the ranges of layers.

    A tensor is called after its layer: `model/layer/Relu6:0`; the model's output is the layer `logits`.
    """
    outputs = [name for node in model.graph.node for name in node.output]
    layers = {name: name.split("/")[-2] if "/" in name else name for name in outputs}
    activations = {name: [affine(*ranges[layer])] for name, layer in layers.items() if layer in ranges}
    return {**dict.fromkeys(depthwise_weights(model), FULL_RANGE), **activations}


def affine(low: float, high: float) -> dict[str, Any]:
    """Scale and zero point of 256 steps from `low` to `high`, 0 being one of them (Jacob et al. 2018)."""
    scale = np.float32((high - low) / 255)
    zero_point = np.uint8(np.clip(np.rint(-low / scale), 0, 255))
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


def _rewrite(model: onnx.ModelProto, graph: Graph) -> None:
    """Make pixels the input, sums the output, and fill the lanes of the first layer: see `qdq`, `blocks`."""
    resized = graph.deployed.input_shape[1]
    graph.check_input("ONNX", *qdq.take_pixels(model, INPUT, IMAGE_SHAPE[:2], resized))
    blocks.compute_blocks(model)
    qdq.keep_logits(model, OUTPUT)


def check_integer_kernels(content: bytes) -> None:
    """Have ONNX Runtime optimize the model for this processor: no layer that multiplies may be left to a
    float kernel. Raises VerificationError.
    """
    with tempfile.TemporaryDirectory() as folder, quiet():
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(Path(folder, "optimized.onnx"))
        options.log_severity_level = 3
        onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        kernels = Counter(node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node)
    floats = {kind: count for kind, count in kernels.items() if kind in FLOAT_KERNELS}
    if floats:
        found = ", ".join(f"{count} {kind}" for kind, count in floats.items())
        raise VerificationError(f"ONNX Runtime computes {found} of the int8 model in float: no file was kept")


def check_quantized(model: onnx.ModelProto) -> None:
    """Every layer that multiplies must read dequantized integers only. Raises VerificationError."""
    dequantized = {node.output[0] for node in model.graph.node if node.op_type == "DequantizeLinear"}
    computing = [node for node in model.graph.node if node.op_type in COMPUTING]
    left = [node.name for node in computing if not dequantized.issuperset(node.input)]
    if left or not computing:
        raise VerificationError(
            f"the int8 ONNX model has {len(left)} of {len(computing)} layers in float ({', '.join(left)}): "
            "no file was kept"
        )


def _serialize(model: onnx.ModelProto) -> bytes:
    model.producer_name = "edgefashion"
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())
