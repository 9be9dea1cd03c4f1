"""What is said where pictures do not tell how a model wants its pixels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.errors import BadInput
from edgefashion.errors.wording import for_the_command_line
from edgefashion.importing.network.imported import Preprocessing
from edgefashion.importing.options import ImportOptions
from edgefashion.importing.preprocessing.finding import _decided
from edgefashion.importing.preprocessing.preprocessing import Tried

PLAIN: Any = type("Imported", (), {"preprocessing": None})


def tried(name: str, right: int, count: int = 30) -> Tried:
    """A way under which the first pictures are right, of two classes."""
    labels = np.arange(count) % 2
    outputs = np.where(np.arange(count) < right, labels, 1 - labels)
    return Tried(name, Preprocessing((1.0,), (0.0,)), outputs, labels)


def refusal(left: list[Tried], said: ImportOptions, usual: list[Tried]) -> str:
    with for_the_command_line(), pytest.raises(BadInput) as refused:
        _decided(left, PLAIN, said, lambda: usual)
    return str(refused.value)


def test_of_two_ways_that_pictures_do_not_tell_apart_it_is_said_what_to_say() -> None:
    unit, torch = tried("unit", 28), tried("torch", 27)
    assert refusal([unit, torch], ImportOptions(), []) == (
        "30 pictures do not tell two ways to prepare pixels apart: with unit the model is right on 28 of 30 "
        "pictures (93.3%), with torch right on 27 of 30 pictures (90.0%): say the one it was trained with, "
        "--preprocess unit (0 to 1) or --preprocess torch (0 to 1, less ImageNet's mean, by its deviation), "
        "or name more pictures"
    )


def test_of_a_way_that_was_said_and_gives_chance_it_is_said_which_would_not() -> None:
    said = refusal([tried("tf", 16)], ImportOptions(preprocess="tf"), [tried("caffe", 29)])
    assert said.startswith("prepared as you said, pictures give chance: the model is right on 16 of 30")
    assert said.endswith(
        "with caffe it is right on 29 of 30 pictures (96.7%): say --preprocess caffe (0 to 255 less "
        "ImageNet's mean, BGR), or nothing, and it is found"
    )
    said = refusal([tried("tf", 16)], ImportOptions(preprocess="tf"), [tried("caffe", 17)])
    assert "chance, however pixels are prepared: it is not trained" in said


def test_of_a_list_of_labels_that_gives_chance_the_order_is_doubted() -> None:
    said = refusal(
        [tried("tf", 16)], ImportOptions(preprocess="tf", labels=Path("labels.txt")), [tried("unit", 15)]
    )
    assert said.endswith(
        "or on other pictures or classes than these, or the names in --labels are in another order than its "
        "outputs; else leave out --labels, and the order is looked for"
    )
    said = refusal([tried("tf", 16)], ImportOptions(preprocess="tf"), [tried("unit", 15)])
    assert said.endswith("classes than these; else say with --labels FILE what its outputs are for")


def test_a_model_that_guesses_is_called_not_trained() -> None:
    said = refusal([tried("tf", 16), tried("unit", 15)], ImportOptions(), [])
    assert said.startswith(
        "the model is right on 16 of 30 pictures (53.3%) at best, which is chance, however pixels are "
        "prepared: it is not trained, or on other pictures or classes than these; else say how"
    )
