"""The verb that classifies pictures: see verbs.py."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgefashion.cli import naming, steps
from edgefashion.cli.options import PATH, data_option, runs_option
from edgefashion.cli.steps import following
from edgefashion.errors import BadInput

if TYPE_CHECKING:
    from edgefashion.artifact import Artifact
    from edgefashion.prediction import Shown


@click.command()
@click.argument("model", metavar="MODEL|zoo:NAME")
@click.argument("paths", metavar="[IMAGE]...", nargs=-1, type=PATH)
@click.option(
    "--index", "indices", type=click.IntRange(min=0), multiple=True, help="A test image of the data set."
)
@click.option(
    "--invert/--no-invert",
    default=None,
    help="Whether clothing is dark on bright; default: whether the border is bright.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead, with the logits.")
@runs_option
@data_option
def predict(
    model: str,
    paths: tuple[Path, ...],
    indices: tuple[int, ...],
    invert: bool | None,
    as_json: bool,
    root: Path,
    data_folder: Path | None,
) -> None:
    """Classify pictures: the three likeliest classes.

    Of PNG and JPEG files, trimmed and fitted into 28x28 as the data set's images were, or of test images.
    A float32 and an int8 file of one run in the same folder answer side by side.

    Example: edgefashion predict cnn-int8.tflite shoe.jpg --index 3
    """
    from edgefashion.prediction import classify, is_picture, side_by_side, text
    from edgefashion.tables import print_page

    if is_picture(model):
        raise BadInput(f"{model} is a picture, and the model comes first: edgefashion predict MODEL {model}")
    if not paths and not indices:
        raise BadInput("there is nothing to classify: name a PNG or JPEG picture, or a test image by --index")
    artifacts = side_by_side(naming.named_artifacts([model], root))
    images = [_picture(path, invert) for path in paths] + _test_images(indices, artifacts, data_folder)
    with steps.Bar() as progress:
        predictions = classify(artifacts, images, progress)
    if as_json:
        click.echo(text.to_json(images, predictions))
    else:
        print_page(text.page(images, predictions))
    for each in predictions:
        if each.answers.error:
            raise each.answers.error
    following("edgefashion evaluate to see how often it is right")


def _picture(path: Path, invert: bool | None) -> "Shown":
    from edgefashion.prediction import Shown, convert

    found = convert(path, invert)
    return Shown(str(path), found.pixels, found.steps, found.to_dict())


def _test_images(indices: tuple[int, ...], artifacts: "list[Artifact]", folder: Path | None) -> "list[Shown]":
    """Test images by number: of the data set, or of the sample of models that come along where there is none.

    Raises BadInput for a number too high.
    """
    from edgefashion.data import CLASS_NAMES
    from edgefashion.prediction import Shown

    if not indices:
        return []
    test = naming.data_for(artifacts, folder).test
    if max(indices) >= len(test):
        raise BadInput(f"there is no test image {max(indices)}: give 0 to {len(test) - 1}")
    found = []
    for index in indices:
        label = int(test.labels[index])
        details = {"index": index, "label": label, "class": CLASS_NAMES[label]}
        found.append(Shown(f"test image {index}", test.images[index], f"a {CLASS_NAMES[label]}", details))
    return found
