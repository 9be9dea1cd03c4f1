import numpy as np

from export import onnx, ptq, tflite
from export.calibration import RepresentativeDataset
from export.graph import Graph
from export.verify import run_content


def mean_error(content: bytes, name: str, graph: Graph, calibration: RepresentativeDataset) -> float:
    """How far the mean logits are from the Keras model's, on the representative dataset."""
    logits, _ = run_content(content, name, calibration.pixels)
    return float(np.abs((logits - graph.predict(calibration.pixels)).mean(axis=0)).max())


def test_the_mean_of_the_logits_is_kept(graph: Graph, calibration: RepresentativeDataset) -> None:
    plain = mean_error(onnx.int8(graph, calibration), "a.onnx", graph, calibration)
    content = ptq.quantize(onnx.int8, ".onnx", ptq.seven_bits_but_depthwise, graph, calibration)
    assert mean_error(content, "b.onnx", graph, calibration) < max(0.6 * plain, 0.01)


def test_tflite_stays_integer_and_reads_pixels(graph: Graph, calibration: RepresentativeDataset) -> None:
    content = ptq.quantize(tflite.int8, ".tflite", ptq.eight_bits, graph, calibration)
    tflite.check_integer(content, graph)


def test_the_graph_given_is_not_changed(graph: Graph, calibration: RepresentativeDataset) -> None:
    before = graph.deployed.get_weights()
    ptq.quantize(tflite.int8, ".tflite", ptq.eight_bits, graph, calibration)
    assert all(np.array_equal(a, b) for a, b in zip(graph.deployed.get_weights(), before, strict=True))
