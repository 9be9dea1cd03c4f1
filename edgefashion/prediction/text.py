"""Predictions for people (a table) and for programs (JSON)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from edgefashion.errors.wording import few, setting
from edgefashion.evaluation import columns
from edgefashion.files import json_text
from edgefashion.prediction.classes import TOP, Guess, Prediction, Shown
from edgefashion.tables import ALWAYS, Column, Page, Row, Table
from edgefashion.version import __version__

SCHEMA = 1
NONE_OF_THESE = "none of these"


def page(images: Sequence[Shown], predictions: Sequence[Prediction]) -> Page:
    """What was done to each image, and the predictions of each artifact."""
    names = brief_names([image.name for image in images])
    rows = [
        {"image": names[image.name], "prediction": prediction, "number": number}
        for number, image in enumerate(images)
        for prediction in predictions
        if prediction.logits is not None
    ]
    places = [_place(rank) for rank in range(min([TOP, *(len(each.labels) for each in predictions)]))]
    lines = [f"{image.name}: {image.remark}" for image in images]
    found = (
        [Table("Classes", (_IMAGE, *(_yielding(each, rows) for each in _COLUMNS), *places), rows)]
        if rows
        else []
    )
    return Page(lines, found, _notes(predictions), setting("--json"))


def lines(images: Sequence[Shown], prediction: Prediction) -> Page:
    """A line a picture: the likeliest class, or that none fits."""
    said = [f"{image.name}: {answer(prediction, number)}" for number, image in enumerate(images)]
    return Page(said, [], _notes([prediction]))


def answer(prediction: Prediction, number: int) -> str:
    """The likeliest class of image `number` and its probability, or that none fits."""
    guess = _told(prediction.top(number)[0])
    return f"{NONE_OF_THESE} (closest: {guess})" if prediction.none_of_these(number) else guess


def brief_names(names: Sequence[str]) -> dict[str, str]:
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
    answered = [each for each in predictions if each.logits is not None]
    nameless = [each for each in answered if not each.artifact.labels]
    sure = [each for each in answered if each.rejected is None]
    notes = []
    if nameless:
        notes.append(
            f"{_names(nameless)} does not name its classes: taken to be those of {nameless[0].task.name}"
        )
    for why in dict.fromkeys(map(_unknown, sure)):
        names = _names([each for each in sure if _unknown(each) == why])
        notes.append(f"never {NONE_OF_THESE!r} from {names}: {why}")
    return notes


def _unknown(prediction: Prediction) -> str:
    """Why it is not known of which pictures no class of a file fits."""
    manifest = prediction.artifact.manifest
    if not manifest:
        return "no manifest beside it says when (export it again)"
    if (manifest.verification or {}).get("split", "validation") != "validation":
        return "too few validation pictures were left to tell when"
    return f"its manifest does not say when (export it again with {setting('--force')})"


def _names(predictions: Sequence[Prediction]) -> str:
    return few([each.artifact.path.name for each in predictions], TOP)


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
        "none_of_these": prediction.none_of_these(number),
        "logits": None if logits is None else [float(value) for value in logits[number]],
        "error": str(answers.error) if answers.error else None,
    }


def _guess(guess: Guess) -> dict[str, Any]:
    return {"class": guess.name, "label": guess.label, "probability": guess.probability}


def _told(guess: Guess) -> str:
    return f"{guess.name} {100 * guess.probability:.1f} %"


def _place(rank: int) -> Column[Row]:
    def text(row: Row) -> str:
        prediction, number = row["prediction"], row["number"]
        return _told(prediction.top(number)[rank]) if rank else answer(prediction, number)

    return Column(("1st", "2nd", "3rd")[rank], text, number=False, importance=(ALWAYS, 5, 4)[rank])


def _yielding(column: Column[Row], rows: Sequence[Row]) -> Column[Row]:
    """The column, which gives way to answers where it tells no rows apart."""
    alike = len({column.text(row) for row in rows}) == 1
    return replace(column, importance=6) if alike else column


_IMAGE = Column[Row]("Image", lambda row: row["image"], number=False)
_COLUMNS: tuple[Column[Row], ...] = (
    Column("Model", lambda row: row["prediction"].artifact.model, number=False),
    Column("Format", lambda row: row["prediction"].artifact.format, number=False),
    Column("Precision", lambda row: columns.precision(row["prediction"].artifact), number=False),
)
