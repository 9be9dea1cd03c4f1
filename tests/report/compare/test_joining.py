"""Which rows belong in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgefashion.report.compare import Comparison

DATASET: dict[str, Any] = {
    "name": "Fashion-MNIST",
    "complete": True,
    "checksums": {"images": "ab", "labels": "cd"},
    "counts": {"train": 60_000, "test": 10_000},
}
Write = Callable[..., Path]
Join = Callable[..., Comparison]


def test_rows_of_the_same_artifact_are_one_line_in_the_order_of_the_files(
    write: Write, joined: Join, rows: Any
) -> None:
    first = write("a.json", [rows(100), rows(40, "int8"), rows(60, threads=4)], cpu="A")
    second = write("b.json", [rows(80, "int8"), rows(200), rows(90, "int8", kept_float=["conv1"])], cpu="B")
    found = joined([first, second])
    assert [str(line) for line in found.lines] == [
        "cnn tflite float32, threads 1",
        "cnn tflite int8, threads 1",
        "cnn tflite float32, threads 4",
        "cnn tflite int8, 1 in float, threads 1",
    ]
    assert [[cell.source.title for cell in line.cells] for line in found.lines] == [
        ["A", "B"], ["A", "B"], ["A"], ["B"],
    ]  # fmt: skip
    ratios = [cell.ratio for line in found.lines for cell in line.cells]
    assert [ratio and round(ratio.value, 1) for ratio in ratios] == [None, 2.0, None, 2.0, None, None]


def test_ratios_are_to_the_chosen_source(write: Write, joined: Join, rows: Any) -> None:
    paths = [write(f"{cpu}.json", [rows(p50)], cpu=cpu) for cpu, p50 in (("A", 100), ("B", 200), ("C", 50))]
    ratios = [cell.ratio for cell in joined(paths, against="B").cells]
    assert [ratio and round(ratio.value, 2) for ratio in ratios] == [0.5, None, 0.25]


def test_what_did_not_start_is_in_the_line_of_what_did(write: Write, joined: Join, rows: Any) -> None:
    failed = rows(100, runtime=None, status="failed", error="died")
    found = joined([write("a.json", [failed], cpu="A"), write("b.json", [rows(100)], cpu="B")])
    [line] = found.lines
    assert line.key.runtime == "LiteRT"
    assert found.against and found.against.title == "B"
    assert [cell.ratio for cell in line.cells] == [None, None]


def test_emulated_times_are_no_latency(write: Write, joined: Join, rows: Any) -> None:
    real = write("a.json", [rows(100)], cpu="A")
    emulated = write("b.json", [rows(9_000)], cpu="A", emulated="qemu-aarch64")
    cells = joined([real, emulated]).cells
    assert cells[1].p50 is None
    assert cells[1].ratio is None


def test_another_file_of_the_same_name_is_seen(write: Write, joined: Join, rows: Any) -> None:
    paths = [
        write("a.json", [rows(100, sha256=None)], cpu="A"),
        write("b.json", [rows(100, sha256="one")], cpu="B"),
        write("c.json", [rows(100, sha256="two")], cpu="C"),
    ]
    assert [cell.same_file for cell in joined(paths).cells] == [None, True, False]
    assert [cell.same_file for cell in joined(paths, against="C").cells] == [None, False, True]


def test_alike_artifacts_of_one_file_keep_lines_of_their_own(write: Write, joined: Join, rows: Any) -> None:
    old, new = rows(100, sha256="1111111111"), rows(50, sha256="2222222222")
    found = joined([write("a.json", [old, new], cpu="A"), write("b.json", [new], cpu="B")])
    assert [(line.model, len(line.cells)) for line in found.lines] == [
        ("cnn 11111111", 1),
        ("cnn 22222222", 2),
    ]
    assert not found.repeated


def test_an_artifact_measured_twice_in_a_file_is_taken_once(write: Write, joined: Join, rows: Any) -> None:
    found = joined([write("a.json", [rows(100), rows(101, path="copy.tflite")])])
    assert len(found.cells) == 1
    assert found.repeated == ("(1) copy.tflite, threads 1",)


def test_accuracies_are_of_the_same_images_or_apart(write: Write, joined: Join, rows: Any) -> None:
    again = {**DATASET, "checksums": dict(reversed(DATASET["checksums"].items()))}
    other = {
        "name": "Fashion-MNIST",
        "complete": False,
        "checksums": {"x": "y"},
        "counts": {"train": 1, "test": 1000},
    }
    paths = [
        write("a.json", [rows(1, images=1000)], dataset=DATASET, cpu="A"),
        write("b.json", [rows(1)], dataset=DATASET, cpu="B"),
        write("c.json", [rows(1, images=1000)], dataset=again, cpu="C"),
        write("d.json", [rows(1, images=1000)], dataset=other, cpu="D"),
        write("e.json", [rows(1, images=None, accuracy=None)], dataset=None, cpu="E"),
    ]
    data = joined(paths).data
    assert [data.images for data in data] == [10_000, 1000, 1000]
    assert [[source.title for source in users] for users in data.values()] == [["B"], ["A", "C"], ["D"]]
