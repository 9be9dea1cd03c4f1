"""Predictions for people (a table) and for programs (JSON)."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from edgefashion.errors.wording import setting
from edgefashion.evaluation import columns
from edgefashion.files import json_text
from edgefashion.prediction.classes import TOP, Guess, Prediction, Shown
from edgefashion.tables import ALWAYS, Column, Page, Row, Table
from edgefashion.version import __version__

SCHEMA = 1


def page(images: Sequence[Shown], predictions: Sequence[Prediction]) -> Page:
    """What was done to each image, and the predictions of each artifact."""
    names = _brief([image.name for image in images])
    rows = [
        {"image": names[image.name], "artifact": prediction.artifact, "top": prediction.top(number)}
        for number, image in enumerate(images)
        for prediction in predictions
        if prediction.logits is not None
    ]
    places = [_place(rank) for rank in range(min([TOP, *(len(each.labels) for each in predictions)]))]
    lines = [f"{image.name}: {image.remark}" for image in images]
    found = [Table("Classes", (*_COLUMNS, *places), rows)] if rows else []
    return Page(lines, found, _notes(predictions), setting("--json"))


def _brief(names: Sequence[str]) -> dict[str, str]:
    """What each image is called in a cell: without its folder, where that tells it from the others."""
    bare = [PurePath(name).name for name in dict.fromkeys(names)]
    return {
        name: own if bare.count(own) == 1 else name
        for name, own in zip(dict.fromkeys(names), bare, strict=True)
    }


def to_dict(
    images: Sequence[Shown], predictions: Sequence[Prediction], refused: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """As JSON, with logits; probabilities are in 0..1. `refused`: pictures → why they are not shown."""
    return {
        "schema": SCHEMA,
        "edgefashion": __version__,
        "classes": list(next((each.labels for each in predictions), ())),
        "images": [
            {
                "image": image.name,
                **image.details,
                "predictions": [_prediction(each, number) for each in predictions],
            }
            for number, image in enumerate(images)
        ],
        "refused": [{"image": name, "error": why} for name, why in (refused or {}).items()],
    }


def to_json(
    images: Sequence[Shown], predictions: Sequence[Prediction], refused: Mapping[str, str] | None = None
) -> str:
    """The same as text."""
    return json_text(to_dict(images, predictions, refused), indent=2)


def _notes(predictions: Sequence[Prediction]) -> list[str]:
    silent = [each for each in predictions if each.logits is not None and not each.artifact.labels]
    if not silent:
        return []
    names, task = ", ".join(each.artifact.path.name for each in silent), silent[0].task
    return [f"{names} does not name its classes: taken to be those of {task.name}"]


def _prediction(prediction: Prediction, number: int) -> dict[str, Any]:
    artifact, answers, logits = prediction.artifact, prediction.answers, prediction.logits
    return {
        "file": artifact.path.name,
        "model": artifact.model,
        "format": artifact.format,
        "precision": artifact.precision,
        "runtime": answers.runtime,
        "runtime_version": answers.version,
        "top": None if logits is None else [_guess(guess) for guess in prediction.top(number)],
        "logits": None if logits is None else [float(value) for value in logits[number]],
        "error": str(answers.error) if answers.error else None,
    }


def _guess(guess: Guess) -> dict[str, Any]:
    return {"class": guess.name, "label": guess.label, "probability": guess.probability}


def _place(rank: int) -> Column[Row]:
    def text(row: Row) -> str:
        guess = row["top"][rank]
        return f"{guess.name} {100 * guess.probability:.1f} %"

    return Column(("1st", "2nd", "3rd")[rank], text, number=False, importance=(ALWAYS, 5, 4)[rank])


_COLUMNS: tuple[Column[Row], ...] = (
    Column("Image", lambda row: row["image"], number=False),
    Column("Model", lambda row: row["artifact"].model, number=False),
    Column("Format", lambda row: row["artifact"].format, number=False),
    Column("Precision", lambda row: columns.precision(row["artifact"]), number=False),
)
