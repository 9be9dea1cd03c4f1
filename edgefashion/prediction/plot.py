"""What models see of pictures and answer: of each the photo, the image made of it, its classes."""

from collections.abc import Collection, Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgefashion import figures
from edgefashion.errors import PictureError
from edgefashion.escaping import plot_label
from edgefashion.pictures import thumbnail
from edgefashion.prediction import text
from edgefashion.prediction.classes import Prediction, Shown, probabilities

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST, MOST_FILES = 30, 2
"""Pictures and files that are drawn: the first."""
BARS = 10
"""Classes of a picture that have one; of more, the likeliest."""
WIDE, HIGH = 7.2, 2.3
"""Of what is drawn of a picture, in inches."""
PIXELS = 400
"""The longest edge of a photo in it."""
LONGEST = 30
"""Characters of a name."""
COLORS = ("#0072b2", "#e69f00")
"""Okabe and Ito, "Color universal design" (2008): told apart by people who do not see all colors."""
REJECTED = "0.6"


def plot(
    images: Sequence[Shown], predictions: Sequence[Prediction], photos: Collection[str], path: Path
) -> int:
    """Draw the first images, MOST at most, and say how many these are: those whose names are in `photos` are
    made from picture files of these names, which are drawn beside them.

    Raises BadInput for a suffix other than .png, .svg and .pdf, MissingExtra without matplotlib, and
    OutputError when `path` cannot be written.
    """
    kind = figures.kind_of(path)
    answered = [each for each in predictions if each.logits is not None]
    shown = answered[:MOST_FILES]
    drawn = images[:MOST]
    columns = 1 + (len(drawn) > 4) + (len(drawn) > 12)
    rows = ceil(len(drawn) / columns)
    figure = figures.new_figure(WIDE * columns, HIGH * rows + 1)
    cells = figure.subplots(rows, 3 * columns, squeeze=False, width_ratios=(1, 1, 1.7) * columns)
    for axes in cells.flat:
        axes.set_axis_off()
    names = text.brief_names([each.name for each in images])
    for number, image in enumerate(drawn):
        row, column = number % rows, 3 * (number // rows)
        photo, seen, bars = cells[row, column : column + 3]
        _show_photo(photo, image, names[image.name], image.name in photos)
        _show_seen(seen, image)
        _show_bars(bars, shown, number)
    _tell(figure, shown, f"{_count(len(drawn), len(images), 'picture')}{_of_files(len(answered))}")
    figures.save(figure, path, kind)
    return len(drawn)


def _count(drawn: int, of: int, what: str) -> str:
    return f"the first {drawn} of {of} {what}s" if drawn < of else f"{of} {what}{'s' if of > 1 else ''}"


def _of_files(count: int) -> str:
    return f", {_count(MOST_FILES, count, 'file')}" if count > MOST_FILES else ""


def _show_photo(axes: "Axes", image: Shown, name: str, is_file: bool) -> None:
    axes.set_title(_brief(name), fontsize=9)
    try:
        photo = thumbnail(Path(image.name), PIXELS) if is_file else None
    except PictureError:  # it is gone since it was classified
        photo = None
    if photo:
        axes.imshow(np.asarray(photo))
        return
    axes.set_box_aspect(1)
    axes.text(0.5, 0.5, _brief(image.remark), ha="center", va="center", fontsize=9)


def _show_seen(axes: "Axes", image: Shown) -> None:
    """The image as it is, of clothing bright on black: a wrong border would be seen."""
    height, width, channels = image.pixels.shape
    axes.imshow(image.pixels[..., 0] if channels == 1 else image.pixels, cmap="gray", vmin=0, vmax=255)
    axes.set_title(f"as the model sees it, {width}x{height}", fontsize=9)


def _show_bars(axes: "Axes", predictions: Sequence[Prediction], number: int) -> None:
    """The classes in their order, or the likeliest where there are more than BARS."""
    shares = np.stack([probabilities(each.logits[number]) for each in predictions if each.logits is not None])
    count = shares.shape[1]
    labels = np.arange(count) if count <= BARS else np.argsort(-shares[0], kind="stable")[:BARS]
    axes.set_axis_on()
    thick = 0.8 / len(predictions)
    for place, own in enumerate(shares):
        rejected = len(predictions) == 1 and predictions[0].none_of_these(number)
        heights = np.arange(len(labels)) + thick * (place - (len(predictions) - 1) / 2)
        bars = axes.barh(heights, 100 * own[labels], thick, color=REJECTED if rejected else COLORS[place])
        axes.bar_label(bars, [_percent(share) for share in own[labels]], padding=2, fontsize=6)
    axes.set_yticks(range(len(labels)), [_brief(predictions[0].labels[each]) for each in labels], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 118)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.set_title(_verdict(predictions, number), fontsize=9, fontweight="bold", loc="left")


def _verdict(predictions: Sequence[Prediction], number: int) -> str:
    """What is answered, a line a file where they do not agree."""
    said = [text.answer(each, number) for each in predictions]
    classes = {(each.none_of_these(number), each.top(number)[0].label) for each in predictions}
    if len(classes) == 1:
        return plot_label(said[0]).replace(" (", "\n(")
    names = [each.artifact.path.name for each in predictions]
    return "\n".join(plot_label(f"{name}: {each}") for name, each in zip(names, said, strict=True))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 else ""


def _tell(figure: "Figure", predictions: Sequence[Prediction], count: str) -> None:
    """Whose answers these are, and to how many pictures."""
    names = [plot_label(each.artifact.path.name) for each in predictions]
    who = names[0] if len(names) == 1 else f"{len(names)} model files"
    figure.suptitle(f"{who}: {count}, the probability of each class", fontsize=12)
    if len(names) > 1:
        from matplotlib.patches import Patch

        handles = [Patch(color=COLORS[place], label=name) for place, name in enumerate(names)]
        figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=9)


def _brief(name: str) -> str:
    return plot_label(name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…")
