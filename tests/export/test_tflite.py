from dataclasses import replace

import numpy as np
import pytest

from edgefashion.errors import VerificationError
from edgefashion.export.graph.graph import Graph
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.export.tflite import packing, tflite_model


@pytest.fixture(scope="module")
def int8(graph: Graph, calibration: RepresentativeDataset) -> bytes:
    return tflite_model.int8(graph, calibration)


def test_int8_holds_no_float_tensor(int8: bytes) -> None:
    assert set(tflite_model.tensor_types(packing.unpack(int8))) == {"INT8", "INT32", "UINT8"}


def test_int8_takes_the_pixel_as_its_quantized_value(int8: bytes) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=int8)
    (image,), (logits,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert (image["dtype"], logits["dtype"]) == (np.uint8, np.int8)
    assert image["quantization"] == (pytest.approx(1 / 255), 0)


def test_int8_weights_have_a_scale_for_each_channel(int8: bytes) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=int8)
    kernels = [tensor for tensor in interpreter.get_tensor_details() if len(tensor["shape"]) == 4]
    scales = {len(tensor["quantization_parameters"]["scales"]) for tensor in kernels}
    assert {128, 64} <= scales


def test_a_float_model_does_not_pass_for_int8(graph: Graph) -> None:
    with pytest.raises(VerificationError, match="FLOAT32 tensors"):
        tflite_model.check_integer(tflite_model.float32(graph), graph)


def test_calibration_without_the_whole_range_of_pixels_is_refused(
    graph: Graph, calibration: RepresentativeDataset
) -> None:
    dim = replace(calibration, images=calibration.images * np.float32(0.5))
    with pytest.raises(VerificationError, match="has no pixel of 0 or none of 255"):
        tflite_model.int8(graph, dim)


def test_sizes_follow_the_width_of_the_weights(graph: Graph, int8: bytes) -> None:
    float32, float16, dynamic = (
        make(graph) for make in (tflite_model.float32, tflite_model.float16, tflite_model.dynamic)
    )
    assert len(float16) == pytest.approx(len(float32) / 2, rel=0.05)
    assert len(dynamic) == pytest.approx(len(float32) / 4, rel=0.05)
    assert len(int8) == pytest.approx(len(float32) / 4, rel=0.08)
    assert tflite_model.tensor_types(packing.unpack(float16))["FLOAT16"] == 8
    assert tflite_model.tensor_types(packing.unpack(dynamic))["INT8"] >= 2
