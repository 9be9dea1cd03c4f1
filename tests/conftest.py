"""What several test files share."""

from pathlib import Path

import pytest

from edgefashion.data import Dataset, idx, load, mirrors, sources


@pytest.fixture(scope="session")
def sample_folder() -> Path:
    """A declared subset of Fashion-MNIST: 1,200 training and 400 test images."""
    return Path(__file__).parent / "data/fashion-mnist-sample"


@pytest.fixture(scope="session")
def sample(sample_folder: Path) -> Dataset:
    return load(sample_folder)


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sample: Dataset) -> Path:
    """A machine without the data set, where the sample counts as all of it. Gives the cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache home"))
    monkeypatch.delenv(sources.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(sources, "DEBIAN_FOLDER", tmp_path / "not installed")
    monkeypatch.setattr(mirrors, "MIRRORS", ())
    for name, checksum in sample.checksums.items():
        monkeypatch.setitem(idx.OFFICIAL, name, checksum)
    return sources.cache_folder()
