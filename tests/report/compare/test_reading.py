"""Results files that are compared: sound ones once, others named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from edgefashion.errors import BadInput
from edgefashion.report.compare.reading import read_all

Write = Callable[..., Path]


def test_the_same_file_twice_is_one(write: Write, rows: Any, tmp_path: Path) -> None:
    path = write("a.json", [rows(100)])
    copy = tmp_path / "copy.json"
    copy.write_bytes(path.read_bytes())
    found = read_all([path, path, copy])
    assert [file.paths for file in found.files] == [(path, path, copy)]
    assert not found.unreadable
    assert [line.split(" is the same as ")[0] for line in found.repeated] == [str(path), str(copy)]


def test_bad_files_are_named_and_the_good_one_is_read(write: Write, rows: Any, tmp_path: Path) -> None:
    good = write("good.json", [rows(100)])
    text = good.read_text()
    bad = {
        "empty.json": "",
        "foreign.json": '{"name": "a package", "version": "1"}',
        "cut.json": text[: len(text) // 2],
        "future.json": text.replace('"schema": 2', '"schema": 3'),
        "deep.json": "[" * 100_000,
        "without rows.json": json.dumps({**json.loads(text), "results": []}),
    }
    for name, content in bad.items():
        (tmp_path / name).write_text(content)
    names = [*bad, "gone.json", "."]
    found = read_all([good, *(tmp_path / name for name in names)])
    assert [file.paths for file in found.files] == [(good,)]
    left_out = found.unreadable
    assert [line.startswith(str(tmp_path / name)) for name, line in zip(names, left_out, strict=True)] == [
        True
    ] * len(names)
    assert "reads up to 2: update edgefashion" in left_out[3]


def test_without_a_sound_file_each_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text("")
    with pytest.raises(
        BadInput, match=r"empty\.json is damaged, or not a results file.*; .*gone\.json cannot be read"
    ):
        read_all([tmp_path / "empty.json", tmp_path / "gone.json"])


@pytest.mark.parametrize(
    "damage",
    [
        {"latency_us": {"p50": "fast"}},
        {"latency_us": {"p50": -1.0}},
        {"latency_us": {"p50": 0}},
        {"latency_us": {"p50": float("nan")}},
        {"latency_us": None},
        {"accuracy": "0.9"},
        {"accuracy": float("inf")},
        {"threads": None},
        {"model": None},
        {"precision": ["int8"]},
        {"sha256": 5},
        {"size_bytes": -1},
        {"raw_us": [1.0, None]},
        {"raw_us": [[1.0]]},
        {"raw_us": "none"},
        {"raw_us": [0.0]},
        {"round_samples": ["40"]},
        {"kept_float": "conv1"},
        {"flags": ["hot"]},
        {"accuracy_ci95": [0.9]},
        {"host": "equal"},
    ],
)
def test_a_row_that_makes_no_sense_is_damage(damage: dict[str, Any], write: Write, rows: Any) -> None:
    path = write("a.json", [rows(100), replace(rows(100), **damage)])
    with pytest.raises(BadInput, match=r"a\.json(, result 2)?(, field \w+,)? is damaged, or not a r"):
        read_all([path])


@pytest.mark.parametrize("device", [{"board": 5}, {"isa": "neon"}, {"emulated": True}, {"date": 20261120}])
def test_a_device_that_makes_no_sense_is_damage(device: dict[str, Any], write: Write, rows: Any) -> None:
    with pytest.raises(BadInput, match=rf"not a results file.*{min(device)}"):
        read_all([write("a.json", [rows(100)], **device)])


def test_a_data_set_that_makes_no_sense_is_damage(write: Write, rows: Any) -> None:
    with pytest.raises(BadInput, match=r"not a results file.*dataset"):
        read_all([write("a.json", [rows(100)], dataset={"checksums": ["ab"]})])
