from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgefashion.data import FASHION_MNIST, Splits, stratified_sample
from edgefashion.errors import BadInput
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization.calibration import RepresentativeDataset, representative_dataset
from edgefashion.files.stored import without_name
from edgefashion.models import Normalization

HALVES = Normalization(scale=1 / 127.5, zero_point=127)


def test_it_is_normalized_as_in_training(calibration: RepresentativeDataset) -> None:
    assert calibration.images.dtype == np.float32
    assert calibration.images.shape == (100, 28, 28, 1)
    assert calibration.images.min() == 0
    assert calibration.images.max() == 1


def test_equal_seeds_draw_equal_images_and_others_do_not(splits: Splits) -> None:
    first, again, other = (
        representative_dataset(splits.train, FASHION_MNIST, HALVES, 50, seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.images, again.images)
    assert first.manifest == again.manifest
    assert first.manifest["indices_sha256"] != other.manifest["indices_sha256"]


def test_the_manifest_tells_what_was_drawn(calibration: RepresentativeDataset) -> None:
    manifest = calibration.manifest
    assert (manifest["split"], manifest["count"], manifest["seed"]) == ("train", 100, 0)
    assert manifest["class_counts"] == [10] * 10
    assert manifest["pixels"]["max"] == 255
    assert manifest["normalised"]["mean"] == pytest.approx(calibration.images.mean(), abs=1e-5)


def test_images_in_a_file_are_drawn_as_those_in_memory(splits: Splits, tmp_path: Path) -> None:
    images = np.asarray(splits.train.images)
    stored = replace(splits.train, images=without_name(tmp_path, images.dtype, images.shape[1:], [images]))
    one, other = (representative_dataset(each, FASHION_MNIST, HALVES, 50) for each in (splits.train, stored))
    assert np.array_equal(one.pixels, other.pixels)
    assert one.manifest == other.manifest


def test_images_of_ones_own_are_calibrated_with_and_named_so(splits: Splits) -> None:
    own = representative_dataset(splits.test, FASHION_MNIST, HALVES, 30, split="given")
    assert own.manifest["split"] == "given"
    assert own.pixels.shape == (30, 28, 28, 1)


UNFIT = {
    "no image": (lambda own: own.take(np.arange(0)), "no images to calibrate with"),
    "shape": (lambda own: replace(own, images=own.images[..., 0]), r"shape \(1100, 28, 28\)"),
    "labels": (lambda own: replace(own, labels=own.labels[:5]), r"their labels \(5,\)"),
    "scaled": (lambda own: replace(own, images=own.images / 255), "float64 from 0 to 1: give raw pixels"),
    "signed": (lambda own: replace(own, images=own.images - np.int16(300)), "int16 from -300 to -45"),
    "blank": (lambda own: replace(own, images=np.full_like(own.images, 7)), "every pixel .* is 7"),
    "one class": (lambda own: own.take(np.flatnonzero(own.labels == 3)), "110 images .* all of class 3"),
    "too few": (lambda own: own.take(np.arange(40)), "50 images .* out of 40: ask for 1 to 40"),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_images_that_show_no_ranges_are_refused(kind: str, splits: Splits) -> None:
    spoil, message = UNFIT[kind]
    with pytest.raises(BadInput, match=message) as caught:
        representative_dataset(spoil(splits.train), FASHION_MNIST, HALVES, 50)
    assert "\n" not in str(caught.value)


def test_pixels_of_all_brightnesses_are_seen_where_the_images_have_none(splits: Splits) -> None:
    """Else a quantizer takes the darkest and the brightest for 0 and 255, and a pixel for another."""
    dull = replace(splits.train, images=splits.train.images // 2 + 50)
    found = representative_dataset(dull, FASHION_MNIST, HALVES, 50)
    assert (found.pixels.min(), found.pixels.max()) == (0, 255)
    assert (found.images.min(), found.images.max()) == pytest.approx(HALVES.range)
    assert (found.pixels != stratified_sample(dull, 50, seed=0).images).sum() == 2
    assert dull.images.min() == 50


def test_by_default_500_images_are_drawn_or_all_where_there_are_fewer() -> None:
    assert [ExportOptions().representative_size(images) for images in (222, 500, 55_000)] == [222, 500, 500]
    assert ExportOptions(calibration_images=300).representative_size(222) == 300  # and `check` refuses it
