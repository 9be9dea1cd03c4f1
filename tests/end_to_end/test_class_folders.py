"""Fashion-MNIST written out as PNG files in class folders is the data set that the IDX files are."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgefashion.data import Dataset, Subset, load_dataset, split
from edgefashion.recipes import RECIPES


def written(dataset: Dataset, folder: Path) -> Path:
    """The splits of a data set as class folders, each picture called by its place in the IDX file."""
    splits = split(dataset)
    for name, part in (("train", splits.train), ("val", splits.validation), ("test", splits.test)):
        for image, label, index in zip(part.images[:], part.labels, part.indices, strict=True):
            path = folder / name / str(label) / f"{index:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[..., 0]).save(path)
    return folder


@pytest.fixture(scope="module")
def folder(sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """It, and a cache of images for these tests alone."""
    made = tmp_path_factory.mktemp("folders")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(made / "cache"))
        yield written(sample, made / "fashion")


@pytest.fixture
def undeclared(sample_folder: Path, tmp_path: Path) -> Dataset:
    """The IDX files without what says that they are of Fashion-MNIST: of classes called 0 to 9."""
    copied = shutil.copytree(sample_folder, tmp_path / "digits")
    (copied / "SHA256SUMS").unlink()
    return load_dataset(copied)


def same(one: Subset, other: Subset) -> bool:
    return bool(
        (one.labels == other.labels).all() and (np.asarray(one.images) == np.asarray(other.images)).all()
    )


def test_the_images_are_the_same_in_the_same_order(sample: Dataset, folder: Path) -> None:
    expected, found = split(sample), split(load_dataset(folder))
    assert found.task.image_shape == sample.task.image_shape
    assert found.task.classes == tuple("0123456789")
    assert same(found.train, expected.train)
    assert same(found.validation, expected.validation)
    assert same(found.test, expected.test)


def test_idx_files_that_nothing_is_said_of_are_the_same_too(undeclared: Dataset, folder: Path) -> None:
    expected, found = split(undeclared), split(load_dataset(folder))
    assert found.task.classes == expected.task.classes
    assert replace(found.task, name=expected.task.name) == expected.task
    assert same(found.train, expected.train)


def test_training_on_them_is_the_same_run_to_the_bit(sample: Dataset, folder: Path, tmp_path: Path) -> None:
    from edgefashion.tensorflow import keras
    from edgefashion.training.train import train

    recipe = replace(RECIPES["cnn"], epochs=1, limit=100)
    weights = {}
    for name, dataset in {"idx": sample, "folders": load_dataset(folder)}.items():
        run = train(recipe, dataset, tmp_path / "runs" / name)
        model = keras.models.load_model(run.model_path)
        weights[name] = b"".join(array.tobytes() for array in model.get_weights())
        assert run.task == dataset.task
    assert weights["idx"] == weights["folders"]
