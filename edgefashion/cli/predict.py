"""The verb that classifies pictures."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgefashion.cli import _data, _judging, _resolve
from edgefashion.cli._data import Chosen, takes_data
from edgefashion.cli._options import PATH, Whole, in_process_option, runs_option
from edgefashion.cli._output import following, say, show_json, show_page
from edgefashion.cli._progress import Bar
from edgefashion.errors import BadInput, PictureError, ZooError

if TYPE_CHECKING:
    from edgefashion.artifacts.artifact import Artifact
    from edgefashion.prediction import Shown
    from edgefashion.task import Task


@click.command()
@click.argument("model", metavar="MODEL|zoo:NAME")
@click.argument("paths", metavar="[IMAGE]...", nargs=-1, type=PATH)
@click.option("--index", "indices", type=Whole(min=0), multiple=True, help="A test image of the data set.")
@click.option(
    "--invert/--no-invert",
    default=None,
    help="Of clothing: whether it is dark on bright; default: whether the border is bright.",
)
@in_process_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead, with the logits.")
@runs_option
@takes_data()
def predict(
    model: str,
    paths: tuple[Path, ...],
    indices: tuple[int, ...],
    invert: bool | None,
    in_process: bool,
    as_json: bool,
    root: Path,
    chosen: Chosen,
) -> None:
    """Classify pictures: the three likeliest classes.

    Of picture files (JPEG, PNG, WebP, BMP, TIFF), made to fit as the images were that the model was trained
    on, or of test images. A float32 and an int8 file of one run in the same folder answer side by side.

    Example: edgefashion predict cnn-int8.tflite shoe.jpg --index 3
    """
    from edgefashion.data.locate import task_at
    from edgefashion.pictures import is_picture
    from edgefashion.prediction import classify, side_by_side, task_of, text

    if is_picture(model):
        raise BadInput(
            f"{model} is a picture, and the model comes first: edgefashion predict {_any_model()} {model}"
        )
    if not paths and not indices:
        raise BadInput("there is nothing to classify: name a picture, or a test image by --index")
    artifacts = side_by_side(_resolve.named_artifacts([model], root))
    task = task_of(artifacts, task_at(chosen.folder))
    images, refused = _pictures(paths, task, invert)
    images += _test_images(indices, artifacts, chosen)
    predictions = []
    if images:
        with Bar() as progress:
            predictions = classify(artifacts, images, task, progress, in_process)
    failed = [each.answers.error for each in predictions if each.answers.error]
    if as_json:
        show_json(text.to_json(images, predictions, {name: str(error) for name, error in refused.items()}))
    elif len(failed) < len(predictions):
        show_page(text.page(images, predictions))
    if failed:
        raise failed[0]
    _raise(refused, len(paths))
    known = _data.is_known(chosen, task, _judging.recorded_by(artifacts))
    data = "" if known else " --data PICTURES"
    following(f"edgefashion evaluate {shlex.quote(model)}{data}  # how often it is right")


def _any_model() -> str:
    """A model that can be named here."""
    from edgefashion import zoo

    try:
        return f"{zoo.PREFIX}{zoo.open_zoo().names[0]}"
    except (ZooError, IndexError):
        return "MODEL"


def _pictures(
    paths: tuple[Path, ...], task: "Task", invert: bool | None
) -> "tuple[list[Shown], dict[str, PictureError]]":
    """The pictures that can be converted, and what is wrong with each of the others."""
    from edgefashion.pictures import convert
    from edgefashion.prediction import Shown

    shown, refused = [], {}
    for path in paths:
        try:
            found = convert(path, task, invert)
        except PictureError as error:
            refused[str(path)] = error
        else:
            shown.append(Shown(str(path), found.pixels, found.steps, found.details))
    return shown, refused


def _raise(refused: "dict[str, PictureError]", of: int) -> None:
    """Raise PictureError if pictures were refused, with the reason for each."""
    errors = list(refused.values())
    if len(errors) == 1:
        raise errors[0]
    for error in errors:
        say(str(error))
    if errors:
        raise PictureError(f"{len(errors)} of {of} pictures are not classified: see above")


def _test_images(indices: tuple[int, ...], artifacts: "list[Artifact]", chosen: Chosen) -> "list[Shown]":
    """Test images by number, of the data set or, for shipped models without one, of the shipped sample.

    Raises BadInput for a number too high.
    """
    from edgefashion.evaluation.predictions import check_kind
    from edgefashion.prediction import Shown
    from edgefashion.zoo import SampledDataset

    if not indices:
        return []
    dataset = _judging.for_artifacts(artifacts, chosen)
    for each in artifacts:
        check_kind(each, dataset.task)
    test, whose = dataset.test, " of the sample" if isinstance(dataset, SampledDataset) else ""
    image = dataset.describe().measured.removesuffix("s")
    if max(indices) >= len(test):
        raise BadInput(f"there is no {image} {max(indices)}: give 0 to {len(test) - 1}")
    found = []
    for index in indices:
        label = int(test.labels[index])
        name = dataset.task.classes[label]
        details = {"index": index, "label": label, "class": name, "source": dataset.source}
        found.append(Shown(f"{image} {index}{whose}", test.images[index], name, details))
    return found
