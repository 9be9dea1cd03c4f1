"""The tool that quantizes models of one's own: that its figures are those of the files, and that a model that
cannot be read leaves the others their rows.
"""

import json
import runpy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgefashion.evaluation.results import Results
from edgefashion.records.device import Device
from edgefashion.records.results import Row

TOOL = Path(__file__).parents[2] / "tools/bench/own_models"


def row(precision: str, right: float, bytes: int, p50: float, **changes: Any) -> Row:
    fields = {
        "model": "own",
        "format": "tflite",
        "precision": precision,
        "path": f"own-{precision}.tflite",
        "accuracy": right,
        "size_bytes": bytes,
        "latency_us": {"p50": p50},
        "runtime": "LiteRT",
        "threads": 1,
        "status": "ok",
    }
    return msgspec.convert({**fields, **changes}, Row)


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(TOOL.parent)
    return runpy.run_path(str(TOOL))


def test_a_row_a_format_compares_int8_with_float_and_layers_in_float_with_int8(tool: dict[str, Any]) -> None:
    rows = [
        row("float32", 0.75, 4000, 100.0),
        row("int8", 0.7, 1000, 50.0, agreement=0.9, mcnemar_p=0.03),
        row("int8", 0.745, 1500, 60.0, agreement=0.98, mcnemar_p=0.6, kept_float=["a", "b"]),
    ]
    tflite, onnx = tool["compared"](Results(Device(machine="aarch64"), None, rows))
    told = {"drop": 5.0, "p": 0.03, "agreement": 0.9, "bytes": 1000, "size": 0.25, "time": 0.5}
    mixed = {"drop": 0.5, "p": 0.6, "agreement": 0.98, "bytes": 1500, "size": 1.5, "time": 1.2}
    assert {name: tflite[name] for name in told} == pytest.approx(told)
    assert {name: tflite[f"mixed {name}"] for name in mixed} == pytest.approx(mixed)
    assert (tflite["float"], tflite["int8"], tflite["mixed"]) == (0.75, 0.7, 0.745)
    assert tflite["layers"] == ["a", "b"]
    assert {value for name, value in onnx.items() if name != "format"} == {None}


def test_models_that_cannot_be_read_have_rows_that_say_why(
    tool: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = [tmp_path / "a.onnx", tmp_path / "b.keras"]
    main = tool["main"]
    monkeypatch.setitem(main.__globals__, "apart", tool["measure"])  # a process each takes seconds
    assert main([*map(str, names), "--data", str(tmp_path), "--json", str(tmp_path / "found.json")]) == 1
    shown = capsys.readouterr().out
    for name, found in zip(names, json.loads((tmp_path / "found.json").read_text()), strict=True):
        assert found["model"] == name.name and str(name) in found["failed"]
        assert f"| {name.name} | {str(name)[:20]}" in shown
