"""Where numbers stand beside points."""

import numpy as np
import pytest

from edgefashion import figures
from edgefashion.figures.numbering import grouped, listed, write


def test_places_that_are_one_have_one_label() -> None:
    places = [((0.0, 0.0), 1), ((50.0, 0.0), 2), ((3.0, 3.0), 3)]
    assert grouped(places) == [((0.0, 0.0), "1, 3"), ((50.0, 0.0), "2")]


@pytest.mark.parametrize(
    ("numbers", "text"), [([4], "4"), ([1, 2], "1, 2"), ([1, 2, 3, 7, 9, 10], "1–3, 7, 9, 10")]
)
def test_neighbors_are_said_as_a_range(numbers: list[int], text: str) -> None:
    assert listed(numbers) == text


def test_a_number_is_near_its_point_on_no_mark_and_on_no_other_number() -> None:
    random = np.random.default_rng(0)
    axes = figures.new_figure(5, 4).subplots()
    places = [(float(x), float(y)) for x, y in random.random((60, 2))]
    axes.plot(*zip(*places, strict=True), "o")
    write(axes, [(place, number) for number, place in enumerate(places, 1)], places)
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) > 40
    assert not any(one.overlaps(other) for n, one in enumerate(boxes) for other in boxes[:n])
    marks = axes.transData.transform(places)
    assert not any(box.contains(*mark) for box in boxes for mark in marks)
