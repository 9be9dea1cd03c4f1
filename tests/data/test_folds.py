"""Folds: each image is tested on once, and what belongs together stays together."""

from dataclasses import replace

import numpy as np
import pytest

from edgefashion.data import Dataset, Subset
from edgefashion.data.folds import folds, part, whole
from edgefashion.data.splits import set_aside
from edgefashion.errors import BadInput, DataError

COUNT = 4


def made(sample: Dataset, *, own_test: bool = False) -> Dataset:
    """90 images of two classes, one of them rare, with a number each; keys as of pictures, some shared."""
    keys = np.random.default_rng(0).random(90)
    keys[:6] = keys[0]
    labels = (np.arange(90) >= 60).astype(np.uint8)
    images = np.broadcast_to(np.arange(90, dtype=np.uint8)[:, None, None, None], (90, 2, 2, 1))
    whole = Subset(images, labels, np.arange(90), keys)
    train, validation, test = (whole.take(np.arange(90)[start::3]) for start in range(3))
    task = replace(sample.task, name="made", image_shape=(2, 2, 1), classes=("a", "b"))
    sums = {"pictures": "0" * 64}
    return Dataset("made", sample.folder, sums, train, test, task, validation=validation, own_test=own_test)


def numbers(subset: Subset) -> list[int]:
    return sorted(int(image[0, 0, 0]) for image in np.asarray(subset.images))


def test_each_image_is_tested_on_once_by_a_model_that_did_not_learn_from_it(sample: Dataset) -> None:
    found = folds(made(sample), COUNT)
    assert sorted(number for fold in found for number in numbers(fold.test)) == list(range(90))
    for fold in found:
        assert sorted(numbers(fold.train) + numbers(fold.test)) == list(range(90))
        assert fold.validation is None
    assert len({fold.checksums["fold"] for fold in found}) == COUNT


def test_every_fold_has_its_share_of_each_class(sample: Dataset) -> None:
    rare = [int((fold.test.labels == 1).sum()) for fold in folds(made(sample), COUNT)]
    assert sorted(rare) == [7, 7, 8, 8]


def test_what_belongs_together_is_in_one_fold(sample: Dataset) -> None:
    places = [
        number
        for number, fold in enumerate(folds(made(sample), COUNT))
        if {0, 1, 2, 3, 4, 5} & {*numbers(fold.test)}
    ]
    assert len(places) == 1


def test_declared_test_images_stay_out(sample: Dataset) -> None:
    data = made(sample, own_test=True)
    tested = [number for fold in folds(data, COUNT) for number in numbers(fold.test)]
    assert sorted(tested) == sorted(numbers(data.train) + numbers(data.validation or data.test))
    last = whole(data, COUNT)
    assert numbers(last.test) == numbers(data.test)
    assert not {*numbers(last.train)} & {*numbers(data.test)}


def test_the_last_model_learns_from_all_but_what_chooses_its_epoch(sample: Dataset) -> None:
    last = whole(made(sample), COUNT)
    assert last.validation is not None
    assert sorted(numbers(last.train) + numbers(last.validation)) == list(range(90))
    assert numbers(last.test) == numbers(last.validation)
    assert len(last.validation) == 7


def test_the_images_of_the_last_model_are_counted_once(sample: Dataset) -> None:
    drawn = replace(sample, own_test=False)
    assert whole(drawn, 4).count == drawn.count == 1600
    assert whole(sample, 4).count == sample.count == 1600


def test_what_was_recorded_is_found_again(sample: Dataset) -> None:
    data = made(sample)
    for fold in (*folds(data, COUNT), whole(data, COUNT)):
        recorded = fold.describe()
        assert recorded.fold
        again = part(data, recorded.fold)
        assert (numbers(again.train), again.checksums) == (numbers(fold.train), fold.checksums)


@pytest.mark.parametrize(("count", "said"), [(1, "make it 2 or more"), (31, "too few for 31 folds")])
def test_folds_that_cannot_be(count: int, said: str, sample: Dataset) -> None:
    with pytest.raises(BadInput, match=said):
        folds(made(sample), count)


def grouped(sample: Dataset, groups: int) -> Dataset:
    """90 pictures in so many groups of different sizes, each of one class."""
    data = made(sample)
    together = whole(data, COUNT)
    everything = together.train
    labels = everything.labels
    keys = (np.arange(len(labels)) ** 2 % groups + groups * labels + 0.5) / (2 * groups)
    return replace(
        data, train=replace(everything, keys=keys), validation=None, test=everything.take(labels[:0])
    )


def test_a_group_is_never_both_learned_from_and_validated_on(sample: Dataset) -> None:
    data = grouped(sample, 17)
    for part_of_it in (*folds(data, 2), whole(data, 2)):
        train, validation = set_aside(part_of_it)
        assert train.keys is not None and validation.keys is not None
        assert not {*train.keys} & {*validation.keys}
        assert {*train.labels} == {*validation.labels} == {0, 1}
        assert len(validation) < len(train)


def test_a_group_of_several_classes_is_set_aside_as_a_whole(sample: Dataset) -> None:
    data = made(sample)
    keys = np.arange(len(data.train)) // 5 % 5 / 5
    train, validation = set_aside(replace(data, train=replace(data.train, keys=keys), validation=None))
    assert train.keys is not None and validation.keys is not None
    assert not {*train.keys} & {*validation.keys}
    assert {*train.labels} == {*validation.labels} == {0, 1}


def test_too_few_groups_are_said_to_be_groups(sample: Dataset) -> None:
    with pytest.raises(BadInput, match=r"the class . has [123] groups of pictures, too few for 5 folds"):
        folds(grouped(sample, 3), 5)
    one = made(sample)
    lone = replace(one.train, keys=one.train.labels / 2)
    with pytest.raises(DataError, match="the class a has 1 training groups of pictures"):
        set_aside(replace(one, train=lone, validation=None))
