"""The bias of an ONNX file's last layer, which moves the logits, changed in the finished file."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import onnx
from onnx.numpy_helper import from_array, to_array

from edgefashion.errors import VerificationError

CASTS = ("QuantizeLinear", "DequantizeLinear")


def replace_bias(content: bytes, bias: npt.NDArray[np.float32]) -> bytes:
    """The file with `bias`, float32 [classes], for that of the layer that gives its logits; in integers of
    the scale that it has. Raises VerificationError for a file that ends otherwise, and for a bias
    that is not of this layer alone.
    """
    model = onnx.load_from_string(content)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    makers = {output: node for node in model.graph.node for output in node.output}
    name = _last_layer(model, makers).input[2]
    users = Counter(each for node in model.graph.node for each in node.input)
    held = name if name in constants else makers[name].input[0]
    if max(users[name], users[held]) > 1:
        raise VerificationError(
            "the ONNX model shares the bias of its last layer with another: no file was kept"
        )
    if name in constants:
        constants[name].CopyFrom(from_array(bias, name))
    else:
        integers, scale, *_ = makers[name].input
        values = np.rint(bias / to_array(constants[scale])).astype(np.int32)
        constants[integers].CopyFrom(from_array(values, integers))
    return bytes(model.SerializeToString())


def _last_layer(model: onnx.ModelProto, makers: dict[str, onnx.NodeProto]) -> onnx.NodeProto:
    last = makers[model.graph.output[0].name]
    while last.op_type in CASTS:
        last = makers[last.input[0]]
    if last.op_type != "Gemm" or len(last.input) < 3:
        raise VerificationError(
            f"the ONNX model ends in {last.op_type} without a bias to correct: no file was kept"
        )
    return last
