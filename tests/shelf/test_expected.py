"""A machine whose answer is not about what it was sent is believed nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from edgefashion.evaluation.results import Results
from edgefashion.records.device import Device
from edgefashion.records.results import Host, Latency, Recall, Row
from edgefashion.shelf.expected import Answers, Expected, misfit

SENT = {
    "a.zip:x.onnx": Expected("x", "onnx", "int8", 7, "ab", 5, Answers(5, 0.5)),
    "y.tflite": Expected("y", "tflite", "int8", 7, "cd"),
}
EQUAL = Host(images=5, differing_classes=0, max_logit_error=0.25, tolerance=0.5, equal=True)
COMMON: dict[str, Any] = {
    "precision": "int8",
    "macs": 7,
    "runtime": "R",
    "latency_us": Latency(),
    "status": "ok",
}
IN_BUNDLE: dict[str, Any] = {"path": "a.zip:x.onnx", "sha256": "ab", "images": 5, "accuracy": 1.0}
X = [Row(model="x", format="onnx", threads=count, host=EQUAL, **IN_BUNDLE, **COMMON) for count in (1, 4)]
Y = [
    Row(model="y", format="tflite", path="y.tflite", sha256="cd", accuracy=None, threads=count, **COMMON)
    for count in (1, 4)
]


RECALL = Recall(name="a", images=5, right=4, recall=0.8, ci95=None)


def compared(row: Row, **told: Any) -> Row:
    assert row.host
    return replace(row, host=replace(row.host, **told))


def why_not(rows: list[Row], verb: str = "bench", runtime: tuple[str, ...] = ()) -> str | None:
    return misfit(Results(Device(), None, rows, verb), SENT, (1, "all"), runtime)


def test_what_was_asked_for_is_believed_also_where_a_file_fails_or_there_is_one_core() -> None:
    assert why_not([*X, *Y]) is None and why_not([X[0], Y[0]]) is None
    lost = [replace(row, status="failed", accuracy=None, images=None, host=None, sha256=None) for row in X]
    assert why_not([*lost, *Y]) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda row: replace(row, sha256="strange"), "a.zip:x.onnx has another SHA-256 there"),
        (lambda row: replace(row, sha256=None), "a.zip:x.onnx has another SHA-256 there"),
        (lambda row: replace(row, model="other"), "a.zip:x.onnx is called otherwise there"),
        (lambda row: replace(row, path="z.onnx"), "it has a row of another file"),
        (lambda row: replace(row, accuracy=None), "a.zip:x.onnx was not tried on its images"),
        (lambda row: replace(row, images=4), "a.zip:x.onnx was not tried on its images"),
        (lambda row: replace(row, host=None), "answers that were not compared with those of its bundle"),
        (lambda row: replace(row, precision="float32"), "a.zip:x.onnx is called otherwise there"),
        (lambda row: replace(row, macs=8), "a.zip:x.onnx computes something else there"),
        (lambda row: replace(row, accuracy=0.99), "an accuracy that no number of right answers gives"),
        (lambda row: replace(row, recalls=(RECALL,)), "an accuracy that no number of right answers gives"),
        (lambda row: compared(row, images=4), "not compared with those of its bundle"),
        (lambda row: compared(row, tolerance=9.0), "not compared with those of its bundle"),
        (lambda row: compared(row, max_logit_error=0.75), "answers that are equal and are not"),
        (lambda row: compared(row, max_logit_error=None), "answers that are equal and are not"),
        (lambda row: compared(row, equal=None), "answers that are equal and are not"),
        (
            lambda row: compared(row, differing_classes=1, max_logit_error=0.0),
            "answers that are equal and are not",
        ),
        (lambda row: replace(row, accuracy=0.8), "more other right answers than other answers"),
        (lambda row: replace(row, threads=7), "it has not one row for each number of threads"),
    ],
)
def test_rows_of_anything_else_are_not(change: Callable[[Row], Row], why: str) -> None:
    assert why in str(why_not([change(X[0]), X[1], *Y]))


def test_nor_are_missing_ones_more_than_were_asked_for_or_those_of_another_verb() -> None:
    assert why_not(X) == "y.tflite has no row"
    assert why_not([*X, *Y * 150]) == "it has not one row for each number of threads"
    assert why_not([*X, *(replace(Y[0], threads=count) for count in range(1, 9))]) is not None
    assert why_not([*X, *Y], "evaluate") == "it is of another verb"
    assert "y.tflite was not tried on random images" in str(
        why_not([*X, *(replace(row, accuracy=0.5) for row in Y)])
    )


def test_each_runtime_that_was_asked_for_has_its_rows() -> None:
    both = ("ONNX Runtime", "OpenVINO")
    assert why_not([*X, *X, *Y], runtime=both) is None
    assert why_not([*X, *Y], runtime=both) == "it has not one row for each number of threads"
    assert why_not([*X, *X, *Y]) == "it has not one row for each number of threads"
    assert why_not([*X, *Y], runtime=("OpenVINO",)) is None
