"""The picture is drawn, and its labels do not lie on each other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.errors import BadInput
from edgefashion.report.compare import Comparison
from edgefashion.report.compare.plot import NAMED, interval, plot, staircase
from edgefashion.stats import wilson_interval

Write = Callable[..., Path]
Join = Callable[..., Comparison]
FigureOf = Callable[[Callable[[Path], object]], Any]


@pytest.fixture
def comparison(write: Write, joined: Join, rows: Any) -> Comparison:
    models = ("cnn", "cnn-qat", "mobilenetv2", "mobilenetv2-qat")
    paths = []
    for scale, device in ((1, {"cpu": "A"}), (9, {"cpu": "B"}), (30, {"cpu": "C", "emulated": "qemu"})):
        measured = [
            rows(scale * (number + 1), precision, model=model, format=format, accuracy=0.9 + 0.0001 * number)
            for number, model in enumerate(models)
            for precision in ("float32", "int8")
            for format in ("tflite", "onnx")
        ]
        paths.append(write(f"{scale}.json", measured, **device))
    return joined(paths)


def test_svg_has_every_label_and_every_device_with_a_marker(comparison: Comparison, tmp_path: Path) -> None:
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": "none"}):
        assert plot(comparison, tmp_path / "a.svg") == ()
    text = (tmp_path / "a.svg").read_text()
    for line in comparison.lines:
        assert text.count(f">{line.artifact}<") == 1
    assert ">A</text>" in text and ">B</text>" in text
    assert "emulated" not in text  # sizes and accuracies are those of the others: no marker of its own


def test_png_and_a_device_without_latency(write: Write, joined: Join, rows: Any, tmp_path: Path) -> None:
    alone = joined([write("a.json", [rows(100)], emulated="qemu-aarch64")])
    plot(alone, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_another_kind_of_picture_is_refused(comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="end the name in"):
        plot(comparison, tmp_path / "a.bmp")


@pytest.fixture
def many(write: Write, joined: Join, rows: Any) -> Callable[[int], Comparison]:
    """So many artifacts, whose accuracies and latencies differ by little."""

    def made(count: int) -> Comparison:
        random = np.random.default_rng(count)
        measured = [
            rows(
                float(40 * random.lognormal(0, 0.3)),
                rounds=1,
                model=f"a model with a name {number // 4}",
                format=("tflite", "onnx")[number % 2],
                precision=("float32", "int8")[number // 2 % 2],
                accuracy=round(0.9044 + random.normal(0, 0.0005), 4),
                sha256=str(number),
            )
            for number in range(count)
        ]
        return joined([write(f"{count}.json", measured)])

    return made


@pytest.mark.parametrize("count", [1, 3, 40])
def test_chance_never_looks_like_a_difference(
    count: int, many: Callable[[int], Comparison], figure_of: FigureOf
) -> None:
    """However many there are, the axis is as high as the widest interval, and all are drawn."""
    comparison = many(count)
    accuracies = [100 * cell.row.accuracy for cell in comparison.cells if cell.row.accuracy]
    intervals = [interval(accuracy, 10_000) for accuracy in accuracies]
    latency, size = figure_of(lambda path: plot(comparison, path)).axes
    low, high = latency.get_ylim()
    assert low <= min(low for low, _ in intervals) and high >= max(high for _, high in intervals)
    latencies = [cell.p50 for cell in comparison.cells]
    sizes = [(cell.row.size_bytes or 0) / 1000 for cell in comparison.cells]
    for axes, costs in ((latency, latencies), (size, sizes)):
        left, right = axes.get_xlim()
        assert left <= min(costs) / 1.9 and right >= 1.9 * max(costs)
        bars = max(axes.collections, key=lambda each: each.get_linewidths()[0])
        drawn = {tuple(segment[:, 1].round(9).tolist()) for segment in bars.get_segments()}
        assert drawn == {tuple(np.round(each, 9).tolist()) for each in intervals}


def test_a_device_more_is_a_marker_more_and_no_bar(comparison: Comparison, figure_of: FigureOf) -> None:
    latency, _ = figure_of(lambda path: plot(comparison, path)).axes
    bars = max(latency.collections, key=lambda each: each.get_linewidths()[0])
    assert len(bars.get_segments()) == len(comparison.lines)
    assert {line.get_marker() for line in latency.lines} - {"None"} == {"o", "s"}


def test_a_row_that_cannot_be_trusted_says_so(
    write: Write, joined: Join, rows: Any, figure_of: FigureOf
) -> None:
    flagged = rows(9, flags=[{"flag": "drift", "why": "p50 rose"}])
    both = joined([write("a.json", [flagged, rows(5, "int8")])])
    said = [text.get_text() for text in figure_of(lambda path: plot(both, path)).texts]
    assert "! a latency not to be trusted: drift" in said
    assert "cnn tflite float32 !" in said and "cnn tflite int8" in said


def test_a_picture_of_hundreds_names_the_best_and_stays_as_high_as_a_page(
    write: Write, joined: Join, rows: Any, tmp_path: Path
) -> None:
    from matplotlib import rc_context
    from matplotlib.image import imread

    measured = [
        rows(10 + number, rounds=1, model=f"m{number}", sha256=str(number), accuracy=0.5 + number / 1000)
        for number in range(300)
    ]
    many = joined([write("many.json", measured)])
    with rc_context({"svg.fonttype": "none"}):
        plot(many, tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    named = [number for number in range(300) if f">m{number} tflite float32<" in text]
    assert named == list(range(300 - NAMED, 300))
    assert f"Of 300 artifacts the {NAMED} most accurate are named" in text
    plot(many, tmp_path / "a.png")
    assert imread(tmp_path / "a.png").shape[0] < 2200


def test_accuracies_end_at_100(write: Write, joined: Join, rows: Any, figure_of: FigureOf) -> None:
    """Five of five right is no more than 100 %, and no less likely than 57 %."""
    data = {"name": "photos", "complete": True, "checksums": {}, "counts": {"train": 50, "test": 5}}
    few = joined([write("a.json", [rows(9, images=5, accuracy=1.0)], data)])
    axes = figure_of(lambda path: plot(few, path)).axes[0]
    low, high = axes.get_ylim()
    assert high == 100 and 50 < low < 100 * wilson_interval(5, 5)[0]


def test_a_front_of_one_point_is_a_line_too() -> None:
    assert staircase([(2.0, 90.0)], 9.0) == [(2.0, 0.0), (2.0, 90.0), (9.0, 90.0)]
    assert staircase([(2.0, 90.0), (4.0, 95.0)], 9.0)[2:] == [(4.0, 90.0), (4.0, 95.0), (9.0, 95.0)]
