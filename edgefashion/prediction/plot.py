"""What models see of pictures and answer: of each the photo, the image made of it, its classes."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edgefashion import device, figures
from edgefashion.errors import PictureError
from edgefashion.figures import SMALL, Entry, fit
from edgefashion.pictures import thumbnail
from edgefashion.prediction import text
from edgefashion.prediction.classes import Prediction, Shown, probabilities

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST, MOST_FILES = 30, 2
"""Pictures and files that are drawn: the first."""
FEW = 4
"""Pictures below each other, with more bars; of more, two stand side by side."""
PIXELS = 400
"""The longest edge of a photo in it."""
PHOTO_INCHES, NAME_INCHES, VERDICT_INCHES = 1.05, 1.1, 1.7
"""Of the words above a photo, beside a bar and above the bars."""
REJECTED = "0.6"


class Layout(NamedTuple):
    """How many pictures stand side by side; inches of all, and of one; how many classes have a bar."""

    columns: int
    width: float
    height: float
    bars: int


FULL, BRIEF = Layout(1, 7.2, 2.1, 10), Layout(2, figures.WIDTH, 1.35, 5)


def plot(
    images: Sequence[Shown], predictions: Sequence[Prediction], photos: Collection[str], path: Path
) -> int:
    """Draw the first images, MOST at most, and say how many these are: those whose names are in `photos` are
    made from picture files of these names, which are drawn beside them.

    Raises BadInput for a suffix other than .png, .svg and .pdf, MissingExtra without matplotlib, and
    OutputError when `path` cannot be written.
    """
    figures.check(path)
    answered = [each for each in predictions if each.logits is not None]
    shown = answered[:MOST_FILES]
    drawn = images[:MOST]
    layout = FULL if len(drawn) <= FEW else BRIEF
    rows = -(-len(drawn) // layout.columns)
    names = text.brief_names([each.name for each in images])
    words = f"{_count(len(drawn), len(images), 'picture')}{_of_files(len(answered))}"
    caption = _caption(shown, words)
    files = [Entry(each.artifact.path.name, _look(place)) for place, each in enumerate(shown)]
    legends = [files] if len(files) > 1 else []
    with figures.drawing(path, rows * layout.height, caption, legends, layout.width) as figure:
        ratios = (1, 1, 2) * layout.columns
        cells = figure.subplots(rows, 3 * layout.columns, squeeze=False, width_ratios=ratios)
        for axes in cells.flat:
            axes.set_axis_off()
        for number, image in enumerate(drawn):
            row, column = number % rows, 3 * (number // rows)
            photo, seen, bars = cells[row, column : column + 3]
            _show_photo(photo, image, names[image.name], image.name in photos)
            _show_seen(seen, image)
            _show_bars(bars, shown, number, layout.bars)
    return len(drawn)


def _count(drawn: int, of: int, what: str) -> str:
    return f"the first {drawn} of {of} {what}s" if drawn < of else f"{of} {what}{'s' if of > 1 else ''}"


def _of_files(count: int) -> str:
    return f", {_count(MOST_FILES, count, 'file')}" if count > MOST_FILES else ""


def _show_photo(axes: "Axes", image: Shown, name: str, is_file: bool) -> None:
    axes.set_title(fit(name, SMALL, PHOTO_INCHES), size=SMALL)
    try:
        photo = thumbnail(Path(image.name), PIXELS) if is_file else None
    except PictureError:  # it is gone since it was classified
        photo = None
    if photo:
        axes.imshow(np.asarray(photo))
        return
    axes.set_box_aspect(1)
    axes.text(0.5, 0.5, fit(image.remark, SMALL, PHOTO_INCHES), ha="center", va="center", size=SMALL)


def _show_seen(axes: "Axes", image: Shown) -> None:
    """The image as it is, of clothing bright on black: a wrong border would be seen."""
    height, width, channels = image.pixels.shape
    axes.imshow(image.pixels[..., 0] if channels == 1 else image.pixels, cmap="gray", vmin=0, vmax=255)
    axes.set_title(f"{width}x{height}", size=SMALL)


def _show_bars(axes: "Axes", predictions: Sequence[Prediction], number: int, most: int) -> None:
    """The classes in their order, or the likeliest where there are more than `most`."""
    shares = np.stack([probabilities(each.logits[number]) for each in predictions if each.logits is not None])
    count = shares.shape[1]
    labels = np.arange(count) if count <= most else np.argsort(-shares[0], kind="stable")[:most]
    axes.set_axis_on()
    axes.grid(visible=False)
    thick = 0.8 / len(predictions)
    rejected = len(predictions) == 1 and predictions[0].none_of_these(number)
    for place, own in enumerate(shares):
        heights = np.arange(len(labels)) + thick * (place - (len(predictions) - 1) / 2)
        color = REJECTED if rejected else figures.COLORS[place]
        axes.barh(heights, 100 * own[labels], thick, color=color)
    for row, label in enumerate(labels):
        own = shares[:, label]
        if own.max() >= 0.005:
            percent = f"{' and '.join(f'{100 * share:.0f}' for share in own)} %"
            axes.text(100 * own.max() + 2, row, percent, va="center", size=SMALL)
    names = [fit(predictions[0].labels[each], SMALL, NAME_INCHES) for each in labels]
    axes.set_yticks(range(len(labels)), names)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlim(0, 150)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines["bottom"].set_visible(False)
    axes.set_title(_verdict(predictions, number), size=SMALL, fontweight="bold", loc="left")


def _verdict(predictions: Sequence[Prediction], number: int) -> str:
    """What is answered, a line a file where they do not agree."""
    said = [text.answer(each, number) for each in predictions]
    classes = {(each.none_of_these(number), each.top(number)[0].label) for each in predictions}
    if len(classes) == 1:
        lines = said[0].replace(" (closest", "\n(closest").split("\n")
    else:
        names = [each.artifact.precision or each.artifact.path.name for each in predictions]
        lines = [f"{name}: {each}" for name, each in zip(names, said, strict=True)]
    return "\n".join(fit(line, SMALL, VERDICT_INCHES) for line in lines)


def _caption(predictions: Sequence[Prediction], words: str) -> figures.Caption:
    """Whose answers these are, and to how many pictures."""
    names = [each.artifact.path.name for each in predictions]
    who = names[0] if len(names) == 1 else f"{len(names)} model files"
    details = [words, "each as it is, as the model sees it, and the probabilities of its classes"]
    here = device.describe()
    return figures.Caption(f"What {who} answered", details, here.name, here.date)


def _look(place: int) -> dict[str, Any]:
    return {"marker": "s", "markersize": 7, "linestyle": "", "color": figures.COLORS[place]}
