"""The record of what a classifier is for, and what is no such record."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgefashion.data import FASHION_MNIST, Dataset, Picture, Task, split
from edgefashion.errors import BadInput

SIGNS = Task("signs", (20, 32, 3), ("stop", "go"), Picture("crop", (255, 255, 255), (0, 0, 0)))


CUT_OUT = Task("cut out", (20, 32, 3), ("stop", "go"), Picture("crop", "none", (0, 0, 0)))


@pytest.mark.parametrize("task", [FASHION_MNIST, SIGNS, CUT_OUT], ids=lambda task: task.name)
def test_a_task_survives_json(task: Task) -> None:
    assert Task.from_dict(json.loads(json.dumps(task.to_dict())), "x.json", BadInput) == task


def test_height_and_width_may_differ() -> None:
    assert (SIGNS.height, SIGNS.width, SIGNS.channels, SIGNS.pixels) == (20, 32, 3, 1920)


def test_how_pictures_become_images_names_a_background_that_is_not_white() -> None:
    black = replace(SIGNS, picture=Picture("pad", (0, 0, 0), (0, 0, 0)))
    assert [each.made for each in (SIGNS, CUT_OUT, black, FASHION_MNIST)] == [
        "20x32, RGB, crop",
        "20x32, RGB, crop, background none",
        "20x32, RGB, pad, background #000000",
        "28x28, gray, garment",
    ]


@pytest.mark.parametrize("count, dtype", [(2, np.uint8), (256, np.uint8), (257, np.uint16)])
def test_labels_are_of_the_smallest_type_with_room(count: int, dtype: type) -> None:
    names = tuple(f"class {number}" for number in range(count))
    assert Task("many", (8, 8, 1), names, FASHION_MNIST.picture).label_dtype == dtype


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"classes": ["stop", "stop"]}, "two classes of one name"),
        ({"classes": ["stop"]}, "damaged, or not a task"),
        ({"classes": "stop go"}, "damaged, or not a task"),
        ({"image_shape": [20, 32, 2]}, "damaged, or not a task"),
        ({"image_shape": [20, 32]}, "damaged, or not a task"),
        ({"image_shape": [0, 32, 3]}, "damaged, or not a task"),
        ({"image_shape": [20, 32, 1]}, "1 channels and colors of 3 and 3"),
        ({"picture": {"fit": "melt", "background": [0], "fill": [0]}}, "damaged, or not a task"),
        ({"picture": {"fit": "pad", "background": "none", "fill": [0]}}, "3 channels and colors of 1"),
        ({"picture": {"fit": "pad", "background": "white", "fill": [0]}}, "damaged, or not a task"),
        ({"name": ""}, "damaged, or not a task"),
        ({"name": "x" * 201}, "damaged, or not a task"),
        ({"classes": ["stop", "go\nnext: rm -r ."]}, "expected a text of another form"),
        ({"classes": ["stop", "\x1b[2J"]}, "expected a text of another form"),
    ],
)
def test_what_is_no_task_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput, match=f"^x.json .*{reason}"):
        Task.from_dict(SIGNS.to_dict() | change, "x.json", BadInput)


def test_more_than_a_thousand_classes_are_refused() -> None:
    with pytest.raises(BadInput):
        Task.from_dict(SIGNS.to_dict() | {"classes": [str(n) for n in range(1001)]}, "x.json", BadInput)


def test_the_data_set_and_its_splits_have_the_task(sample: Dataset) -> None:
    assert sample.task == split(sample).task == FASHION_MNIST
    assert sample.train.images.shape[1:] == FASHION_MNIST.image_shape
    assert sample.train.labels.dtype == FASHION_MNIST.label_dtype


def test_names_of_classes_are_of_any_language() -> None:
    content = SIGNS.to_dict() | {"classes": ["arrêt\u00a0!", "\u505c\u3000\u6b62"]}
    assert list(Task.from_dict(content, "x.json", BadInput).classes) == content["classes"]
