"""The verb that classifies pictures."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from edgefashion.cli import _data, _judging, _resolve
from edgefashion.cli._data import Chosen, takes_data
from edgefashion.cli._options import PICTURE, Whole, in_process_option, runs_option
from edgefashion.cli._output import deliver, following, keep_inputs, say, show_json, show_page
from edgefashion.cli._progress import Bar
from edgefashion.errors import BadInput, EdgefashionError, PictureError

if TYPE_CHECKING:
    from edgefashion.artifacts.artifact import Artifact
    from edgefashion.prediction import Prediction, Shown
    from edgefashion.task import Task


@click.command()
@click.argument("names", metavar="[RUN|FILE|zoo:NAME] [IMAGE]...", nargs=-1)
@click.option("--index", "indices", type=Whole(min=0), multiple=True, help="A test image of the data set.")
@click.option(
    "--invert/--no-invert",
    default=None,
    help="Of clothing: whether it is dark on bright; default: whether the border is bright.",
)
@click.option(
    "--plot",
    "drawing",
    type=PICTURE,
    help="Draw each picture, what the model sees of it, and its classes: .png, .svg, .pdf.",
)
@in_process_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead, with the logits.")
@runs_option
@takes_data()
def predict(
    names: tuple[str, ...],
    indices: tuple[int, ...],
    invert: bool | None,
    drawing: Path | None,
    in_process: bool,
    as_json: bool,
    root: Path,
    chosen: Chosen,
) -> None:
    """Classify pictures: the three likeliest classes, or that none fits.

    Of picture files (JPEG, PNG, WebP, BMP, TIFF), made to fit as the images were that the model was trained
    on, or of test images. A float32 and an int8 file of one run in the same folder answer side by side.
    Without a model, the best of those that edgefashion ships answers, a line a picture.

    Example: edgefashion predict cnn-int8.tflite shoe.jpg --index 3 --plot seen.png
    """
    from edgefashion.data.locate import task_at
    from edgefashion.prediction import classify, side_by_side, task_of
    from edgefashion.zoo import display_name

    model, paths = _told_apart(names)
    if not paths and not indices:
        raise BadInput("there is nothing to classify: name a picture, or a test image by --index")
    keep_inputs(paths, (drawing,))
    artifacts = side_by_side(_resolve.named_artifacts([model], root)) if model else _best()
    task = task_of(artifacts, task_at(chosen.folder))
    images, refused = _pictures(paths, task, invert)
    images += _test_images(indices, artifacts, chosen)
    predictions = []
    if images:
        with Bar() as progress:
            predictions = classify(artifacts, images, task, progress, in_process)
    found = Answers(images, predictions, refused)
    drawn = drawing if found.answered else None
    deliver(
        [(drawn, lambda path: _draw(found, paths, path))],
        lambda: _tell(found, as_json, brief=not model),
    )
    if found.errors:
        raise found.errors[0]
    _raise(refused, len(paths))
    known = _data.is_known(chosen, task, _judging.recorded_by(artifacts))
    data = "" if known else " --data PICTURES"
    name = model or display_name(artifacts[0])
    following(f"edgefashion evaluate {shlex.quote(name)}{data}  # how often it is right")


class Answers(NamedTuple):
    """Pictures, what models answered, and what is wrong with the other pictures."""

    images: "list[Shown]"
    predictions: "list[Prediction]"
    refused: "dict[str, PictureError]"

    @property
    def answered(self) -> bool:
        """Whether any model did."""
        return len(self.errors) < len(self.predictions)

    @property
    def errors(self) -> "list[EdgefashionError]":
        """Why the others did not."""
        return [each.answers.error for each in self.predictions if each.answers.error]


def _told_apart(names: tuple[str, ...]) -> tuple[str | None, tuple[Path, ...]]:
    """The model, where one is named, and the pictures. Raises BadInput for a model behind a picture."""
    from edgefashion import zoo
    from edgefashion.artifacts.artifact import is_model
    from edgefashion.pictures import is_picture

    if not names or not is_picture(names[0]):
        return (names[0] if names else None), tuple(map(Path, names[1:]))
    models = [name for name in names if zoo.is_name(name) or is_model(Path(name))]
    if models:
        raise BadInput(
            f"{names[0]} is a picture, and the model comes first: "
            f"edgefashion predict {shlex.join((models[0], names[0]))}"
        )
    return None, tuple(map(Path, names))


def _best() -> "list[Artifact]":
    """The file that answers where no model is named."""
    from edgefashion import zoo
    from edgefashion.api.names import find_one

    name, why = zoo.open_zoo().best()
    say(f"no model is named: taking {zoo.PREFIX}{name}, of the shipped ones {why}")
    return [find_one(f"{zoo.PREFIX}{name}")]


def _tell(found: Answers, as_json: bool, brief: bool) -> None:
    """The answers, to programs or to people, a line a picture or all that is known of it."""
    from edgefashion.prediction import text

    images, predictions, refused = found
    if as_json:
        show_json(text.to_json(images, predictions, {name: str(error) for name, error in refused.items()}))
    elif found.answered:
        show_page(text.lines(images, predictions[0]) if brief else text.page(images, predictions))


def _draw(found: Answers, paths: tuple[Path, ...], path: Path) -> None:
    from edgefashion.prediction.plot import plot

    drawn = plot(found.images, found.predictions, {str(each) for each in paths}, path)
    if drawn < len(found.images):
        say(f"drawn are the first {drawn} of {len(found.images)} pictures")


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
