"""How a model wants its pixels is found out by asking it."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from edgefashion.data import Dataset, Splits, Subset, split
from edgefashion.importing.network.imported import Preprocessing
from edgefashion.importing.preprocessing.pool import pool_of
from edgefashion.importing.preprocessing.preprocessing import (
    NAMES,
    Answer,
    Tried,
    composed,
    of_name,
    page,
    race,
    usual,
)


@pytest.fixture(scope="module")
def splits(sample: Dataset) -> Splits:
    """In color: a class is brighter in one channel than in the others."""
    found = split(sample)
    tints = np.random.default_rng(3).uniform(0.2, 1, (10, 3))

    def dyed(subset: Subset) -> Subset:
        images = 255 - (255 - subset.images[:]) * tints[subset.labels][:, None, None]
        return replace(subset, images=np.round(images).astype(np.uint8))

    return replace(found, train=dyed(found.train), validation=dyed(found.validation))


def prepared(pixels: npt.NDArray[np.uint8], way: Preprocessing) -> npt.NDArray[np.float64]:
    return (pixels[..., ::-1] if way.bgr else pixels) * np.float64(way.scale) + np.float64(way.offset)


def model_of(way: Preprocessing, train: Subset) -> Answer:
    """A model of class means, trained on pixels that are prepared one way."""

    def features(pixels: npt.NDArray[np.uint8], other: Preprocessing) -> npt.NDArray[np.float64]:
        return prepared(pixels[:, ::4, ::4], other).reshape(len(pixels), -1)

    known = features(np.asarray(train.images), way)
    means = np.stack([known[train.labels == label].mean(axis=0) for label in range(10)])

    def answer(pixels: npt.NDArray[np.uint8], other: Preprocessing) -> npt.NDArray[np.float32]:
        distances = ((features(pixels, other)[:, None] - means) ** 2).sum(axis=2)
        return np.asarray(-distances, np.float32)

    return answer


def asked(splits: Splits, answer: Answer) -> list[Tried]:
    return race(usual(3, splits.train), answer, pool_of(splits), 10, True)


@pytest.mark.parametrize("name", NAMES)
def test_each_usual_way_is_found(splits: Splits, name: str) -> None:
    way = of_name(name, 3, splits.train)
    left = asked(splits, model_of(way, splits.train))
    assert left[0].name == name
    assert left[0].by_chance < 1e-6
    assert left[0].order is None


def test_blue_first_is_found(splits: Splits) -> None:
    way = replace(of_name("torch", 3, splits.train), bgr=True)
    left = asked(splits, model_of(way, splits.train))
    assert left[0].name == "torch, BGR"


def test_what_is_worse_by_more_than_chance_is_tried_on_the_first_pictures_only(splits: Splits) -> None:
    ways = usual(3, splits.train)
    answer = model_of(of_name("unit", 3, splits.train), splits.train)
    (best, *_) = race(ways, answer, pool_of(splits), 10, True)
    counts = {each.name: len(each.labels) for each in ways}
    assert counts["none"] == counts["caffe"] == 100
    assert counts[best.name] == max(counts.values())
    shown = [cells[0] for cells in page(ways).tables[0].cells]
    assert shown[0] == "unit"
    assert len(shown) == len(ways) == 11


def test_guesses_are_chance(splits: Splits) -> None:
    chance = np.random.default_rng(0)

    def guess(pixels: npt.NDArray[np.uint8], _: Preprocessing) -> npt.NDArray[np.float32]:
        return chance.random((len(pixels), 10)).astype(np.float32)

    assert asked(splits, guess)[0].by_chance > 1e-3

    def blind(pixels: npt.NDArray[np.uint8], _: Preprocessing) -> npt.NDArray[np.float32]:
        return np.eye(10, dtype=np.float32)[np.zeros(len(pixels), int)]

    assert asked(splits, blind)[0].by_chance > 1e-3


def test_the_order_of_the_outputs_is_found_with_the_preprocessing(splits: Splits) -> None:
    turned = np.roll(np.arange(10), 3)
    plain = model_of(of_name("tf", 3, splits.train), splits.train)

    def answer(pixels: npt.NDArray[np.uint8], way: Preprocessing) -> npt.NDArray[np.float32]:
        return plain(pixels, way)[:, turned]

    (best, *_) = asked(splits, answer)
    assert best.name == "tf"
    assert best.order is not None
    assert best.order.tolist() == turned.tolist()


def test_what_another_may_be_better_by() -> None:
    labels = np.zeros(400, np.intp)
    best = Tried("best", Preprocessing((1.0,), (0.0,)), np.zeros(400, np.intp), labels)
    same, few = (replace(best, outputs=(np.arange(400) < wrong).astype(np.intp)) for wrong in (0, 40))
    assert same.could_gain(best) < 0.01
    assert few.could_gain(best) < 0
    apart = replace(best, outputs=(np.arange(400) >= 380).astype(np.intp))
    assert apart.could_gain(replace(best, outputs=(np.arange(400) < 20).astype(np.intp))) > 0.02


def test_of_gray_images_there_are_ways_of_one_channel(sample: Dataset) -> None:
    ways = usual(1, sample.train)
    assert [each.name for each in ways] == list(NAMES)
    assert {len(each.preprocessing.scale) for each in ways} == {1}
    assert not any(each.preprocessing.bgr for each in ways)


def test_what_the_file_does_itself_comes_after() -> None:
    outer, inner = Preprocessing((2.0, 3.0, 4.0), (0.0,)), Preprocessing((0.5,), (-1.0, 0.0, 1.0), bgr=True)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 3)).astype(np.uint8)
    first = prepared(pixels, outer)
    wanted = first[..., ::-1] * 0.5 + np.float64([-1, 0, 1])
    np.testing.assert_allclose(prepared(pixels, composed(outer, inner)), wanted)
    assert composed(outer, None) is outer
