"""The bias of a TFLite file's last layer, which moves the logits, changed in the finished file."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.errors import VerificationError
from edgefashion.export.tflite import packing

CASTS = ("QUANTIZE", "DEQUANTIZE")


def replace_bias(content: bytes, bias: npt.NDArray[np.float32]) -> bytes:
    """The file with `bias`, float32 [classes], for that of the layer that gives its logits; in integers of
    the scale that it has. Raises VerificationError for a file that ends otherwise, and for a bias
    that is not of this layer alone.
    """
    model = packing.unpack(content)
    subgraph = model.subgraphs[0]
    index = _last_layer(model, subgraph).inputs[2]
    tensor = subgraph.tensors[index]
    users = sum(index in operator.inputs for operator in subgraph.operators)
    if users > 1 or sum(each.buffer == tensor.buffer for each in subgraph.tensors) > 1:
        raise VerificationError(
            "the int8 TFLite model shares the bias of its last layer with another: no file was kept"
        )
    scales = tensor.quantization and tensor.quantization.scale
    values = bias if scales is None else np.rint(bias / np.float64(scales)).astype(np.int32)
    model.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
    return packing.pack(model)


def _last_layer(model: Any, subgraph: Any) -> Any:
    makers = {output: operator for operator in subgraph.operators for output in operator.outputs}
    last = makers[subgraph.outputs[0]]
    while packing.operator_kind(model, last) in CASTS:
        last = makers[last.inputs[0]]
    kind = packing.operator_kind(model, last)
    if kind != "FULLY_CONNECTED" or len(last.inputs) < 3 or last.inputs[2] < 0:
        raise VerificationError(
            f"the int8 TFLite model ends in {kind} without a bias to correct: no file was kept"
        )
    return last
