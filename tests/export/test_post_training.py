from dataclasses import replace

import numpy as np
import pytest

from edgefashion.export.graph.graph import Graph
from edgefashion.export.onnx import activation_ranges, onnx_model
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization import post_training, weight_clipping
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.export.source import Source
from edgefashion.export.tflite import tflite_model
from edgefashion.models import imported
from edgefashion.runtimes.content import run_content


def mean_error(content: bytes, name: str, graph: Graph, calibration: RepresentativeDataset) -> float:
    """How far the mean logits are from the Keras model's, on the representative dataset."""
    logits, _ = run_content(content, name, calibration.pixels)
    return float(np.abs((logits - graph.predict(calibration.pixels)).mean(axis=0)).max())


@pytest.fixture(scope="module")
def to_tflite(graph: Graph, calibration: RepresentativeDataset) -> bytes:
    return post_training.to_tflite(Source(graph, calibration), ExportOptions())("min-max")


def test_the_mean_of_the_logits_is_kept(graph: Graph, calibration: RepresentativeDataset) -> None:
    model = onnx_model.prepare(graph)
    found = activation_ranges.measure_ranges(model, calibration.images, ["min-max"])["min-max"]
    plain = mean_error(onnx_model.int8(model, graph, found), "a.onnx", graph, calibration)
    content = post_training.to_onnx(Source(graph, calibration), ExportOptions())("min-max")
    assert mean_error(content, "b.onnx", graph, calibration) < max(0.1 * plain, 0.001)


def test_tflite_stays_integer_and_reads_pixels(to_tflite: bytes, graph: Graph) -> None:
    tflite_model.check_integer(to_tflite, graph)


def test_the_graph_given_is_not_changed(graph: Graph, calibration: RepresentativeDataset) -> None:
    before = graph.deployed.get_weights()
    post_training.to_onnx(Source(graph, calibration), ExportOptions())("min-max")
    assert all(np.array_equal(a, b) for a, b in zip(graph.deployed.get_weights(), before, strict=True))


def test_kernels_that_training_chose_are_not_clipped(
    graph: Graph, calibration: RepresentativeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weight_clipping, "MIN_GAIN_DB", 0.0)

    def is_clipped(learned: onnx_model.LearnedRanges | None) -> bool:
        made = post_training.PostTraining(Source(graph, calibration), ExportOptions(), learned)._correct(
            lambda _: 3
        )
        kernels = [
            [layer.get_weights()[0] for layer in model.layers if layer.weights]
            for model in (graph.deployed, made.deployed)
        ]
        return any(not np.array_equal(a, b) for a, b in zip(*kernels, strict=True))

    assert is_clipped(None)
    assert not is_clipped({"logits": (-1.0, 1.0)})


def test_kernels_that_come_from_elsewhere_are_rounded_with_feedback_our_own_stay(
    graph: Graph, calibration: RepresentativeDataset
) -> None:
    from_elsewhere = replace(graph, architecture=replace(graph.architecture, name=imported.NAME))

    def changed(graph: Graph, learned: onnx_model.LearnedRanges | None = None) -> bool:
        process = post_training.PostTraining(Source(graph, calibration), ExportOptions(), learned)
        made = process._correct(post_training.eight_bits).deployed.get_weights()
        return not np.array_equal(made[0], graph.deployed.get_weights()[0])

    assert changed(from_elsewhere)
    assert not changed(from_elsewhere, {"logits": (-1.0, 1.0)})
    assert not changed(graph)
