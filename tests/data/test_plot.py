"""Pictures: drawn in every format, refused where they cannot be."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.data import Dataset
from edgefashion.data.plot import plot_grid, plot_image
from edgefashion.errors import BadInput, MissingExtra, OutputError
from edgefashion.task import Picture, Task

FigureOf = Callable[[Callable[[Path], object]], Any]
OTHER = Task("wardrobe", (28, 28, 1), (), Picture("pad", (255,), (255,)))


def test_a_grid_names_each_class_above_its_images(sample: Dataset, figure_of: FigureOf) -> None:
    figure = figure_of(lambda path: plot_grid(sample.train, sample.task, path))
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == list(sample.task.classes)
    assert len(axes.images) == 10
    said = [text.get_text() for text in figure.texts]
    assert said[0] == "Fashion-MNIST" and "inverted" in said[-1]


@pytest.mark.parametrize("count", [2, 120])
def test_a_page_has_room_for_any_number_of_classes(count: int, sample: Dataset, figure_of: FigureOf) -> None:
    names = tuple(f"kind {number} with quite a long name of its own" for number in range(count))
    task = replace(OTHER, classes=names)
    labels = (np.arange(len(sample.train)) % count).astype(np.uint8)
    figure = figure_of(lambda path: plot_grid(replace(sample.train, labels=labels), task, path))
    (axes,) = figure.axes
    assert len(axes.texts) == min(count, 100) and figure.get_figheight() < 16
    assert (f"100 of {count}" in figure.texts[2].get_text()) == (count > 100)


def test_one_image_says_which_it_is(sample: Dataset, figure_of: FigureOf) -> None:
    figure = figure_of(lambda path: plot_image(sample.test, sample.task, 3, path))
    said = [text.get_text() for text in figure.texts]
    assert said[0] == sample.task.classes[sample.test.labels[3]]
    assert "image 3 of 400 of Fashion-MNIST, counted from 0" in said


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
