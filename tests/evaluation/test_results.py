"""Results files: they read back, old ones too, and no other file is believed."""

import json
from array import array
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from edgefashion.errors import ArtifactError, BadInput, RuntimeCrash
from edgefashion.evaluation import results
from edgefashion.evaluation.results import Results
from edgefashion.records.device import Device
from edgefashion.records.results import Row

DEVICE = Device(machine="aarch64", board="Raspberry Pi 5 Model B Rev 1.0")
OLD_ROW: dict[str, Any] = {
    "model": "cnn",
    "format": "tflite",
    "precision": "int8",
    "runtime": "LiteRT",
    "threads": 1,
    "path": "cnn-int8.tflite",
    "accuracy": 0.9,
    "latency_us": {"p50": 12.0, "p90": 13.0, "p99": None, "mean": 12.2, "samples": 2},
    "raw_us": [12.0, 12.4],
    "status": "ok",
    "error": None,
    "bad_file": False,
}


def row(**changes: object) -> Row:
    return msgspec.convert({**OLD_ROW, **changes}, Row)


def failed(message: str, bad_file: bool) -> Row:
    return row(status="failed", error=message, bad_file=bad_file)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.json"


def test_json_has_a_row_a_line_and_reads_back(path: Path) -> None:
    rows = [row(threads=threads) for threads in (1, 2)]
    found = Results(DEVICE, None, rows, "bench", {"rounds": 25})
    text = found.to_json()
    assert json.loads(text) == json.loads(json.dumps(found.to_dict()))
    assert sum(line.startswith('    {"model"') for line in text.splitlines()) == 2
    path.write_text(text)
    (first, *_) = read = results.read(path).rows
    assert [replace(row, raw_us=list(row.raw_us)) for row in read] == rows
    assert isinstance(first.raw_us, array) and first.raw_us.itemsize == 8
    assert results.read(path).to_json() == text


def test_what_a_device_and_a_host_leave_out_is_not_known(path: Path) -> None:
    row = {**OLD_ROW, "host": {"differing_classes": 0}, "runtime_version": "2"}
    path.write_text(json.dumps({"schema": 2, "device": {"cpu": "x"}, "dataset": None, "results": [row]}))
    text = results.read(path).to_markdown()
    assert "Device: x, ? cores, unknown system" in text and "0 of 0 files answer" in text


def test_a_file_of_schema_1_is_read_and_completed(path: Path) -> None:
    content = {"schema": 1, "device": DEVICE.to_dict(), "dataset": None, "results": [OLD_ROW]}
    path.write_text(json.dumps(content))
    found = results.read(path)
    assert (found.verb, found.protocol, found.edgefashion) == ("evaluate", None, None)
    [row] = found.rows
    assert list(row.raw_us) == [12.0, 12.4]
    assert (row.target, row.flags, row.gzip_bytes, row.loops) == ("any", (), None, 1)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '"text"', '{"schema": "2"}', '{"schema": 2}', '{"schema": 1, "results": [1]}', "\x00"],
)
def test_other_files_are_no_results(content: str, path: Path) -> None:
    path.write_text(content)
    with pytest.raises(BadInput, match=r"results\.json(, field results,)? is damaged, or not "):
        results.read(path)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('"results"', '"rows"', "it lacks results"),
        ('"results": [', '"results": null, "x": [', "field results, "),
        ('"device": {', '"device": 1e300, "x": {', "field device, "),
        ('"device": {', '"device": 1, "x": {', "device"),
        ('"raw_us": [', '"raw_us": "", "x": [', "result 1, field raw_us, "),
        ('"threads": 1', '"threads": 1e300', "result 1, field threads, "),
        ('"threads": 1', '"threads": "1"', "threads"),
    ],
)
def test_the_field_that_is_wrong_is_named(old: str, new: str, field: str, path: Path) -> None:
    text = Results(DEVICE, None, [row()]).to_json()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(BadInput) as caught:
        results.read(path)
    assert field in str(caught.value)


def test_rows_without_their_fields_are_no_results(path: Path) -> None:
    text = Results(DEVICE, None, [row()]).to_json()
    path.write_text(text.replace('"precision"', '"precisoin"'))
    with pytest.raises(BadInput, match="damaged, or not a "):
        results.read(path)


def test_a_truncated_file_is_no_results(path: Path) -> None:
    text = Results(DEVICE, None, [row()]).to_json()
    path.write_text(text[: len(text) // 2])
    with pytest.raises(BadInput, match="damaged, or not a "):
        results.read(path)


def test_bytes_that_are_no_text_are_no_results(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(BadInput, match="damaged, or not a "):
        results.read(path)


def test_a_future_schema_asks_for_an_update(path: Path) -> None:
    path.write_text('{"schema": 99}')
    with pytest.raises(BadInput, match="schema 99 and this edgefashion reads up to 2: update edgefashion"):
        results.read(path)


@pytest.mark.parametrize("schema", [0, -1])
def test_a_schema_that_never_was_is_refused(schema: int, path: Path) -> None:
    path.write_text(json.dumps({"schema": schema}))
    with pytest.raises(BadInput, match=f"has schema {schema}, and the first is 1: it was not made by"):
        results.read(path)


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        results.read(path)


def test_failures_are_raised_by_their_kind() -> None:
    Results(DEVICE, None, [row()]).raise_failures()
    with pytest.raises(RuntimeCrash, match="died"):
        Results(DEVICE, None, [failed("died", False)]).raise_failures()
    with pytest.raises(ArtifactError, match="died; bad"):
        Results(DEVICE, None, [failed("died", False), failed("bad", True)]).raise_failures()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('"x": [' + "[]," * 4_000_001 + "0]", "more parts than any results file"),
        ('"x": [' + "1," * 21_000_000 + "0]", "a field of more than 41,943,040 bytes"),
    ],
)
def test_what_would_take_all_memory_is_not_unpacked(more: str, said: str, path: Path) -> None:
    text = Results(DEVICE, None, [row()]).to_json()
    path.write_text(text.replace('"schema"', f'{more}, "schema"'))
    with pytest.raises(BadInput, match=said):
        results.read(path)
