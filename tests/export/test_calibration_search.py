import json
from dataclasses import replace

import numpy as np
import pytest

from edgefashion.artifacts.formats import CALIBRATION_METHODS, Variant
from edgefashion.data import Splits
from edgefashion.export.agreement import divergence
from edgefashion.export.converters import Convert, Method, converters_of, method_of
from edgefashion.export.graph.graph import Graph
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization import calibration_search
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.export.quantization.calibration_search import CRITERION
from edgefashion.export.source import Source

INT8_ONNX = Variant("onnx", "int8")
GENERATOR = np.random.default_rng(0)
LOGITS = GENERATOR.normal(size=(50, 10)).astype(np.float32) * 5


def test_equal_logits_do_not_diverge_nor_do_those_a_constant_away() -> None:
    assert divergence(LOGITS, LOGITS) == 0
    assert divergence(LOGITS + 3, LOGITS) == pytest.approx(0, abs=1e-6)


def test_divergence_of_two_classes_is_what_one_computes_by_hand() -> None:
    even, quarter = np.log([[0.5, 0.5]]), np.log([[0.25, 0.75]])
    by_hand = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)
    assert divergence(quarter, even) == pytest.approx(by_hand)


def test_divergence_grows_with_the_error_and_large_logits_do_not_overflow() -> None:
    noise = GENERATOR.normal(size=LOGITS.shape).astype(np.float32)
    errors = [divergence(LOGITS + size * noise, LOGITS) for size in (0.1, 0.2, 0.4)]
    assert errors == sorted(errors)
    assert np.isfinite(divergence(LOGITS * 1000, LOGITS * 1000 + noise))


def convert(
    graph: Graph, calibration: RepresentativeDataset, splits: Splits, settings: ExportOptions
) -> tuple[bytes, dict[str, object], list[str]]:
    lines: list[str] = []
    content, record = calibration_search.convert(
        INT8_ONNX, Source(graph, calibration), settings, splits.validation, lines.append
    )
    assert record
    return content, record, lines


def test_the_method_of_the_least_divergence_is_kept_and_the_table_recorded(
    graph: Graph, calibration: RepresentativeDataset, splits: Splits
) -> None:
    content, record, lines = convert(graph, calibration, splits, ExportOptions())
    table = record["measured"]
    assert isinstance(table, dict)
    assert tuple(table) == CALIBRATION_METHODS
    assert record["chosen"] == "measured"
    assert record["method"] == min(table, key=lambda method: table[method][CRITERION])
    unseen = splits.validation
    again = calibration_search.measure(content, "onnx", unseen, graph.predict(unseen.images))
    assert again == table[record["method"]]
    assert [line.split()[0] for line in lines] == list(CALIBRATION_METHODS)
    assert [line.split()[0] for line in lines if "kept" in line] == [record["method"]]
    assert json.loads(json.dumps(record)) == record


def test_a_worse_candidate_loses(
    graph: Graph, calibration: RepresentativeDataset, splits: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best calibration of the three, made the worst by what it sees, is not kept any more."""
    _, before, _ = convert(graph, calibration, splits, ExportOptions())
    honest = method_of(INT8_ONNX)

    def spoilt(source: Source, settings: ExportOptions) -> Convert:
        dim = replace(calibration, images=calibration.images * np.float32(0.1))
        dark, right = (honest.converter(Source(graph, images), settings) for images in (dim, calibration))
        return lambda method: dark(method) if method == before["method"] else right(method)

    monkeypatch.setitem(converters_of("onnx").methods, "int8", Method(spoilt, honest.name))
    _, after, _ = convert(graph, calibration, splits, ExportOptions())
    assert after["method"] != before["method"]


def test_what_is_asked_for_is_used_without_a_measurement(
    graph: Graph, calibration: RepresentativeDataset, splits: Splits
) -> None:
    content, record, lines = convert(graph, calibration, splits, ExportOptions(calibration="entropy"))
    assert (record["method"], record["chosen"], lines) == ("entropy", "asked for", [])
    assert "measured" not in record
    other, *_ = convert(graph, calibration, splits, ExportOptions(calibration="min-max"))
    assert content != other


@pytest.mark.parametrize("asked", ["auto", "min-max", "percentile"])
def test_tflite_has_min_max_and_nothing_else(
    asked: str,
    graph: Graph,
    calibration: RepresentativeDataset,
    splits: Splits,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []

    def nothing(*_: object) -> Convert:
        return lambda method: bytes(seen.append(method) or b"")

    kind = Variant("tflite", "int8")
    monkeypatch.setitem(converters_of("tflite").methods, "int8", Method(nothing, ""))
    settings = ExportOptions(calibration=asked)
    source = Source(graph, calibration)
    _, record = calibration_search.convert(kind, source, settings, splits.validation, print)
    assert record
    assert (record["method"], record["chosen"], seen) == ("min-max", "the only one", ["min-max"])
