"""How pictures were made images for a model's training is found where it matters."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgefashion.data import Dataset, load_dataset, split
from edgefashion.importing.network.imported import Preprocessing
from edgefashion.importing.preprocessing import framing
from edgefashion.importing.preprocessing.framing import better_framed
from edgefashion.importing.preprocessing.pool import Pool, framed, pool_of
from edgefashion.importing.preprocessing.preprocessing import Answer, Tried, race, usual


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Gray shades of three kinds, half transparent, of 12x24 pixels that differ from left to right."""
    folder, random = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for label, name in enumerate(("dark", "even", "fair")):
        (folder / name).mkdir()
        for number in range(50):
            pixels = random.integers(40 + 50 * label, 90 + 50 * label, (12, 24, 4))
            pixels[:, :6, :3] = pixels[:, 18:, :3] = random.integers(0, 256, 3)
            pixels[..., 3] = 128
            Image.fromarray(pixels.astype(np.uint8), "RGBA").save(folder / name / f"{number}.png")
    return load_dataset(folder, size=12, gray=False)


def means(pool: Pool) -> Answer:
    """A model that knows the mean image of each class of these images."""
    images, labels = pool.drawn(0, len(pool))
    known = np.stack([images[labels == label].mean(axis=0) for label in range(3)])

    def answer(pixels: npt.NDArray[np.uint8], way: Preprocessing) -> npt.NDArray[np.float32]:
        found = pixels * np.float64(way.scale) + np.float64(way.offset)
        distances = ((found[:, None] - known / 255) ** 2).sum(axis=(2, 3, 4))
        return np.asarray(-distances, np.float32)

    return answer


def found(dataset: Dataset, answer: Answer, unsaid: tuple[str, ...]) -> tuple[str, str, int, list[str]]:
    splits, said = split(dataset), list[str]()
    ways = [each for each in usual(3, splits.train) if each.name in ("unit", "tf")]
    pool = pool_of(splits)
    ask = partial(race, answer=answer, classes=3, find_order=True)
    left, picture = better_framed(ask(ways, pool=pool), ways, ask, pool, dataset, unsaid, said.append)
    return left[0].name, picture.fit, picture.background[0], said


def test_a_black_background_is_found(dataset: Dataset) -> None:
    picture = dataset.task.picture
    black = framed(pool_of(split(dataset)), dataset, type(picture)(picture.fit, (0, 0, 0), picture.fill))
    answer = means(black)
    name, fit, background, said = found(dataset, answer, ("background",))
    assert (name, fit, background) == ("unit", "crop", 0)
    warning = "warning: pictures are made images with --background black, since the model answers better then"
    assert warning in said
    assert found(dataset, answer, ())[1:] == ("crop", 255, [])


def test_that_transparency_was_left_out_is_found(dataset: Dataset) -> None:
    picture = replace(dataset.task.picture, background="none")
    answer = means(framed(pool_of(split(dataset)), dataset, picture))
    splits, pool, said = split(dataset), pool_of(split(dataset)), list[str]()
    ways = [each for each in usual(3, splits.train) if each.name == "unit"]
    ask = partial(race, answer=answer, classes=3, find_order=True)
    left, found = better_framed(ask(ways, pool=pool), ways, ask, pool, dataset, ("background",), said.append)
    assert (left[0].name, found.background) == ("unit", "none")
    assert "with --background none, since the model answers better then" in said[-1]


def test_a_model_that_guesses_is_not_asked_for_long(dataset: Dataset) -> None:
    asked = []
    random = np.random.default_rng(0)

    def guess(pixels: npt.NDArray[np.uint8], _: Preprocessing) -> npt.NDArray[np.float32]:
        asked.append(len(pixels))
        return random.random((len(pixels), 3)).astype(np.float32)

    splits, pool = split(dataset), pool_of(split(dataset))
    ways = usual(3, splits.train)
    ask = partial(race, answer=guess, classes=3, find_order=True)
    left = ask(ways, pool=pool)
    before = sum(asked)
    better_framed(left, ways, ask, pool, dataset, ("fit", "background"), print)
    assert sum(asked) - before == 4 * framing.BEST * 100


def test_what_few_pictures_do_not_tell_more_do() -> None:
    asked = []

    def ask(ways: list[Tried], pool: str, least: int) -> None:
        (each,) = ways
        each.labels, share = np.zeros(least, np.intp), 0.06 if pool == "worse" else 0.0
        each.outputs = np.where(np.arange(least) % 100 < 100 * share, 1, 0)
        asked.append((pool, least))

    better, worse = (Tried(name, Preprocessing((1.0,), (0.0,))) for name in ("better", "worse"))
    for each in (better, worse):
        ask([each], each.name, 100)
    asked.clear()
    assert not framing._is_better(better, worse) and framing._may_matter(better, worse)
    framing._tell_apart(better, worse, ask, "better", "worse")  # type: ignore[arg-type]
    assert asked == [("better", 400), ("worse", 400)]
    assert (
        framing._is_better(better, worse)
        and framing._score(worse, better) == "right on 376 of 400 (preprocessing: worse)"
    )


def test_ways_that_were_tried_on_more_pictures_are_compared_on_those_of_both() -> None:
    few, many = (
        Tried("way", Preprocessing((1.0,), (0.0,)), np.arange(count) % 2, np.zeros(count, np.intp))
        for count in (100, 400)
    )
    few.outputs[:] = 0
    assert few.could_gain(many) > 0.5 and many.could_gain(few) < 0
    assert [each.sum() for each in few.beside(many)] == [100, 50]


def test_what_is_usual_stays_where_it_is_right(dataset: Dataset) -> None:
    name, fit, background, said = found(dataset, means(pool_of(split(dataset))), ("fit", "background"))
    assert (name, fit, background) == ("unit", "crop", 255)
    assert [line.partition(":")[0] for line in said] == [
        "with --background black",
        "with --background none",
        "with --fit stretch",
        "with --fit pad",
    ]


def test_the_same_pictures_are_drawn(dataset: Dataset) -> None:
    pool = pool_of(split(dataset))
    again = framed(pool, dataset, dataset.task.picture)
    for one, other in zip(pool.drawn(3, 60), again.drawn(3, 60), strict=True):
        np.testing.assert_array_equal(one, other)


def test_images_that_are_made_here_stay_as_they_are(sample: Dataset) -> None:
    tried = [Tried("unit", Preprocessing((1 / 255,), (0.0,)))]
    assert better_framed(tried, tried, race, pool_of(split(sample)), sample, ("fit",), print) == (
        tried,
        sample.task.picture,
    )


def test_no_picture_is_written(dataset: Dataset) -> None:
    assert {path.suffix for path in Path(dataset.folder).rglob("*") if path.is_file()} == {".png"}
