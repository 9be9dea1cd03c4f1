from pathlib import Path

import numpy as np
import onnx as onnx_package
import pytest
from onnxruntime.quantization import create_calibrator

from edgefashion.artifacts.formats import CALIBRATION_METHODS
from edgefashion.export.graph.graph import Graph
from edgefashion.export.onnx import activation_ranges, onnx_model
from edgefashion.export.quantization.calibration import RepresentativeDataset


@pytest.fixture(scope="module")
def model(graph: Graph) -> onnx_package.ModelProto:
    return onnx_model.prepare(graph)


def test_every_method_on_offer_is_there() -> None:
    assert tuple(activation_ranges.METHODS) == CALIBRATION_METHODS


def test_min_max_is_the_lowest_and_the_highest_logit(
    model: onnx_package.ModelProto, graph: Graph, calibration: RepresentativeDataset
) -> None:
    logits = graph.predict(calibration.pixels)
    found = activation_ranges.measure_ranges(model, calibration.images, ["min-max"])["min-max"]
    low, high = found["logits"].range_value
    np.testing.assert_allclose((low.item(), high.item()), (logits.min(), logits.max()), atol=1e-4)


@pytest.mark.parametrize("method", ["percentile", "entropy"])
def test_the_others_stay_within_it_and_cut_something(
    method: str,
    model: onnx_package.ModelProto,
    calibration: RepresentativeDataset,
    capfd: pytest.CaptureFixture[str],
) -> None:
    found = activation_ranges.measure_ranges(model, calibration.images, ["min-max", method])
    outer, inner = found["min-max"], found[method]
    assert {*outer} == {*inner}
    cuts = []
    for name in inner:
        (low, high), (from_, to) = (found[name].range_value for found in (outer, inner))
        assert low - 1e-6 <= from_ < to <= high + 1e-6
        cuts.append((high - to + from_ - low).item())
    assert max(cuts) > 0.005
    assert capfd.readouterr().out == ""


def test_the_number_of_images_need_not_fill_batches(
    model: onnx_package.ModelProto, calibration: RepresentativeDataset
) -> None:
    found = activation_ranges.measure_ranges(model, calibration.images[:7], ["percentile"])
    assert "logits" in found["percentile"]


def test_in_parts_they_are_those_of_the_runtime_s_own_calibrators(
    model: onnx_package.ModelProto, calibration: RepresentativeDataset, tmp_path: Path
) -> None:
    """Which are given a batch at a time: a histogram that grows does so by the largest value of a batch."""
    onnx_package.save(model, tmp_path / "model.onnx")
    images = calibration.images * np.linspace(0.3, 1, len(calibration.images))[:, None, None, None]
    images = images.astype(np.float32)
    found = activation_ranges.measure_ranges(model, images, CALIBRATION_METHODS)
    for method in CALIBRATION_METHODS:
        own = create_calibrator(
            tmp_path / "model.onnx",
            augmented_model_path=str(tmp_path / "augmented.onnx"),
            calibrate_method=activation_ranges.METHODS[method],
            extra_options={"symmetric": False},
        )
        for batch in np.array_split(images, len(images) // activation_ranges.BATCH):
            own.collect_data(activation_ranges._Reader(batch))
        expected = own.compute_data()
        fused = activation_ranges._fused(model) if method in activation_ranges.BINS else {}
        for name in {*found[method]} - {*fused, "image"}:
            assert found[method][name].range_value == expected[name].range_value, (method, name)
