"""The last bias of a finished file is replaced: logits move by what it moves by, and nothing else changes."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import numpy as np
import onnx
import pytest

from edgefashion.api.names import artifacts_of
from edgefashion.artifacts.formats import Variant
from edgefashion.errors import VerificationError
from edgefashion.export.converters import method_of
from edgefashion.export.graph.graph import Graph
from edgefashion.export.onnx import last_bias as onnx_bias
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.export.source import Source
from edgefashion.export.tflite import last_bias as tflite_bias
from edgefashion.export.tflite import packing
from edgefashion.models.architecture import with_weights
from edgefashion.runtimes.content import run_content
from edgefashion.tensorflow import keras

PLACES = {"tflite": tflite_bias, "onnx": onnx_bias}


def content_of(format: str, graph: Graph, calibration: RepresentativeDataset, *floats: str) -> bytes:
    options = ExportOptions(calibration="min-max", keep_float=floats)
    return method_of(Variant(format, "int8")).converter(Source(graph, calibration), options)("min-max")


@pytest.mark.parametrize("floats", [(), ("logits",)], ids=["integers", "float"])
@pytest.mark.parametrize(("format", "place"), PLACES.items(), ids=PLACES)
def test_logits_move_by_what_the_bias_moves_by(
    format: str, place: ModuleType, floats: tuple[str, ...], graph: Graph, calibration: RepresentativeDataset
) -> None:
    content = content_of(format, graph, calibration, *floats)
    bias = np.asarray(graph.deployed.get_layer("logits").get_weights()[1])
    shift = np.linspace(-1, 1, len(bias), dtype=np.float32)
    before, after = (
        run_content(place.replace_bias(content, each), f"a.{format}", calibration.pixels)[0]
        for each in (bias, bias + shift)
    )
    step = 0.2 if format == "tflite" and not floats else 0.01  # TFLite rounds integer logits
    assert np.abs((after - before - shift).mean(axis=0)).max() < step
    assert place.replace_bias(content, bias) == place.replace_bias(place.replace_bias(content, shift), bias)


@pytest.mark.parametrize("format", PLACES)
def test_a_bias_of_zeros_is_corrected_too(
    format: str, graph: Graph, calibration: RepresentativeDataset
) -> None:
    """Converters leave out what adds nothing."""
    kernel, bias = graph.model.get_layer("logits").get_weights()
    model = with_weights(graph.model, {"logits": [kernel, np.zeros_like(bias)]})
    zeros = replace(
        graph.with_deployed(with_weights(graph.deployed, {"logits": [kernel, 0 * bias]})), model=model
    )
    found, _ = run_content(content_of(format, zeros, calibration), f"a.{format}", calibration.pixels)
    assert np.abs((found - zeros.predict(calibration.pixels)).mean(axis=0)).max() < 0.05


def share_in_tflite(content: bytes, wholly: bool) -> bytes:
    model = packing.unpack(content)
    first, *_, last = (each for each in model.subgraphs[0].operators if len(each.inputs) == 3)
    if wholly:
        first.inputs = [*first.inputs[:2], last.inputs[2]]
    else:
        tensors = model.subgraphs[0].tensors
        tensors[first.inputs[2]].buffer = tensors[last.inputs[2]].buffer
    return packing.pack(model)


def share_in_onnx(content: bytes, wholly: bool) -> bytes:
    model = onnx.load_from_string(content)
    makers = {node.output[0]: node for node in model.graph.node}
    first, *_, last = (node for node in model.graph.node if node.op_type in ("Conv", "Gemm"))
    if wholly:
        first.input[2] = last.input[2]
    else:
        makers[first.input[2]].input[0] = makers[last.input[2]].input[0]
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("wholly", [True, False])
@pytest.mark.parametrize(
    ("place", "share"), [(tflite_bias, share_in_tflite), (onnx_bias, share_in_onnx)], ids=PLACES
)
def test_a_bias_that_is_of_another_layer_too_is_refused(
    place: ModuleType, share: Callable[[bytes, bool], bytes], wholly: bool
) -> None:
    """Replaced, it would move both."""
    format = "tflite" if place is tflite_bias else "onnx"
    (content,) = [
        each.path.read_bytes() for each in artifacts_of("zoo:cnn-64k") if each.path.suffix == f".{format}"
    ]
    bias = np.zeros(10, np.float32)
    assert place.replace_bias(content, bias)
    with pytest.raises(VerificationError, match="shares the bias of its last layer"):
        place.replace_bias(share(content, wholly), bias)


@pytest.mark.parametrize(("format", "place"), PLACES.items(), ids=PLACES)
def test_a_file_that_ends_otherwise_is_refused(
    format: str, place: ModuleType, graph: Graph, calibration: RepresentativeDataset
) -> None:
    kernel, _ = graph.deployed.get_layer("logits").get_weights()
    layer = keras.layers.Dense(10, use_bias=False, name="plain")
    cut = graph.deployed.get_layer("logits").input
    model = keras.Model(graph.deployed.input, layer(cut))
    layer.set_weights([kernel])
    content = content_of(format, graph.with_deployed(model), calibration)
    with pytest.raises(VerificationError, match=r"ends in \w+ without a bias to correct"):
        place.replace_bias(content, np.zeros(10, np.float32))
