"""What a picture shows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgefashion.errors import BadInput
from edgefashion.report.compare import Comparison
from edgefashion.report.compare.scatter import front, points

Write = Callable[..., Path]
Join = Callable[..., Comparison]


def test_points_are_of_the_usual_threads_and_the_usual_images(write: Write, joined: Join, rows: Any) -> None:
    paths = [
        write("a.json", [rows(100), rows(40, "int8"), rows(60, threads=4)], cpu="A"),
        write("b.json", [rows(200), rows(90, "int8"), rows(90, threads=2)], cpu="B"),
        write("c.json", [rows(1, images=1000, accuracy=0.8, sha256="other")], cpu="C"),
    ]
    found = points(joined(paths))
    assert (found.threads, found.images) == (1, 10_000)
    assert [artifact.name for artifact in found.artifacts] == ["cnn tflite float32", "cnn tflite int8"]
    assert [len(artifact.points) for artifact in found.artifacts] == [2, 2]
    assert found.left_out == ("cnn tflite float32 (3)",)


def test_a_device_without_the_images_takes_the_accuracy_of_the_same_file(
    write: Write, joined: Join, rows: Any
) -> None:
    paths = [
        write("a.json", [rows(100)], cpu="A"),
        write("b.json", [rows(200, images=None, accuracy=None)], dataset=None, cpu="B"),
        write("c.json", [rows(9_000)], cpu="C", emulated="qemu-aarch64"),
    ]
    [artifact] = points(joined(paths)).artifacts
    assert [point.accuracy for point in artifact.points] == [90.44] * 3
    assert [point.latency is None for point in artifact.points] == [False, False, True]


def test_formats_and_precisions_of_a_model_share_a_kind(write: Write, joined: Join, rows: Any) -> None:
    measured = [rows(1), rows(1, format="onnx", runtime="ONNX Runtime"), rows(1, "int8", model="other")]
    assert [artifact.kind for artifact in points(joined([write("a.json", measured)])).artifacts] == [0, 0, 1]


def test_without_accuracies_there_is_nothing_to_draw(write: Write, joined: Join, rows: Any) -> None:
    path = write("a.json", [rows(1, images=None, accuracy=None)], dataset=None)
    with pytest.raises(BadInput, match="measure some with test images"):
        points(joined([path]))


def test_the_front_has_what_nothing_beats() -> None:
    places = [(3.0, 92.0), (1.0, 90.0), (2.0, 89.0), (1.0, 88.0), (4.0, 92.0), (5.0, 93.0)]
    assert front(places) == [(1.0, 90.0), (3.0, 92.0), (5.0, 93.0)]
