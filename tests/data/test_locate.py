"""Where the data set is looked for, in which order, and what the cache holds."""

import gzip
import shutil
from pathlib import Path

import pytest

from edgefashion.data import load_dataset, locate
from edgefashion.data.fashion_mnist import FILES, TEST_IMAGES, TEST_LABELS
from edgefashion.data.idx import gzip_path
from edgefashion.errors import DataError


@pytest.fixture
def installed(nowhere: Path, sample_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Debian package is installed."""
    monkeypatch.setattr(locate, "PACKAGE_FOLDER", sample_folder)
    return sample_folder


@pytest.fixture
def cached(nowhere: Path, sample_folder: Path) -> Path:
    """The cache is full."""
    shutil.copytree(sample_folder, nowhere)
    (nowhere / "source.txt").write_text("somebody\n")
    return nowhere


def test_the_cache_is_where_the_system_keeps_caches(nowhere: Path, tmp_path: Path) -> None:
    assert nowhere == tmp_path / "cache home/edgefashion/fashion-mnist"


def test_a_named_folder_is_taken_before_everything(
    cached: Path, sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFASHION_DATA", str(tmp_path / "absent"))
    assert load_dataset(sample_folder).folder == sample_folder


def test_the_variable_is_taken_before_the_cache(
    cached: Path, sample_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFASHION_DATA", str(sample_folder))
    assert load_dataset().source == f"folder {sample_folder} (EDGEFASHION_DATA)"
    monkeypatch.setenv("EDGEFASHION_DATA", "")
    assert load_dataset().folder == cached


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_named_folder_that_lacks_files_is_not_passed_over(
    cached: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("EDGEFASHION_DATA", str(empty))
    with pytest.raises(DataError, match="empty holds no pictures sorted by class"):
        load_dataset(None if by_variable else empty)


def test_the_cache_is_taken_before_the_package(cached: Path, installed: Path) -> None:
    dataset = load_dataset()
    assert dataset.folder == cached
    assert dataset.source == "user's cache, fetched from somebody"
    (cached / "source.txt").unlink()
    assert load_dataset().source == "user's cache"


def test_the_package_is_read_where_it_lies(installed: Path, nowhere: Path) -> None:
    dataset = load_dataset()
    assert dataset.folder == installed
    assert dataset.source == "Debian package dataset-fashion-mnist"
    assert dataset.complete
    assert not nowhere.exists()


def test_a_cache_cannot_declare_a_part(cached: Path, installed: Path) -> None:
    """SHA256SUMS counts in a folder that a user names, not in one that fills itself."""
    labels = gzip_path(cached, TEST_LABELS)
    labels.write_bytes(gzip.compress(gzip.decompress(labels.read_bytes())[:-1] + b"\0"))
    (cached / "SHA256SUMS").write_text("")
    assert load_dataset().folder == installed


def test_nothing_bad_stays_in_the_cache(cached: Path, installed: Path) -> None:
    gzip_path(cached, TEST_IMAGES).write_bytes(b"half a file")
    gzip_path(cached, TEST_LABELS).write_bytes(gzip.compress(b"another file"))
    lines: list[str] = []
    assert load_dataset(report=lines.append).folder == installed
    assert not gzip_path(cached, TEST_IMAGES).exists()
    assert not gzip_path(cached, TEST_LABELS).exists()
    assert len(lines) == 2
    assert any("deleted from the cache" in line and "not a gzip file" in line for line in lines)
    assert any("deleted from the cache" in line and "wrong checksum" in line for line in lines)


def test_a_damaged_package_is_reported_and_left(
    nowhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    monkeypatch.setattr(locate, "PACKAGE_FOLDER", broken)
    lines: list[str] = []
    with pytest.raises(DataError):
        load_dataset(report=lines.append)
    assert lines[0].startswith(f"{broken} lacks ")


def test_offline_with_nothing_names_the_two_ways_out(nowhere: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset(report=lambda line: None)
    message = str(caught.value)
    assert "\n" not in message
    assert "sudo apt install dataset-fashion-mnist" in message
    assert "load_dataset(FOLDER) or EDGEFASHION_DATA" in message
    assert all(f"{name}.gz" in message for name in FILES)
    assert [path.name for path in nowhere.iterdir()] == ["lock"]


def test_a_cache_that_cannot_be_written_is_named(nowhere: Path) -> None:
    nowhere.parent.mkdir(parents=True)
    nowhere.write_text("a file in the place of the folder")
    with pytest.raises(DataError, match=f"cannot write to the cache {nowhere}: .*XDG_CACHE_HOME"):
        load_dataset(report=lambda line: None)


def test_who_asks_hears_of_it_and_nothing_is_printed(
    nowhere: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lines: list[str] = []
    with pytest.raises(DataError):
        load_dataset(report=lines.append)
    assert any("no apt on this machine" in line for line in lines)
    assert capfd.readouterr() == ("", "")
