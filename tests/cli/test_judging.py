"""What is said of models that cannot be judged on one data set."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgefashion.cli import _judging
from edgefashion.cli._data import Chosen
from edgefashion.data import Picture, Task
from edgefashion.errors import BadInput

WHITE = Task("signs", (20, 32, 3), ("stop", "go"), Picture("crop", (255, 255, 255), (0, 0, 0)))
NONE = replace(WHITE, picture=replace(WHITE.picture, background="none"))


def refusal(monkeypatch: pytest.MonkeyPatch, *tasks: Task) -> str:
    files: Any = [
        SimpleNamespace(path=Path(f"{place}.tflite"), task=task) for place, task in enumerate(tasks)
    ]
    monkeypatch.setattr("edgefashion.zoo.display_name", lambda file: str(file.path))
    with pytest.raises(BadInput) as refused:
        _judging._check_of_one_set(files, Chosen(Path("photos"), {}))
    return str(refused.value)


def test_of_tasks_that_differ_in_the_background_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(monkeypatch, WHITE, NONE) == (
        "0.tflite is for signs (20x32, RGB, crop, 2 classes), and 1.tflite is for signs (20x32, RGB, crop, "
        "background none, 2 classes): name the models of one data set at a time, made images in one way "
        "(--size, --fit, --gray or --rgb, --background)"
    )


def test_of_other_classes_nothing_is_said_of_how_images_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, WHITE, replace(WHITE, classes=("left", "right")))
    assert said.endswith("name the models of one data set at a time")
