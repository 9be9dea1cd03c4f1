"""Splits and samples: stratified, disjoint, and the same everywhere."""

import hashlib

import numpy as np
import pytest

from edgefashion.data import Dataset, Subset, split, stratified_sample
from edgefashion.errors import BadInput, DataError


def made(labels: list[int]) -> Subset:
    count = len(labels)
    images = np.zeros((count, 28, 28, 1), np.uint8)
    return Subset(images, np.array(labels, np.uint8), np.arange(count, dtype=np.int64))


def classes(subset: Subset) -> list[int]:
    return [int(count) for count in np.bincount(subset.labels, minlength=10)]


def of_full_size(sample: Dataset) -> Dataset:
    return Dataset(
        "made", sample.folder, {}, made([0, 1, 2, 3, 4, 5, 6, 7, 8, 9] * 6000), sample.test, sample.task
    )


def test_the_whole_set_splits_into_55000_and_5000(sample: Dataset) -> None:
    splits = split(of_full_size(sample))
    assert classes(splits.train) == [5500] * 10
    assert classes(splits.validation) == [500] * 10
    together = np.concatenate([splits.train.indices, splits.validation.indices])
    assert np.array_equal(np.sort(together), np.arange(60_000))


def test_the_split_never_changes(sample: Dataset) -> None:
    """Results measured with another split could not be compared with those published."""
    indices = split(of_full_size(sample)).validation.indices
    assert indices[:5].tolist() == [41, 43, 48, 49, 54]
    assert hashlib.sha256(indices.astype("<i8").tobytes()).hexdigest()[:16] == "34d26dbe3a426b6c"


def test_a_part_gives_one_in_twelve_of_each_class(sample: Dataset) -> None:
    splits = split(sample)
    assert classes(splits.train) == [110] * 10
    assert classes(splits.validation) == [10] * 10
    assert splits.test is sample.test
    assert np.array_equal(sample.train.images[splits.validation.indices], splits.validation.images)
    assert np.array_equal(sample.train.labels[splits.validation.indices], splits.validation.labels)


def test_a_small_class_gives_one_and_a_single_image_cannot_be_shared(sample: Dataset) -> None:
    small = Dataset("made", sample.folder, {}, made(list(range(10)) * 2), sample.test, sample.task)
    assert classes(split(small).validation) == [1] * 10
    lone = Dataset("made", sample.folder, {}, made([*range(10), *range(9)]), sample.test, sample.task)
    with pytest.raises(DataError, match="the class Ankle boot has 1 training images"):
        split(lone)


def test_a_limit_holds_for_all_three(sample: Dataset) -> None:
    splits = split(sample, limit=50)
    assert [classes(part) for part in (splits.train, splits.validation, splits.test)] == [[5] * 10] * 3
    wide = split(sample, limit=300)
    assert [len(part) for part in (wide.train, wide.validation, wide.test)] == [300, 100, 300]
    assert set(splits.train.indices) < set(wide.train.indices) < set(split(sample).train.indices)
    assert not set(wide.train.indices) & set(split(sample).validation.indices)


@pytest.mark.parametrize("limit", [-1, 0, 9])
def test_a_limit_that_leaves_classes_empty(sample: Dataset, limit: int) -> None:
    with pytest.raises(BadInput, match=f"a limit of {limit} images"):
        split(sample, limit)


def test_a_sample_is_equal_per_class_as_far_as_it_goes() -> None:
    subset = made([0] * 50 + [1] * 3 + [2] * 50)
    assert classes(stratified_sample(subset, 43, seed=1))[:3] == [20, 3, 20]
    assert sorted(classes(stratified_sample(subset, 8, seed=1))[:3]) == [2, 3, 3]


def test_a_sample_depends_on_its_seed_only(sample: Dataset) -> None:
    one, same, other = (stratified_sample(sample.train, 100, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.indices, same.indices)
    assert np.array_equal(one.indices, np.sort(one.indices))
    assert not np.array_equal(one.indices, other.indices)
    assert np.array_equal(one.images, sample.train.images[one.indices])


def test_all_of_a_subset_can_be_drawn_and_not_more(sample: Dataset) -> None:
    assert np.array_equal(stratified_sample(sample.test, 400, 1).images, sample.test.images)
    for count in (0, 401):
        with pytest.raises(BadInput, match=f"cannot draw {count} images out of 400"):
            stratified_sample(sample.test, count, 1)
