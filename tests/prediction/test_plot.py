"""The picture of `predict --plot`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.data import Dataset
from edgefashion.evaluation.predictions import Predictions
from edgefashion.prediction import Prediction, Shown, plot

TINY = Path(__file__).parents[1] / "files/models/tiny-int8.tflite"


def shown(sample: Dataset, folder: Path, count: int) -> list[Shown]:
    """Test images, each of a picture file."""
    found = []
    for number in range(count):
        pixels = sample.test.images[number]
        Image.fromarray(255 - pixels[..., 0]).save(folder / f"a-${number}.png")
        found.append(Shown(str(folder / f"a-${number}.png"), pixels, "made fit", {}))
    return found


def answered(sample: Dataset, count: int, classes: int = 10, by: Artifact | None = None) -> Prediction:
    logits = np.random.default_rng(0).normal(size=(count, classes)).astype(np.float32) * 3
    names = tuple(f"class $ {number}" for number in range(classes))
    return Prediction(by or artifact.inspect(TINY), Predictions(logits), replace(sample.task, classes=names))


@pytest.mark.parametrize(("count", "files", "classes"), [(1, 1, 2), (2, 3, 120), (6, 1, 10)])
def test_however_many_pictures_classes_and_files(
    count: int, files: int, classes: int, sample: Dataset, tmp_path: Path, figure_of: Callable[..., Any]
) -> None:
    images = shown(sample, tmp_path, count)
    predictions = [answered(sample, count, classes) for _ in range(files)]
    figure = figure_of(lambda path: plot.plot(images, predictions, {images[0].name}, path))
    assert len(figure.axes) == 3 * count


def test_of_many_pictures_the_first_are_drawn_and_it_is_said(
    sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plot, "MOST", 2)
    images = shown(sample, tmp_path, 3)
    assert plot.plot(images, [answered(sample, 3)], set(), tmp_path / "seen.svg") == 2
    assert "the first 2 of 3 pictures" in (tmp_path / "seen.svg").read_text()
