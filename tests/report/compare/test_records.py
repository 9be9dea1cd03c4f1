"""A comparison for spreadsheets and programs."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgefashion.report.compare import Comparison
from edgefashion.report.compare.records import to_csv

Write = Callable[..., Path]
Join = Callable[..., Comparison]


@pytest.fixture
def comparison(write: Write, joined: Join, rows: Any) -> Comparison:
    hot = [{"flag": "hot", "why": "83 °C"}, {"flag": "swapping", "why": "20 MB"}]
    return joined(
        [
            write("a.json", [rows(100), rows(40, "int8", flags=hot, kept_float=["a", "b"])], board="A"),
            write("b.json", [rows(120)], board="B"),
            write("c.json", [rows(9_000, flags=hot)], board="A", emulated="qemu-aarch64"),
        ]
    )


def test_csv_has_a_row_for_each_artifact_and_device(comparison: Comparison) -> None:
    found = list(csv.DictReader(io.StringIO(to_csv(comparison))))
    assert [(row["precision"], row["source"], row["device"]) for row in found] == [
        ("float32", "1", "A"), ("float32", "2", "B"), ("float32", "3", "A, emulated"), ("int8", "1", "A"),
    ]  # fmt: skip
    assert [row["ratio"] != "" for row in found] == [False, True, False, False]
    assert float(found[1]["ratio_low"]) < float(found[1]["ratio"]) < float(found[1]["ratio_high"])
    assert (found[3]["flags"], found[3]["kept_float"]) == ("hot: 83 °C; swapping: 20 MB", "a b")
    assert [found[2][name] for name in ("p50_us", "p90_us", "mean_us", "samples", "flags")] == [
        "",
        "",
        "",
        "0",
        "",
    ]


def test_json_says_what_was_compared_with_what(comparison: Comparison) -> None:
    found = json.loads(comparison.to_json())
    assert found["against"] == 1
    assert [source["title"] for source in found["sources"]] == ["A", "B", "A, emulated"]
    assert found["sources"][1]["device"]["board"] == "B"
    ratio = comparison.cells[1].ratio
    assert ratio and found["rows"][1]["ratio"] == ratio.value
    assert found["rows"][1]["within_spread"] is False
    assert found["rows"][2]["p50_us"] is None
    assert any("emulated by qemu-aarch64" in note for note in found["notes"])
