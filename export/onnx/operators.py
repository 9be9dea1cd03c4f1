"""Operators of TensorFlow that tf2onnx does not know; importing this module lets it convert them."""

from typing import Any

import numpy as np
from tf2onnx import utils
from tf2onnx.handler import tf_op


@tf_op("Erfc")
class ComplementaryError:
    """1 - erf(x), of which TensorFlow makes the exact GELU."""

    @classmethod
    def version_9(cls, graph: Any, node: Any, **_: Any) -> None:
        """In the words of tf2onnx: replace `node` in `graph`, from ONNX operators 9 on."""
        shapes, dtypes = node.output_shapes, node.output_dtypes
        graph.remove_node(node.name)
        error = graph.make_node("Erf", [node.input[0]], shapes=shapes, dtypes=dtypes)
        one = graph.make_const(utils.make_name(node.name), np.array(1, np.float32))
        operands = [one.output[0], error.output[0]]
        outputs = node.output
        graph.make_node("Sub", operands, name=node.name, outputs=outputs, shapes=shapes, dtypes=dtypes)
