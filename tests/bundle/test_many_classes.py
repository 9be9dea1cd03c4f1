"""A bundle of more classes than a byte can number."""

from pathlib import Path

import numpy as np
import pytest

from edgefashion import bundle
from edgefashion.artifacts.artifact import Artifact
from edgefashion.data import FASHION_MNIST, Dataset, Subset, Task
from edgefashion.evaluation.evaluate import assess
from edgefashion.evaluation.predictions import Candidate, LabeledImages

onnx = pytest.importorskip("onnx")
TASK = Task("many", (4, 6, 1), tuple(f"class {number}" for number in range(300)), FASHION_MNIST.picture)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Pixels times a matrix: uint8 [N, 4, 6, 1] to float32 [N, 300]."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(0).normal(0, 0.1, (24, 300)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
            helper.make_node("Flatten", ["float"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        ],
        "many",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 4, 6, 1])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 300])],
        [numpy_helper.from_array(weights, "weights")],
    )
    path = tmp_path / "many.onnx"
    versions = [helper.make_opsetid("", 13)]
    path.write_bytes(helper.make_model(graph, opset_imports=versions, ir_version=8).SerializeToString())
    return path


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    images = np.random.default_rng(1).integers(0, 256, (600, *TASK.image_shape)).astype(np.uint8)
    labels = (np.arange(600) % 300).astype(TASK.label_dtype)
    subset = Subset(images, labels, np.arange(600))
    return Dataset("made", tmp_path, {"images": "ab"}, subset, subset, TASK)


def test_labels_above_255_are_whole_in_a_bundle(model: Path, data: Dataset, tmp_path: Path) -> None:
    bundle.make(tmp_path / "many.zip", [Artifact(model, None)], data, 600)
    with bundle.open_bundle(tmp_path / "many.zip") as found:
        assert found.task == TASK
        assert found.labels.dtype == np.uint16
        assert np.array_equal(found.labels, data.test.labels)
        sample = LabeledImages(found.images, found.labels, found.task, found.compare)
        results = assess([Candidate(each, "many", sample) for each in found.artifacts], None, [1])
        (row,) = results.rows
        right = found.logits["many.onnx"].argmax(axis=1) == found.labels
        assert row.accuracy == right.mean() and row.host and row.host.equal
