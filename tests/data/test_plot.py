"""Pictures: drawn in every format, refused where they cannot be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgefashion.data import Dataset
from edgefashion.data.plot import plot_grid, plot_image
from edgefashion.errors import BadInput, MissingExtra, OutputError


def test_a_grid_has_the_shape_of_its_classes(sample: Dataset, tmp_path: Path) -> None:
    from matplotlib.image import imread

    plot_grid(sample.train, sample.task, tmp_path / "grid.png", per_class=4)
    pixels = imread(tmp_path / "grid.png")
    assert pixels.shape[0] > pixels.shape[1]  # ten classes down, four images across
    assert 0.02 < (pixels[..., :3].mean(axis=2) < 0.7).mean() < 0.7


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("PDF", b"%PDF")])
def test_one_image_in_each_format(sample: Dataset, tmp_path: Path, suffix: str, start: bytes) -> None:
    path = tmp_path / f"one.{suffix}"
    plot_image(sample.test, sample.task, 3, path)
    assert path.read_bytes().startswith(start)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("index", [-1, 400])
def test_an_image_that_is_not_there(sample: Dataset, tmp_path: Path, index: int) -> None:
    with pytest.raises(BadInput, match=rf"no image {index} among 400; give 0 to 399"):
        plot_image(sample.test, sample.task, index, tmp_path / "one.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["one.bmp", "one"])
def test_another_kind_of_picture(sample: Dataset, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"\.png, \.svg or \.pdf"):
        plot_image(sample.test, sample.task, 0, tmp_path / name)
    with pytest.raises(BadInput, match=r"\.png, \.svg or \.pdf"):
        plot_grid(sample.test, sample.task, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("home", ["home", "file"])
def test_matplotlib_obeys_no_file_of_the_current_folder_and_needs_no_home(home: str, tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nnonsense\n")
    (tmp_path / "home").mkdir()
    (tmp_path / "file").touch()
    code = """
from edgefashion import figures
figures.new_figure(1, 1)
import matplotlib
print(matplotlib.rcParams["text.usetex"])
"""
    own = {
        "XDG_CONFIG_HOME": str(tmp_path / home),
        "XDG_CACHE_HOME": str(tmp_path / home),
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ | own, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_without_matplotlib(sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"pip install .*\[plot\]"):
        plot_image(sample.test, sample.task, 0, tmp_path / "one.png")


def test_where_nothing_can_be_written(sample: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"):
        plot_image(sample.test, sample.task, 0, tmp_path / "file/one.png")
