"""One trained model, its graph and its representative dataset, for every test of the exporters."""

import pytest

from edgefashion.data import Dataset, Splits, split
from edgefashion.runs import Run
from export import graph as graphs
from export.calibration import RepresentativeDataset, representative_dataset
from export.graph import Graph


@pytest.fixture(scope="session")
def splits(sample: Dataset) -> Splits:
    return split(sample)


@pytest.fixture(scope="session")
def graph(trained: Run) -> Graph:
    return graphs.build(trained)


@pytest.fixture(scope="session")
def calibration(splits: Splits, graph: Graph) -> RepresentativeDataset:
    return representative_dataset(splits.train, graph.normalisation, 100)
