"""The last bias of a finished file is replaced: logits move by what it moves by, and nothing else changes."""

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from edgefashion.artifacts.formats import Variant
from edgefashion.errors import VerificationError
from edgefashion.export.converters import method_of
from edgefashion.export.graph.graph import Graph
from edgefashion.export.onnx import last_bias as onnx_bias
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.export.source import Source
from edgefashion.export.tflite import last_bias as tflite_bias
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
