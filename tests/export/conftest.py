"""One trained model, its graph and its representative dataset, for every test of the exporters."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from edgefashion import benchmarking
from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.data import FASHION_MNIST, Dataset, Splits, split
from edgefashion.export.graph import graph as graphs
from edgefashion.export.graph.graph import Graph
from edgefashion.export.quantization.calibration import RepresentativeDataset, representative_dataset
from edgefashion.models import ARCHITECTURES
from edgefashion.tensorflow import keras, tf
from edgefashion.training.runs import Run


@pytest.fixture(scope="session")
def splits(sample: Dataset) -> Splits:
    return split(sample)


@pytest.fixture(scope="session")
def graph(trained: Run) -> Graph:
    return graphs.build(trained)


@pytest.fixture(scope="session")
def calibration(splits: Splits, graph: Graph) -> RepresentativeDataset:
    return representative_dataset(splits.train, FASHION_MNIST, graph.normalization, 100)


@pytest.fixture(scope="session")
def residual() -> Graph:
    """All that MobileNetV2 is made of, small: random weights, enlarged images."""
    keras.utils.set_random_seed(0)
    image = keras.Input((40, 40, 1))
    start = keras.layers.ReLU(6.0, name="first_relu")(
        keras.layers.Conv2D(8, 3, 2, "same", name="first")(image)
    )
    wide = keras.layers.ReLU(6.0, name="expand_relu")(keras.layers.Conv2D(16, 1, name="expand")(start))
    padded = keras.layers.ZeroPadding2D(((0, 1), (0, 1)), name="pad")(wide)
    deep = keras.layers.DepthwiseConv2D(3, 2, name="depthwise")(padded)
    deep = keras.layers.ReLU(6.0, name="depthwise_relu")(deep)
    narrow = keras.layers.Conv2D(8, 1, name="project")(deep)
    again = keras.layers.Conv2D(8, 1, name="again")(narrow)
    added = keras.layers.Add(name="add")([narrow, again])
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(added)
    logits = keras.layers.Dense(10, bias_initializer="random_normal", name="logits")(pooled)
    model = keras.Model(image, logits, name="small")

    def resize(images: Any) -> Any:
        return tf.image.resize(images, (40, 40))

    return Graph(
        FASHION_MNIST, model, replace(ARCHITECTURES["cnn"], expand=resize, resize=resize), model, resize
    )


@pytest.fixture
def soon_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a file costs is measured for no longer than it takes to have a figure."""
    soon = replace(BenchmarkOptions().lasting(0.01), in_process=True)
    monkeypatch.setattr(benchmarking, "measure", partial(benchmarking.measure, protocol=soon))
