"""The picture is drawn, and its labels do not lie on each other."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion import figures
from edgefashion.errors import BadInput
from edgefashion.report.compare import Comparison
from edgefashion.report.compare.plot import LABELS, apart, plot, staircase
from edgefashion.stats import wilson_interval

Write = Callable[..., Path]
Join = Callable[..., Comparison]


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
        assert text.count(f">{line.artifact}<") == 2  # once in each panel
    assert ">A</text>" in text and ">B</text>" in text
    assert "emulated" not in text  # sizes and accuracies are those of the others: no marker of its own


def test_png_and_a_device_without_latency(write: Write, joined: Join, rows: Any, tmp_path: Path) -> None:
    alone = joined([write("a.json", [rows(100)], emulated="qemu-aarch64")])
    plot(alone, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_another_kind_of_picture_is_refused(comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="end the name in"):
        plot(comparison, tmp_path / "a.bmp")


def test_labels_are_apart_in_order_and_inside() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        heights = sorted(random.random(int(random.integers(1, 20))).tolist())
        found = apart(heights, 0.05)
        assert all(below + 0.05 <= above + 1e-9 for below, above in itertools.pairwise(found))
        assert found[0] >= -1e-9 and found[-1] <= 1 + 1e-9


def test_labels_with_room_stay_where_they_belong() -> None:
    assert apart([0.1, 0.5, 0.9], 0.05) == pytest.approx([0.1, 0.5, 0.9])
    assert apart([0.5, 0.5], 0.1) == pytest.approx([0.45, 0.55])
    assert apart([], 0.1) == []


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
    assert named == list(range(300 - LABELS, 300))
    assert f"Of 300 artifacts the {LABELS} most accurate are named" in text
    plot(many, tmp_path / "a.png")
    assert imread(tmp_path / "a.png").shape[0] < 2200


def test_accuracies_of_few_images_have_bars_and_end_at_100(
    write: Write, joined: Join, rows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five of five right is no more than 100 %, and no less likely than 57 %."""
    drawn: list[Any] = []
    monkeypatch.setattr(figures, "save", lambda figure, *_: drawn.append(figure))
    data = {"name": "photos", "complete": True, "checksums": {}, "counts": {"train": 50, "test": 5}}
    for images in (5, 10_000):
        plot(joined([write("a.json", [rows(9, images=images, accuracy=1.0)], data)]), tmp_path / "a.png")
    (few, _), (many, _) = (figure.axes for figure in drawn)
    assert few.get_ylim()[1] == many.get_ylim()[1] == 100
    assert 50 < few.get_ylim()[0] < 100 * wilson_interval(5, 5)[0]
    assert few.get_ylabel() == "accuracy, % of 5 images\nbars: 95 % intervals"
    assert many.get_ylabel() == "accuracy, % of 10,000 images\n(95 % interval: at most -0.0, +0.0)"


def test_a_front_of_one_point_is_a_line_too() -> None:
    assert staircase([(2.0, 90.0)], 9.0) == [(2.0, 0.0), (2.0, 90.0), (9.0, 90.0)]
    assert staircase([(2.0, 90.0), (4.0, 95.0)], 9.0)[2:] == [(4.0, 90.0), (4.0, 95.0), (9.0, 95.0)]
