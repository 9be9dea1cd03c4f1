import shutil
from pathlib import Path

import numpy as np
import pytest

from edgefashion.data import Splits
from edgefashion.errors import RunError
from edgefashion.export.graph import graph as graphs
from edgefashion.export.graph.graph import Graph
from edgefashion.training.runs import Run


def test_both_graphs_say_what_the_keras_model_says(graph: Graph, splits: Splits) -> None:
    pixels = splits.test.images[:50]
    expected = graph.predict(pixels)
    assert expected.shape == (50, 10)
    np.testing.assert_allclose(graph.from_pixels(pixels), expected, atol=1e-4)
    np.testing.assert_allclose(graph.from_normalized(graph.normalization(pixels)), expected, atol=1e-4)


def test_a_model_file_that_keras_cannot_read_is_named(trained: Run, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(trained.folder, folder)
    (folder / "model.keras").write_bytes(b"not a zip")
    with pytest.raises(RunError, match=r"model\.keras is no cnn of this project: File is not a zip file"):
        graphs.build(Run(folder, trained.info))
