"""Two classes, and more than a byte can number, go through bundle, evaluation and card."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion import bundle, zoo
from edgefashion.artifacts.artifact import Artifact
from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.data import FASHION_MNIST, Dataset, Subset, Task
from edgefashion.evaluation.evaluate import assess
from edgefashion.evaluation.predictions import Candidate, LabeledImages
from edgefashion.report import card
from edgefashion.report.card import plot

onnx = pytest.importorskip("onnx")
QUICK = BenchmarkOptions(rounds=1, samples=1, seconds=0, warm_up_seconds=0)


def task_of(count: int) -> Task:
    names = tuple(f"kind {number}" for number in range(count))
    return Task("kinds", (4, 6, 1), names, FASHION_MNIST.picture)


@pytest.fixture(params=[2, 300])
def task(request: pytest.FixtureRequest) -> Task:
    return task_of(request.param)


@pytest.fixture
def model(task: Task, tmp_path: Path) -> Path:
    """Pixels times a matrix: uint8 [N, 4, 6, 1] to float32 [N, classes]."""
    from onnx import TensorProto, helper, numpy_helper

    count = len(task.classes)
    weights = np.random.default_rng(0).normal(0, 0.1, (24, count)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
            helper.make_node("Flatten", ["float"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        ],
        "kinds",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 4, 6, 1])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", count])],
        [numpy_helper.from_array(weights, "weights")],
    )
    path = tmp_path / "kinds.onnx"
    versions = [helper.make_opsetid("", 13)]
    path.write_bytes(helper.make_model(graph, opset_imports=versions, ir_version=8).SerializeToString())
    return path


@pytest.fixture
def data(task: Task, tmp_path: Path) -> Dataset:
    images = np.random.default_rng(1).integers(0, 256, (600, *task.image_shape)).astype(np.uint8)
    labels = (np.arange(600) % len(task.classes)).astype(task.label_dtype)
    subset = Subset(images, labels, np.arange(600))
    return Dataset("made", tmp_path, {"images": "ab"}, subset, subset, task)


def test_a_bundle_keeps_every_label(model: Path, data: Dataset, tmp_path: Path) -> None:
    bundle.make(tmp_path / "kinds.zip", [Artifact(model, None)], data, 600)
    with bundle.open_bundle(tmp_path / "kinds.zip") as found:
        assert found.task == data.task
        assert found.labels.dtype == data.task.label_dtype
        assert np.array_equal(found.labels, data.test.labels)
        sample = LabeledImages(found.images, found.labels, found.task, found.compare)
        results = assess([Candidate(each, "kinds", sample) for each in found.artifacts], None, [1], QUICK)
        (row,) = results.rows
        right = found.logits["kinds.onnx"].argmax(axis=1) == found.labels
        assert row.accuracy == right.mean() and row.host and row.host.equal


def test_a_card_names_every_class(model: Path, data: Dataset, figure_of: Callable[..., Any]) -> None:
    pytest.importorskip("matplotlib")
    evidence = card.gather("kinds", zoo.open_zoo().runs("cnn-64k"), [Artifact(model, None)], data)
    text = card.to_markdown(evidence)
    count = len(data.task.classes)
    assert all(f"| kind {number} | {600 // count} |" in text for number in range(count))
    assert f"gives {count} logits" not in text  # without a manifest nothing tells what it takes
    assert evidence.confusion(0).shape == (count, count)
    (axes,) = figure_of(lambda path: plot.plot(evidence, path)).axes
    named = [label.get_text() for label in axes.get_yticklabels()]
    assert named == list(data.task.classes) if count <= plot.NAMED else "kind 1" not in named
