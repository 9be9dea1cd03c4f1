import numpy as np
import onnx as onnx_package
import pytest

from edgefashion.artifacts.formats import CALIBRATION_METHODS
from edgefashion.export.graph.graph import Graph
from edgefashion.export.onnx import activation_ranges, onnx_model
from edgefashion.export.quantization.calibration import RepresentativeDataset


@pytest.fixture(scope="module")
def model(graph: Graph) -> onnx_package.ModelProto:
    return onnx_model.prepare(graph)


def test_every_method_on_offer_is_there() -> None:
    assert tuple(activation_ranges.CALIBRATORS) == CALIBRATION_METHODS


def test_min_max_is_the_lowest_and_the_highest_logit(
    model: onnx_package.ModelProto, graph: Graph, calibration: RepresentativeDataset
) -> None:
    logits = graph.predict(calibration.pixels)
    low, high = activation_ranges.measure_ranges(model, calibration.images, "min-max")["logits"].range_value
    np.testing.assert_allclose((low.item(), high.item()), (logits.min(), logits.max()), atol=1e-4)


@pytest.mark.parametrize("method", ["percentile", "entropy"])
def test_the_others_stay_within_it_and_cut_something(
    method: str,
    model: onnx_package.ModelProto,
    calibration: RepresentativeDataset,
    capfd: pytest.CaptureFixture[str],
) -> None:
    outer, inner = (
        activation_ranges.measure_ranges(model, calibration.images, kind) for kind in ("min-max", method)
    )
    assert set(outer) == set(inner)
    cuts = []
    for name in outer:
        (low, high), (from_, to) = (found[name].range_value for found in (outer, inner))
        assert low - 1e-6 <= from_ < to <= high + 1e-6
        cuts.append((high - to + from_ - low).item())
    assert max(cuts) > 0.01
    assert capfd.readouterr().out == ""


def test_the_number_of_images_need_not_fill_batches(
    model: onnx_package.ModelProto, calibration: RepresentativeDataset
) -> None:
    found = activation_ranges.measure_ranges(model, calibration.images[:7], "percentile")
    assert "logits" in found
