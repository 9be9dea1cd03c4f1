"""Data sets of tasks of their own: the four files with a task.json beside them."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from edgefashion.cli._group import cli
from edgefashion.data import FASHION_MNIST, Dataset, Task, load_dataset, split, stratified_sample
from edgefashion.data.describe import description
from edgefashion.data.fashion_mnist import FILES, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from edgefashion.data.idx import pack
from edgefashion.errors import DataError

Refusal = Callable[[Path], str]


@pytest.fixture
def folder(other_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(other_folder, tmp_path / "data")


def write(folder: Path, task: Task, images: Any, labels: Any) -> Path:
    """A data set whose test images are those that it has to learn from."""
    folder.mkdir()
    (folder / "task.json").write_text(json.dumps(task.to_dict()))
    for image_file, label_file in ((TRAIN_IMAGES, TRAIN_LABELS), (TEST_IMAGES, TEST_LABELS)):
        (folder / image_file).write_bytes(pack(images))
        (folder / label_file).write_bytes(pack(labels))
    return folder


def test_a_data_set_is_of_the_task_beside_it(other: Dataset) -> None:
    assert other.task.classes == ("shoe", "top", "bag")
    assert other.train.images.shape == (240, 40, 24, 3)
    assert other.test.images.dtype == other.test.labels.dtype == np.uint8
    assert np.bincount(other.test.labels).tolist() == [20, 20, 20]
    assert other.complete
    assert set(other.checksums) == {*FILES, "task.json"}


def test_the_same_files_with_other_classes_are_other_data(folder: Path, other: Dataset) -> None:
    task = replace(other.task, classes=("boot", "top", "bag"))
    (folder / "task.json").write_text(json.dumps(other.task.to_dict(), indent=8))
    assert load_dataset(folder).checksums == other.checksums
    (folder / "task.json").write_text(json.dumps(task.to_dict()))
    changed = load_dataset(folder).checksums
    assert {name for name in changed if changed[name] != other.checksums[name]} == {"task.json"}


def test_its_description_names_its_classes(other: Dataset) -> None:
    text = description(other)
    assert text.startswith("wardrobe (complete) from folder ")
    assert "60 x 40 x 24 x 3" in text
    assert not any(name in text for name in FASHION_MNIST.classes)


def test_its_splits_have_every_class(other: Dataset) -> None:
    splits = split(other)
    assert splits.task == other.task
    assert np.bincount(splits.validation.labels).tolist() == [6, 6, 6]


def test_checksums_are_checked_where_they_are_declared(
    folder: Path, other: Dataset, refusal: Refusal
) -> None:
    sums = {**other.checksums, TEST_LABELS: "0" * 64}
    (folder / "SHA256SUMS").write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))
    assert re.search("wrong checksum.*correct SHA256SUMS there", refusal(folder))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "damaged"),
        (b"[1, 2", "damaged"),
        (b"{}", "it lacks name"),
        (b'{"name": 3}', "name: expected a text, got a whole number"),
        (
            b'{"name": "x", "image_shape": [28, 28], "classes": ["a", "b"]}',
            "image_shape: expected a list of length 3, got 2",
        ),
        (b"[" * 100_000, "damaged"),
        (b" " * (2 << 20), "too many for the task of a data set"),
        (b'{"name": "\xff"}', "task.json"),
    ],
)
def test_what_is_no_task_is_one_line(folder: Path, content: bytes, said: str, refusal: Refusal) -> None:
    (folder / "task.json").write_bytes(content)
    message = refusal(folder)
    assert said in message
    assert message.endswith("image_shape as [height, width, channels], and classes as a list")
    done = CliRunner().invoke(cli, ["data", "--data", str(folder)])
    assert isinstance(done.exception, DataError)
    assert done.exception.exit_code == 2


def test_a_task_that_is_a_folder_is_not_passed_over(folder: Path, refusal: Refusal) -> None:
    (folder / "task.json").unlink()
    (folder / "task.json").mkdir()
    assert "Is a directory" in refusal(folder)


def test_images_must_be_those_of_the_task(folder: Path, other: Dataset, refusal: Refusal) -> None:
    (folder / TRAIN_IMAGES).write_bytes(pack(other.train.images.transpose(0, 2, 1, 3)))
    assert "images of 24 x 40 x 3 pixels, expected 40 x 24 x 3" in refusal(folder)
    (folder / TRAIN_IMAGES).write_bytes(pack(other.train.images[..., :1]))
    assert "wrong magic number: 0x00000803, expected 0x00000804" in refusal(folder)


def test_a_file_that_promises_more_than_memory_holds_is_refused(folder: Path, refusal: Refusal) -> None:
    (folder / TRAIN_IMAGES).write_bytes(b"\0\0\x08\x04" + b"\xff" * 16 + b"\0" * 100)
    assert "images of 4294967295" in refusal(folder) or "wrong count" in refusal(folder)
    with (folder / TRAIN_IMAGES).open("wb") as file:
        file.truncate(1 << 34)
    assert "has more than" in refusal(folder)


def test_labels_must_be_those_of_classes(folder: Path, other: Dataset, refusal: Refusal) -> None:
    (folder / TEST_LABELS).write_bytes(pack(other.test.labels + 1))
    assert "label out of range: 3, expected 0 to 2" in refusal(folder)


@pytest.mark.parametrize("count", [256, 257, 1000])
def test_up_to_1000_classes_have_labels_of_their_own(count: int, tmp_path: Path) -> None:
    task = replace(
        FASHION_MNIST, name="many", image_shape=(6, 5, 1), classes=tuple(f"c{n}" for n in range(count))
    )
    labels = np.tile(np.arange(count), 2).astype(task.label_dtype)
    images = np.arange(2 * count * 30, dtype=np.uint64).astype(np.uint8).reshape(-1, 6, 5, 1)
    found = load_dataset(write(tmp_path / "many", task, images, labels))
    assert found.train.labels.dtype == task.label_dtype
    assert (found.test.labels == labels).all()
    assert (found.test.images == images).all()
    drawn = stratified_sample(found.test, count, seed=0)
    assert sorted(drawn.labels) == list(range(count))
    assert sorted(split(found).validation.labels) == list(range(count))


def test_labels_of_16_bits_below_0_are_refused(tmp_path: Path, refusal: Refusal) -> None:
    task = replace(FASHION_MNIST, classes=tuple(f"c{n}" for n in range(300)))
    images = np.zeros((600, *task.image_shape), np.uint8)
    folder = write(tmp_path / "many", task, images, np.full(600, 0xFFFF, np.uint16))
    assert "label out of range: -1, expected 0 to 299" in refusal(folder)


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_is_drawn_in_its_colors(channels: int, other: Dataset, tmp_path: Path) -> None:
    from matplotlib.image import imread

    from edgefashion.data.plot import plot_image

    images = other.train.images[..., :channels].copy()
    images[..., 0], images[..., 1:] = 255, 0
    plot_image(replace(other.train, images=images), other.task, 0, tmp_path / "one.png")
    drawn = imread(tmp_path / "one.png")[300, 300, :3]
    assert drawn.tolist() == ([1, 0, 0] if channels == 3 else [1, 1, 1])
    plot_image(replace(other.train, images=images[..., :1]), FASHION_MNIST, 0, tmp_path / "one.png")
    assert imread(tmp_path / "one.png")[300, 300, :3].tolist() == [0, 0, 0]  # clothing, as on paper


def test_a_grid_of_many_classes_is_bounded_and_their_names_are_no_formulas(tmp_path: Path) -> None:
    from edgefashion.data import Subset
    from edgefashion.data.plot import plot_grid

    task = replace(FASHION_MNIST, classes=tuple(rf"$\frac{number}$" for number in range(300)))
    labels = np.arange(300).astype(task.label_dtype)
    subset = Subset(np.zeros((300, 28, 28, 1), np.uint8), labels, np.arange(300))
    plot_grid(subset, task, tmp_path / "grid.svg")
    drawn = (tmp_path / "grid.svg").read_text()
    assert "100 of 300 classes" in drawn
    assert "frac99" in drawn
    assert "frac100" not in drawn
