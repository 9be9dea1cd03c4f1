from dataclasses import replace

import numpy as np
import pytest

from edgefashion.data import Splits
from edgefashion.errors import BadInput
from edgefashion.models import Normalisation
from export.calibration import RepresentativeDataset, representative_dataset

HALVES = Normalisation(scale=1 / 127.5, zero_point=127)


def test_it_is_normalised_as_in_training(calibration: RepresentativeDataset) -> None:
    assert calibration.images.dtype == np.float32
    assert calibration.images.shape == (100, 28, 28, 1)
    assert calibration.images.min() == 0
    assert calibration.images.max() == 1


def test_it_is_drawn_from_train_and_nothing_else(splits: Splits) -> None:
    blank = replace(splits.train, images=np.zeros_like(splits.train.images))
    only_others = replace(splits, train=blank)
    drawn = representative_dataset(only_others, HALVES, 200)
    assert np.unique(drawn.images).tolist() == pytest.approx([-127 / 127.5])


def test_equal_seeds_draw_equal_images_and_others_do_not(splits: Splits) -> None:
    first, again, other = (representative_dataset(splits, HALVES, 50, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.images, again.images)
    assert first.manifest == again.manifest
    assert first.manifest["indices_sha256"] != other.manifest["indices_sha256"]


def test_the_manifest_tells_what_was_drawn(calibration: RepresentativeDataset) -> None:
    manifest = calibration.manifest
    assert (manifest["split"], manifest["count"], manifest["seed"]) == ("train", 100, 0)
    assert manifest["class_counts"] == [10] * 10
    assert manifest["pixels"]["max"] == 255
    assert manifest["normalised"]["mean"] == pytest.approx(calibration.images.mean(), abs=1e-5)


def test_more_images_than_there_are_is_bad_input(splits: Splits) -> None:
    with pytest.raises(BadInput, match="cannot draw 5000"):
        representative_dataset(splits, HALVES, 5000)
