"""Keras graph in, TFLite bytes out. No disk."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.artifacts.inspection.tflite_file import names_of
from edgefashion.errors import VerificationError, first_line
from edgefashion.export.graph.graph import Graph
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.export.tflite import keep_float as keep_float_tflite
from edgefashion.export.tflite import packing
from edgefashion.export.tflite.image_resize import multiply_resize
from edgefashion.export.tflite.space_to_depth import compute_cells
from edgefashion.tensorflow import quiet, tf

PIXELS_TO_INT8 = {"inference_input_type": tf.uint8, "inference_output_type": tf.int8}


def float32(graph: Graph) -> bytes:
    """Weights and arithmetic in float32."""
    return _convert(graph.from_pixels)


def float16(graph: Graph) -> bytes:
    """Weights stored in float16, arithmetic in float32 on a CPU."""
    return _convert(
        graph.from_pixels,
        optimizations=[tf.lite.Optimize.DEFAULT],
        target_spec=tf.lite.TargetSpec(supported_types=[tf.float16]),
    )


def dynamic(graph: Graph) -> bytes:
    """Dynamic-range quantization: int8 weights, activations quantized while running, float32 between."""
    return _convert(graph.from_pixels, optimizations=[tf.lite.Optimize.DEFAULT])


def int8(graph: Graph, calibration: RepresentativeDataset) -> bytes:
    """Full-integer post-training quantization: int8 weights (per-channel) and activations, uint8 input,
    int8 output. Raises VerificationError where a float operator is left or a pixel is not its own
    quantized value.
    """

    def samples() -> Iterator[list[npt.NDArray[np.float32]]]:
        for image in calibration.images:
            yield [image[np.newaxis]]

    content = _convert(
        graph.with_deployed(compute_cells(graph.deployed)).from_normalized,
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=samples,
        target_spec=tf.lite.TargetSpec(supported_ops=[tf.lite.OpsSet.TFLITE_BUILTINS_INT8]),
        **PIXELS_TO_INT8,
    )
    check_integer(content, graph)
    return multiply_resize(content)


def int8_qat(graph: Graph) -> bytes:
    """The integers that quantization-aware training computed with: as `int8`, with the ranges that the
    model learned. Raises VerificationError like it.
    """
    content = _convert(
        graph.with_deployed(compute_cells(graph.deployed)).from_normalized,
        optimizations=[tf.lite.Optimize.DEFAULT],
        **PIXELS_TO_INT8,
    )
    check_integer(content, graph)
    return multiply_resize(content)


def mix(content: bytes, graph: Graph, layers: Sequence[str]) -> bytes:
    """An int8 file with the layers named in float, as they are in `graph`. Raises VerificationError where
    it does not have them, or another operator computes in float.
    """
    if not layers:
        return content
    restored = keep_float_tflite.restore(content, graph, layers)
    check_integer(restored, graph, len(layers))
    return restored


def _convert(function: Any, **settings: Any) -> bytes:
    with quiet():
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [function.get_concrete_function()], function
        )
        for name, value in settings.items():
            setattr(converter, name, value)
        try:
            return bytes(converter.convert())
        except Exception as error:  # as many kinds as TensorFlow has
            raise VerificationError(
                f"TensorFlow cannot convert the model to TFLite ({first_line(error)}): no file was kept"
            ) from error


def tensor_types(model: Any) -> Counter[str]:
    """How many tensors of each type a model has, as LiteRT's schema unpacks it, by the schema's names."""
    names = names_of("TensorType")
    return Counter(names[tensor.type] for graph in model.subgraphs for tensor in graph.tensors)


def check_integer(content: bytes, graph: Graph, floats: int = 0) -> None:
    """Read the flatbuffer: `floats` operators compute in float and no other may read or write it, and the
    input's scale and zero point must be the model's normalization. Raises VerificationError.
    """
    model = packing.unpack(content)
    found = {name: count for name, count in tensor_types(model).items() if name.startswith("FLOAT")}
    if found and not floats:
        tensors = ", ".join(f"{count} {name}" for name, count in found.items())
        by = ", ".join(keep_float_tflite.computing(model)) or "nothing"
        raise VerificationError(
            f"the int8 TFLite model still holds {tensors} tensors, with which it computes {by}: no file was "
            "kept"
        )
    if (computing := keep_float_tflite.count(model)) != floats:
        raise VerificationError(
            f"{computing} operators of the int8 TFLite model compute in float instead of {floats}: "
            "no file was kept"
        )
    subgraph = model.subgraphs[0]
    quantization = subgraph.tensors[subgraph.inputs[0]].quantization
    graph.check_input("TFLite", float(quantization.scale[0]), int(quantization.zeroPoint[0]))
