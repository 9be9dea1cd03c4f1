"""Reports: nothing is cut off, and every form can be read back."""

import csv
import io
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from rich.console import Console

from edgefashion import tables
from edgefashion.evaluation import words
from edgefashion.evaluation.results import Results
from edgefashion.records.device import Device
from edgefashion.records.results import Flag, Latency, Point, Row
from edgefashion.records.values import Counts, Dataset
from edgefashion.tables.merged import merged

DEVICE = Device(
    machine="x86_64",
    cpu="Some Processor 9000",
    cores=8,
    isa=("avx2",),
    memory_mb=16000,
    os="Debian",
    python="3.12.0",
    date="2026-11-01T12:00:00+00:00",
)
DATASET = Dataset(name="Fashion-MNIST", complete=True, checksums={}, counts=Counts(train=60_000, test=10_000))


def row(**changes: object) -> Row:
    return msgspec.convert(
        {
            "model": "cnn",
            "format": "tflite",
            "precision": "float32",
            "runtime": "LiteRT",
            "threads": 1,
            "path": "cnn-float32.tflite",
            "size_bytes": 902_512,
            "gzip_bytes": 819_200,
            "images": 10_000,
            "accuracy": 0.9031,
            "accuracy_ci95": [0.8971, 0.9088],
            "accuracy_delta": None,
            "agreement": None,
            "latency_us": {"p50": 31.9, "p90": 34.1, "p99": 1528.2, "mean": 33.0, "samples": 2},
            "load_ms": 2.07,
            "first_inference_us": 214.2,
            "peak_rss_mb": 44.6,
            "status": "ok",
            "error": None,
            "runtime_version": "2.3.0",
            "mcnemar_p": None,
            "small_run": False,
            "sha256": "ab",
            "bad_file": False,
            "note": None,
            "raw_us": [31.8, 32.0],
            **changes,
        },
        Row,
    )


INT8 = row(
    precision="int8",
    path="cnn-int8.tflite",
    accuracy_delta=-0.0015,
    agreement=0.9961,
    mcnemar_p=0.0234,
    small_run=True,
    latency_us={"p50": 52.5, "p90": 60.0, "p99": None, "mean": 53.0, "samples": 2},
)
FAILED = row(
    path="bad.onnx",
    model="bad",
    format="onnx",
    precision=None,
    accuracy=None,
    accuracy_ci95=None,
    status="failed",
    error="ONNX Runtime died with SIGILL while loading bad.onnx",
    latency_us={"p50": None, "p90": None, "p99": None, "mean": None, "samples": 0},
    raw_us=[],
)


@pytest.fixture
def evaluation() -> Results:
    return Results(DEVICE, DATASET, [row(), row(threads=8), INT8, FAILED])


def change(evaluation: Results, number: int, **changes: object) -> None:
    evaluation.rows[number] = replace(evaluation.rows[number], **changes)


def printed(evaluation: Results, width: int | None = None) -> str:
    text = io.StringIO()
    tables.print_page(
        evaluation.page(),
        Console(file=text, force_terminal=width is not None, width=width, color_system=None),
    )
    return text.getvalue()


@pytest.mark.parametrize("width", [None, 120])
def test_the_table_shows_everything(evaluation: Results, width: int | None) -> None:
    text = printed(evaluation, width)
    for expected in (
        "Some Processor 9000, 8 cores (avx2)", "LiteRT 2.3.0", "threads: 1, 8", "2026-11-01", "10,000 test",
        "90.31", "89.71–90.88", "-0.15", "99.61", "0.023", "903", "819", "31.9", "34.1", "1,528", "214",
        "2.1", "45", "cnn (small run)", "failed",
        "Failed: ONNX Runtime died with SIGILL while loading bad.onnx",
    ):  # fmt: skip
        assert expected in text
    assert "…" not in text
    assert "part of the data set" not in text


def test_what_is_no_terminal_gets_long_names_whole(evaluation: Results) -> None:
    name = "a-model-with-a-very-long-name-" * 5
    change(evaluation, 0, model=name)
    assert f"{name} " in printed(evaluation)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_narrow_terminal_has_whole_figures_of_the_columns_that_matter(
    evaluation: Results, width: int
) -> None:
    lines = printed(evaluation, width).splitlines()
    assert max(map(len, lines)) <= width
    for title in ("Model", "Format", "Precision", "Threads", "p50 µs", "Accuracy %"):
        assert any(title in line for line in lines)
    assert any(line.startswith(f"Left out at {width} columns: ") for line in lines) == (width < 100)
    whole = {cell for line in printed(evaluation).splitlines() for cell in line.split()}
    rows = [line for line in lines if line.lstrip().startswith("cnn ") and "slower" not in line]
    assert len(rows) > 4
    assert all(cell in whole for row in rows for cell in row.split())


def test_a_long_name_loses_its_middle_before_a_figure_is_broken(evaluation: Results) -> None:
    change(evaluation, 0, model="a-model-with-a-very-long-name-" * 5 + "the end")
    found = printed(evaluation, 80)
    assert "a-model-with" in found
    assert "the end " in found
    assert max(map(len, found.splitlines())) <= 80


def test_square_brackets_are_no_markup(evaluation: Results) -> None:
    change(evaluation, 3, error="expected uint8 [N, 28, 28, 1], found [red]")
    assert "expected uint8 [N, 28, 28, 1], found [red]" in printed(evaluation)


def test_what_is_slower_than_float_is_named_and_explained_only_where_it_shows(evaluation: Results) -> None:
    ratio = 52.5 / 31.9
    assert f"cnn tflite int8 ({ratio:.2f} times) slower than float32 here: x86" in printed(evaluation)
    assert "must be measured on one" in printed(evaluation)
    dynamic = Results(DEVICE, DATASET, [row(), replace(INT8, precision="dynamic")])
    assert "slower than float32 here: it quantizes the activations of every layer" in printed(dynamic)
    assert "must be measured on one" not in printed(dynamic)
    fast = replace(INT8, latency_us=Latency(p50=20.0))
    assert "must be measured on one" not in printed(Results(DEVICE, DATASET, [row(), fast]))


def test_flagged_rows_have_a_mark_and_the_reason_below(evaluation: Results) -> None:
    text = printed(evaluation)
    assert " ! " not in text and "\n!" not in text
    change(evaluation, 2, flags=(Flag(flag="spread", why="p50 from 52.0 to 70.0 µs"),))
    lines = printed(evaluation).splitlines()
    assert sum(line.rstrip().endswith("!") for line in lines) == 1
    assert "! spread: cnn-int8.tflite, threads 1: p50 from 52.0 to 70.0 µs" in lines


def test_a_flag_of_many_rows_is_not_a_page(evaluation: Results) -> None:
    flags = [{"flag": "other load", "why": "too much"}]
    rows = [row(path=f"{number}.tflite", flags=flags) for number in range(10)] + [row(path="good.tflite")]
    (line,) = [line for line in printed(Results(DEVICE, None, rows)).splitlines() if line.startswith("!")]
    assert "3.tflite, threads 1; and 6 more rows (to_dict() has all): too much" in line
    assert line.count("too much") == 1
    (line,) = [line for line in printed(Results(DEVICE, None, rows[5:])).splitlines() if line.startswith("!")]
    assert "; and 1 more row (to_dict() has all): too much" in line
    (line,) = [
        line for line in printed(Results(DEVICE, None, rows[8:10])).splitlines() if line.startswith("!")
    ]
    assert line == "! other load: both rows: too much"


def test_a_flag_of_all_rows_is_said_once_with_the_range_of_its_figures(evaluation: Results) -> None:
    whys = [f"other processes used {cores} cores" for cores in ("1.52", "0.9", "1,024.0")]
    rows = [row(path=f"{why}.tflite", flags=[{"flag": "other load", "why": why}]) for why in whys]
    text = printed(Results(DEVICE, None, rows))
    assert "! other load: all 3 rows: other processes used 0.9 to 1,024.0 cores" in text
    assert text.count("! other load") == 1
    assert merged(["1 of 2", "1 of 3"]) == "1 of 2 to 3"
    assert merged(["1.5 on average, up to 2", "1.6 on average, up to 3"]) == "1.5 to 1.6 on average, up to 3"
    assert merged(["seen once", "never seen"]) is None


def test_a_runtime_of_another_version_than_the_hosts_is_named(evaluation: Results) -> None:
    host = {"images": 5, "differing_classes": 0, "max_logit_error": 0.0, "tolerance": 0.0, "equal": True}
    there = {**host, "runtime": "LiteRT", "runtime_version": "2.2.0"}
    same = {**host, "runtime": "LiteRT", "runtime_version": "2.3.0"}
    rows = [row(path=f"{n}.tflite", host=each) for n, each in enumerate((host, same, there))]
    text = " ".join(printed(Results(DEVICE, None, rows)).split())
    assert "of another version, which may round otherwise: LiteRT 2.2.0 there, LiteRT 2.3.0 here." in text
    assert "another version" not in printed(Results(DEVICE, None, rows[:2]))


def test_rows_of_one_file_are_told_apart_by_their_runtimes(evaluation: Results) -> None:
    flag = Flag(flag="drift", why="it drifts")
    lost = {"status": "failed", "error": "it is not there"}
    rows = [row(path="x", note="odd"), row(path="x", runtime="Other", flags=[flag])]
    rows.append(row(path="x", runtime="Gone", runtime_version=None, **lost))
    text = printed(Results(DEVICE, None, rows))
    assert "drift: x in Other, threads 1: it drifts" in text and "x in LiteRT: odd" in text
    assert "Other 2.3.0" in text and "Gone None" not in text
    assert "x, threads 1: it drifts" in printed(Results(DEVICE, None, rows[1:2]))


def test_a_note_of_many_files_is_a_line(evaluation: Results) -> None:
    rows = [row(path=f"{number}.tflite", note="slow" if number else None) for number in range(7)]
    text = printed(Results(DEVICE, None, rows))
    assert "1.tflite, 2.tflite, 3.tflite, 4.tflite, and 2 more files (to_dict() has all): slow" in text
    assert "every file: slow" in printed(Results(DEVICE, None, rows[1:]))


def test_columns_of_nothing_are_left_out(evaluation: Results) -> None:
    text = printed(evaluation)
    assert not any(title in text for title in ("% of GEMM", "mJ", "Host", "p90 bound"))
    change(evaluation, 0, macs_per_s=2e9, limit_macs_per_s=8e9, energy_mj=1.234, p90_bound_us=35.5)
    text = printed(evaluation)
    assert all(title in text for title in ("% of GEMM", "mJ", "p90 bound", " 25 ", " 1.23 ", " 35.5 "))


def test_how_the_answers_stand_beside_the_hosts(evaluation: Results) -> None:
    same = {"images": 1000, "differing_classes": 0, "max_logit_error": 0.0, "tolerance": 0.0, "equal": True}
    near = {**same, "max_logit_error": 1e-6, "tolerance": 1e-4}
    other = {**near, "differing_classes": 3, "max_logit_error": 0.5, "equal": False}
    unknown = {**same, "tolerance": None, "equal": None}
    rows = [row(path=f"{n}.tflite", host=host) for n, host in enumerate((same, near, other, unknown))]
    text = printed(Results(DEVICE, DATASET, rows))
    assert all(cell in text for cell in ("equal to the bit", "equal  ", "differs", "not compared"))
    assert "Host: 2 of 3 files answer as they did where the bundle was made: 1 to the bit, 1 within" in text
    assert "2.tflite does not answer as on the host: 3 of 1000 images are of another class" in text


def test_an_emulated_processor_has_no_latency(evaluation: Results) -> None:
    for number in range(len(evaluation.rows)):
        change(evaluation, number, latency_us=Latency())
    text = printed(Results(replace(DEVICE, emulated="qemu-aarch64"), DATASET, evaluation.rows))
    assert "Accuracy" in text and "90.31" in text
    assert "µs" not in text and "Latency" not in text
    assert "emulated by qemu-aarch64: nothing was timed" in text


def test_sustained_load_has_a_table(evaluation: Results) -> None:
    points = tuple(
        Point(at_s=60.0 * minute, p50_us=30.0 + minute, temperature_c=50.0 + minute, mhz=None)
        for minute in range(1, 11)
    )
    change(evaluation, 0, sustained=points)
    text = printed(evaluation)
    assert all(cell in text for cell in ("Sustained load", "10.0", "31.0", "40.0", "51–60"))
    assert "MHz" not in text


def test_the_protocol_is_named(evaluation: Results) -> None:
    shown = Results(DEVICE, DATASET, evaluation.rows, protocol={"summary": "25 rounds"})
    assert "Protocol: 25 rounds" in printed(shown)


def test_a_part_of_the_data_is_marked(evaluation: Results) -> None:
    partial = Results(DEVICE, replace(DATASET, complete=False), evaluation.rows)
    assert "a part of the data set" in printed(partial)


def test_without_data_there_is_no_table_of_accuracy(evaluation: Results) -> None:
    text = printed(Results(DEVICE, None, evaluation.rows))
    assert "Accuracy" not in text
    assert "31.9" in text


def test_csv_reads_back(evaluation: Results, tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(evaluation.to_csv())
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    assert len(rows) == 4
    assert (float(rows[2]["p50_us"]), rows[2]["p99_us"], float(rows[2]["accuracy_low"])) == (52.5, "", 0.8971)
    assert rows[3]["error"] == FAILED.error
    assert "raw_us" not in rows[0]


def test_markdown_reads_back(evaluation: Results, tmp_path: Path) -> None:
    change(evaluation, 3, model="a|b")
    (tmp_path / "results.md").write_text(evaluation.to_markdown())
    lines = [line for line in (tmp_path / "results.md").read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.replace("\\|", "/").strip("|").split("|")] for line in lines]
    assert len(cells) == 2 + 3 + 2 + 4  # a row per file, then a row per file and threads
    assert [len(row) for row in cells] == [10] * 11
    assert cells[3][:5] == ["cnn (small run)", "tflite", "int8", "903", "819"]
    assert cells[4][0] == "a/b"


def test_layers_in_float_tell_two_files_apart(tmp_path: Path) -> None:
    mixed = replace(INT8, kept_float=("conv1", "conv2"), latency_us=Latency(p50=99.0))
    fast = replace(INT8, latency_us=Latency(p50=20.0))
    evaluation = Results(DEVICE, DATASET, [row(kept_float=[]), fast, mixed])
    text = printed(evaluation)
    assert " int8, 2 in float " in text
    assert " int8  " in text
    assert "must be measured on one" not in text  # only the mixed file is slower than float
    (tmp_path / "r.csv").write_text(evaluation.to_csv())
    assert [line["kept_float"] for line in csv.DictReader((tmp_path / "r.csv").open())][1:] == [
        "",
        "conv1 conv2",
    ]


def test_no_results_is_no_crash() -> None:
    nothing = Results(DEVICE, DATASET, [])
    assert nothing.to_csv().strip() == ""
    assert printed(nothing)


def test_the_end_in_words(evaluation: Results) -> None:
    assert words.sentences(evaluation) == [
        "cnn int8 TFLite: 90.3 % of 10,000 test images right, 903 kB, 52 µs an image; 0.15 points worse than "
        "float32"
    ]
    change(evaluation, 2, mcnemar_p=0.7, flags=(Flag(flag="other load", why="busy"),))
    (line,) = words.sentences(evaluation)
    assert line.endswith("52 µs an image (flagged above); no more than chance apart from float32 (p 0.70)")
    del evaluation.rows[2]
    (line,) = words.sentences(evaluation)
    assert line == "cnn float32 TFLite: 90.3 % of 10,000 test images right, 903 kB, 32 µs an image"


# Classes of different sizes


def recall(name: str, images: int, right: int) -> dict[str, object]:
    share = right / images if images else None
    return {"name": name, "images": images, "right": right, "recall": share, "ci95": share and [0.5, 0.95]}


def uneven(**changes: object) -> Row:
    found = [recall("cat", 90, 81), recall("dog", 10, 6), recall("newt", 0, 0)]
    balanced = {"balanced_accuracy": 0.75, "balanced_accuracy_ci95": [0.6, 0.87], "recalls": found}
    return row(images=100, **balanced | changes)


def test_beside_an_accuracy_that_is_of_the_largest_class_stand_the_balanced_one_and_the_recalls() -> None:
    one = uneven(precision="int8", balanced_accuracy_delta=-0.05, balanced_p=0.4)
    text = printed(Results(DEVICE, DATASET, [one]))
    for expected in ("Balanced %", "75.00", "60.00–87.00", "-5.00", "0.400", "90.0 (50–95)", "60.0 (50–95)"):
        assert expected in text
    assert "Accuracy weighs cat, with 90 test images, more than dog with 10." in " ".join(text.split())
    assert "No test image is of newt: balanced accuracy is over the other 2" in text
    assert "(balanced 75.0 %)" in words.sentences(Results(DEVICE, DATASET, [one]))[0]


def test_where_classes_are_of_like_size_only_the_json_and_the_csv_have_them() -> None:
    even = uneven(recalls=[recall("cat", 14, 9), recall("dog", 10, 9)])
    found = Results(DEVICE, DATASET, [even])
    assert "Balanced" not in printed(found) and "Recall" not in printed(found)
    (flat,) = csv.DictReader(io.StringIO(found.to_csv()))
    assert flat["recalls"] == "cat 9/14; dog 9/10"
    assert (flat["balanced_accuracy_low"], flat["balanced_accuracy_high"]) == ("0.6", "0.87")


def test_a_classifier_that_is_right_on_the_larger_class_only_is_told_from_a_good_one() -> None:
    useless = uneven(accuracy=0.76, recalls=[recall("good", 300, 285), recall("bad", 130, 30)])
    text = printed(Results(DEVICE, DATASET, [useless]))
    assert "Balanced %" in text and "23.1 (50–95)" in text


def test_of_few_classes_of_ones_own_the_recalls_are_always_shown() -> None:
    even = [recall("cat", 10, 8), recall("dog", 10, 2)]
    own, older = replace(DATASET, name="pets"), row()
    text = printed(Results(DEVICE, own, [older, uneven(path="own.tflite", recalls=even)]))
    assert "20.0 (50–95)" in text and "Balanced" not in text
    many = [recall(str(number), 10, 8) for number in range(11)]
    assert "Recall" not in printed(Results(DEVICE, own, [uneven(recalls=many)]))


def test_a_share_of_the_matrix_product_above_one_is_none() -> None:
    above = row(macs_per_s=2e9, limit_macs_per_s=1e9)
    text = " ".join(printed(Results(DEVICE, None, [above])).split())
    assert "200" not in text and "faster than the matrix product was" in text and "idle machine" in text


def test_an_apparent_loss_of_balanced_accuracy_is_none_where_it_may_be_chance() -> None:
    one = uneven(precision="int8", balanced_accuracy_delta=-0.05, balanced_p=0.4)
    assert (
        "no more than chance apart from float32 (p 0.40)"
        in words.sentences(Results(DEVICE, DATASET, [one]))[0]
    )
    sure = replace(one, balanced_p=0.001)
    assert "5.00 points worse than float32" in words.sentences(Results(DEVICE, DATASET, [sure]))[0]


def test_results_of_somebody_whose_rows_tell_of_other_classes_are_shown() -> None:
    other = uneven(path="other.tflite", recalls=[recall("cat", 90, 81), recall("dog", 10, 6)])
    assert "Recall %" in printed(Results(DEVICE, DATASET, [uneven(), other]))
