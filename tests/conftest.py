"""What several test files share."""

from pathlib import Path

import pytest

from edgefashion.data import Dataset, load


@pytest.fixture(scope="session")
def sample_folder() -> Path:
    """A declared subset of Fashion-MNIST: 1,200 training and 400 test images."""
    return Path(__file__).parent / "data/fashion-mnist-sample"


@pytest.fixture(scope="session")
def sample(sample_folder: Path) -> Dataset:
    return load(sample_folder)
