"""The table and the notes below it."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from edgefashion import tables
from edgefashion.report.compare import Comparison
from edgefashion.report.compare.page import page

Write = Callable[..., Path]
Join = Callable[..., Comparison]
PI4, PI5 = {"board": "Raspberry Pi 4"}, {"board": "Raspberry Pi 5"}


def cells(comparison: Comparison) -> list[dict[str, str]]:
    """The table: a dictionary a line, by the titles of the columns on one line."""
    [table] = page(comparison).tables
    titles = [column.title.replace("\n", " ") for column in table.columns]
    assert len(set(titles)) == len(titles)
    return [dict(zip(titles, row, strict=True)) for row in table.cells]


def below(comparison: Comparison) -> str:
    return "\n".join(page(comparison).notes)


def test_latencies_stand_beside_each_other_with_their_ratio(write: Write, joined: Join, rows: Any) -> None:
    slow, fast = rows(3000), rows(1000)
    comparison = joined(
        [write("pi4.json", [slow], **PI4), write("pi5.json", [fast, rows(400, "int8")], **PI5)]
    )
    first, second = cells(comparison)
    assert first["(1) Raspberry Pi 4, p50 µs"] == f"{slow.latency_us.p50:,.0f}"
    assert first["(2) Raspberry Pi 5, p50 µs"] == f"{fast.latency_us.p50:,.0f}"
    assert first["(2)/(1)"] == f"{fast.latency_us.p50 / slow.latency_us.p50:.3f}"
    assert first["(2)/(1) 95 %"].startswith("0.3") and " to 0.3" in first["(2)/(1) 95 %"]
    assert (first["Accuracy %, 10,000 images"], first["kB"]) == ("90.44", "904")
    assert (second["(1) Raspberry Pi 4, p50 µs"], second["(2)/(1)"]) == ("–", "–")
    header = page(comparison).header
    assert [line.split(":")[0] for line in header] == ["(1) Raspberry Pi 4", "(2) Raspberry Pi 5"]
    assert all("asimddp" in line and "LiteRT 2.3.0" in line and "2026-11-20 10:00" in line for line in header)


def test_a_comparison_introduces_itself_in_a_line(write: Write, joined: Join, rows: Any) -> None:
    found = joined([write("a.json", [rows(1), rows(2, "int8")], **PI4)])
    assert repr(found) == "<Comparison of 1 results: 2 lines; .table() shows them>"


def test_differences_within_the_spread_are_marked(write: Write, joined: Join, rows: Any) -> None:
    same = rows(100)
    comparison = joined([write("a.json", [same], **PI4), write("b.json", [same], **PI5)])
    [line] = cells(comparison)
    assert line["(2)/(1)"] == "≈1.000" and line["(2)/(1) 95 %"].startswith("0.9")
    assert "≈: within the spread" in below(comparison)
    assert "to tell whether" not in below(comparison)


def test_what_cannot_be_judged_says_so(write: Write, joined: Join, rows: Any) -> None:
    comparison = joined([write("a.json", [rows(100)], **PI4), write("b.json", [rows(200, rounds=3)], **PI5)])
    [line] = cells(comparison)
    assert line["(2)/(1)"].endswith(" (?)") and line["(2)/(1) 95 %"] == "–"
    assert "(?): too few rounds" in below(comparison)
    assert "≈" not in below(comparison)


def test_unrecorded_rounds_are_told(write: Write, joined: Join, rows: Any) -> None:
    old = write("a.json", [rows(100, round_samples=[])], **PI4)
    new = write("b.json", [rows(100)], **PI5)
    assert "(1): rounds are not recorded; blocks" in below(joined([old, new]))
    assert "not recorded" not in below(joined([new]))


def test_emulated_devices_have_no_number(write: Write, joined: Join, rows: Any) -> None:
    flag = {"flag": "emulated", "why": "times here say nothing"}
    emulated = write("emulated.json", [rows(98_765, flags=[flag])], **PI4, emulated="qemu-aarch64")
    comparison = joined([emulated, write("b.json", [rows(100)], **PI5)])
    [line] = cells(comparison)
    assert line["(1) Raspberry Pi 4, emulated, p50 µs"] == "emulated"
    assert [title for title in line if "/" in title] == []
    assert "(1): emulated by qemu-aarch64, which has no latency of its own" in below(comparison)
    assert "98" not in tables.to_markdown(page(comparison)).replace("0.98", "")


def test_flagged_and_failed_rows_are_marked_and_their_reasons_listed(
    write: Write, joined: Join, rows: Any
) -> None:
    hot = [{"flag": "throttled", "why": "seen in 3 of 5 looks"}]
    none = {"p50": None, "p90": None, "p99": None, "mean": None, "samples": 0}
    failed = rows(1, "int8", status="failed", error="LiteRT died with SIGILL", latency_us=none, raw_us=[])
    comparison = joined([write("a.json", [rows(100, flags=hot), failed, rows(50, threads=4)], **PI4)])
    first, second, third = [line["(1) Raspberry Pi 4, p50 µs"] for line in cells(comparison)]
    assert first.endswith(" !") and not third.endswith(" !")
    assert second == "failed !"
    assert "! (1) throttled: cnn tflite float32, threads 1: seen in 3 of 5 looks" in below(comparison)
    assert "! (1) failed: cnn tflite int8, threads 1: LiteRT died with SIGILL" in below(comparison)


def test_a_remark_on_every_row_is_one_line(write: Write, joined: Join, rows: Any) -> None:
    found = below(
        joined([write("a.json", [rows(1, note="unusual"), rows(1, "int8", note="unusual")], **PI4)])
    )
    assert found == "! (1) note: all 2 rows: unusual"


def test_remarks_of_one_kind_are_one_line(write: Write, joined: Join, rows: Any) -> None:
    measured = [
        rows(1, note="unusual"),
        rows(1, "int8", note="unusual"),
        rows(1, threads=2, note="slow"),
        rows(1, threads=3),
    ]
    float32, int8 = "cnn tflite float32, threads", "cnn tflite int8, threads"
    expected = f"! (1) note: {float32} 1 and {int8} 1: unusual; {float32} 2: slow"
    assert below(joined([write("a.json", measured, **PI4)])) == expected


def test_remarks_that_differ_in_their_figures_only_are_said_once(
    write: Write, joined: Join, rows: Any
) -> None:
    """And no more rows are named than one reads."""
    spread = [[{"flag": "spread", "why": f"p50 differs by {n} % between rounds"}] for n in range(30, 36)]
    measured = [rows(1, threads=n, flags=flags) for n, flags in enumerate(spread, 1)]
    found = below(joined([write("a.json", [*measured, rows(1, threads=9)], **PI4)]))
    assert found.endswith(", threads 4 and 2 more rows: p50 differs by 30 to 35 % between rounds")
    assert found.count("differs") == 1 and found.count("threads") == 4
    found = below(joined([write("b.json", measured, **PI4)]))
    assert found == "! (1) spread: all 6 rows: p50 differs by 30 to 35 % between rounds"


def test_other_answers_than_the_hosts_are_told(write: Write, joined: Join, rows: Any) -> None:
    equal, other = rows(1, host={"equal": True}), rows(1, "int8", host={"equal": False})
    found = below(joined([write("a.json", [equal, other])]))
    assert "! (1) answers: cnn tflite int8, threads 1: other than where its bundle was made" in found
    assert "(1) answers: 1 of 2 rows as where the bundle was made, 1 other." in found


def test_equal_answers_and_those_never_compared_are_told_apart(write: Write, joined: Join, rows: Any) -> None:
    equal, unknown = rows(1, host={"equal": True}), rows(1, host={"equal": None})
    same = write("a.json", [equal, rows(1, "int8", host={"equal": True})], cpu="A")
    never, part = write("b.json", [unknown], cpu="B"), write("c.json", [equal, rows(1, "int8")], cpu="C")
    found = below(joined([same, never, part]))
    assert "(1) answers: all 2 rows as where the bundle was made.\n(2) answers: not compared.\n" in found
    assert "(3) answers: 1 of 2 rows as where the bundle was made, 1 not compared." in found
    assert "answers" not in below(joined([write("d.json", [rows(1)])]))


def test_different_protocols_are_told(write: Write, joined: Join, rows: Any) -> None:
    paths = [write("a.json", [rows(1)], cpu="A"), write("b.json", [rows(2)], cpu="B")]
    assert "protocols" not in below(joined(paths))
    content = json.loads(paths[1].read_text())
    paths[1].write_text(json.dumps({**content, "protocol": {"summary": "25 rounds"}}))
    assert "by different protocols: (1) not recorded; (2) 25 rounds." in below(joined(paths))


def test_energy_has_a_column_where_it_was_measured(write: Write, joined: Join, rows: Any) -> None:
    paths = [write("a.json", [rows(1)], **PI4), write("b.json", [rows(1, energy_mj=0.1234)], **PI5)]
    [line] = cells(joined(paths))
    assert line["(2) mJ"] == "0.123"
    assert "(1) mJ" not in line


def test_other_files_are_marked(write: Write, joined: Join, rows: Any) -> None:
    paths = [write("a.json", [rows(100)], **PI4), write("b.json", [rows(100, sha256="other")], **PI5)]
    comparison = joined(paths)
    [line] = cells(comparison)
    assert line["(2) Raspberry Pi 5, p50 µs"].endswith("≠")
    assert "SHA-256 differs: cnn tflite float32, threads 1: (2) and (1)." in below(comparison)
    assert "≠" not in below(joined(paths[:1]))


def test_accuracies_on_other_images_have_a_column_of_their_own(write: Write, joined: Join, rows: Any) -> None:
    whole = write("a.json", [rows(100)], **PI4)
    part = write("b.json", [rows(100, images=1000, accuracy=0.91)], **PI5)
    comparison = joined([whole, part])
    [line] = cells(comparison)
    assert (line["Accuracy %, 10,000 images"], line["Accuracy %, 1,000 images"]) == ("90.44", "91.00")
    assert "different images: 10,000 (1), 1,000 (2). Compare within a column only" in below(comparison)
    assert "different images" not in below(joined([whole]))


def test_models_of_different_tasks_stand_in_lines_of_their_own(write: Write, joined: Join, rows: Any) -> None:
    paths = [write("a.json", [rows(100)], **PI4), write("b.json", [rows(100)], **PI5)]
    content = json.loads(paths[1].read_text())
    assert "Different tasks" not in below(joined(paths)) and "Data" not in cells(joined(paths))[0]
    paths[1].write_text(json.dumps({**content, "dataset": {**content["dataset"], "name": "signs"}}))
    comparison = joined(paths)
    assert [line.model for line in comparison.lines] == ["cnn", "cnn"]
    assert [line["Data"] for line in cells(comparison)] == ["Fashion-MNIST", "signs"]
    assert [str(line).split(" tflite")[0] for line in comparison.lines] == [
        "cnn of Fashion-MNIST",
        "cnn of signs",
    ]
    assert "Different tasks: Fashion-MNIST (1), signs (2). No accuracy" in below(comparison)


def test_devices_that_disagree_are_named(write: Write, joined: Join, rows: Any) -> None:
    paths = [
        write("a.json", [rows(1)], cpu="A"),
        write("b.json", [rows(1, accuracy=0.9043)], cpu="B"),
        write("c.json", [rows(1, size_bytes=1024)], cpu="C"),
    ]
    [line] = cells(joined(paths))
    assert line["Accuracy %, 10,000 images"] == "90.44 (1, 3), 90.43 (2)"
    assert line["kB"] == "904 (1, 2), 1 (3)"


def test_what_says_little_is_told(write: Write, joined: Join, rows: Any) -> None:
    part = {"name": "x", "complete": False, "checksums": {}, "counts": {"train": 1, "test": 400}}
    path = write("a.json", [rows(1, small_run=True)], dataset=part, before={"throttled": ["under-voltage"]})
    found = below(joined([path]))
    assert "(1): a part of the data set" in found
    assert "accuracy says little: cnn tflite float32." in found
    assert "(1): was throttled" in found


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_narrow_terminal_breaks_no_figure_and_says_what_it_lacks(
    width: int, write: Write, joined: Join, rows: Any
) -> None:
    paths = [write(f"{name}.json", [rows(12_345)], cpu=f"Processor {name}") for name in "ABC"]
    text = io.StringIO()
    tables.print_page(
        page(joined(paths)), Console(file=text, force_terminal=True, width=width, color_system=None)
    )
    lines = text.getvalue().splitlines()
    assert "…" not in text.getvalue()
    assert all(len(line) <= width or len(line.split()) == 1 for line in lines)
    assert any(f"Left out at {width} columns: " in line for line in lines) == (width < 200)
    assert " 12,530 " in text.getvalue()


def test_in_80_columns_two_devices_have_their_latencies_and_their_ratio(
    write: Write, joined: Join, rows: Any
) -> None:
    """Their titles, which stand above the table, are not repeated then."""
    paths = [write(f"{name}.json", [rows(12_345)], cpu=f"A Processor {name} at length") for name in "AB"]
    narrow, wide = (tables.to_text(page(joined(paths)), width) for width in (80, 200))
    assert "(1)" in narrow and "(2)/(1)" in narrow and narrow.count(" 12,") == 2
    assert "Left out at 80 columns: Runtime, (2)/(1) 95 %;" in narrow and "90.44" in narrow
    assert (narrow.count("Processor A"), wide.count("Processor A")) == (1, 2)


def test_of_many_devices_the_latencies_and_accuracy_stay_longest(
    write: Write, joined: Join, rows: Any
) -> None:
    paths = [write(f"{name}.json", [rows(12_345)], cpu=f"Processor {name}") for name in "ABC"]
    table = tables.to_text(page(joined(paths)), 80).split("Left out")[0]
    assert table.count(" 12,") == 3 and "90.44" in table and "/(1)" not in table and " to " not in table


def test_an_artifact_of_two_runtimes_is_told_by_them(write: Write, joined: Join, rows: Any) -> None:
    path = write(
        "a.json", [rows(100, runtime="LiteRT"), rows(100, runtime="Other", precision="float32")], **PI4
    )
    assert [line.artifact for line in joined([path]).lines] == [
        "cnn tflite float32 LiteRT",
        "cnn tflite float32 Other",
    ]
    path = write("b.json", [rows(100), rows(100, precision="int8")], **PI4)
    assert [line.artifact for line in joined([path]).lines] == ["cnn tflite float32", "cnn tflite int8"]


def test_classes_of_other_names_are_said_to_be_so(write: Write, joined: Join, rows: Any) -> None:
    """The images are the same: only task.json is not."""
    paths = [write(name, [rows(100)], **PI4) for name in ("a.json", "b.json", "c.json")]
    for path, digest in zip(paths, ("aa", "bb", "bb"), strict=True):
        content = json.loads(path.read_text())
        content["dataset"]["checksums"]["task.json"] = digest
        path.write_text(json.dumps(content))
    said = " ".join(below(joined(paths)).split())
    assert "The classes differ, or how images are made of pictures, between (1) and (2, 3)." in said
    assert "different images" not in said
    assert "The classes differ" not in below(joined(paths[1:]))
