"""Pictures of the images, for people."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgefashion import figures
from edgefashion.data.dataset import Subset
from edgefashion.errors import BadInput
from edgefashion.escaping import visible
from edgefashion.task import Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes


COLUMNS = 12
"""Of a grid: images of a class."""
MOST_ROWS = 50
"""Of a grid: more classes than that are not drawn."""
LONGEST = 24
"""Characters of a class's name beside its row."""


def plot_grid(subset: Subset, task: Task, path: Path, per_class: int = COLUMNS) -> None:
    """Draw the first `per_class` images of each class, a labeled row a class, into `path`.

    Raises BadInput for a suffix other than .png, .svg and .pdf, MissingExtra without matplotlib, and
    OutputError when `path` cannot be written.
    """
    kind = figures.kind_of(path)
    classes = np.unique(subset.labels)[:MOST_ROWS]
    figure = figures.new_figure(0.62 * per_class + 1.4, 0.62 * len(classes) + 0.5)
    axes = figure.subplots(len(classes), per_class, squeeze=False)
    for row, label in zip(axes, classes, strict=True):
        row[0].set_ylabel(
            _brief(task.classes[label]),
            rotation=0,
            ha="right",
            va="center",
            fontsize=11,
            labelpad=8,
            parse_math=False,
        )
        shown = np.flatnonzero(subset.labels == label)[:per_class]
        for column, axis in enumerate(row):
            _bare(axis)
            if column < len(shown):
                _draw(axis, subset, int(shown[column]), task)
    left_out = len(task.classes) - len(classes)
    more = f" (the first {len(classes)} of {len(task.classes)} classes)" if left_out else ""
    figure.suptitle(f"{task.name}{more}", fontsize=13, parse_math=False)
    figures.save(figure, path, kind)


def plot_image(subset: Subset, task: Task, index: int, path: Path) -> None:
    """Draw image `index` of `subset` (0 is the first) large, with its class, into `path`.

    Raises BadInput for an index that is not there or a suffix other than .png, .svg and .pdf, MissingExtra
    without matplotlib, and OutputError when `path` cannot be written.
    """
    kind = figures.kind_of(path)
    if not 0 <= index < len(subset):
        raise BadInput(f"there is no image {index} among {len(subset):,}; give 0 to {len(subset) - 1}")
    figure = figures.new_figure(4.2, 4.6)
    axis = figure.subplots()
    _bare(axis)
    _draw(axis, subset, index, task)
    axis.set_title(_brief(task.classes[subset.labels[index]]), fontsize=16, parse_math=False)
    axis.set_xlabel(f"image {index:,} of {len(subset):,}, counted from 0", fontsize=9, color="0.4")
    figures.save(figure, path, kind)


def _bare(axis: "Axes") -> None:
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_visible(False)


def _brief(name: str) -> str:
    text = visible(name)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _draw(axis: "Axes", subset: Subset, position: int, task: Task) -> None:
    """Clothing, which is bright on black, is shown as on paper."""
    image = subset.images[position]
    # Of an image in colors, matplotlib ignores what is said of gray.
    axis.imshow(
        image[..., 0] if image.shape[-1] == 1 else image,
        cmap="gray_r" if task.picture.fit == "garment" else "gray",
        vmin=0,
        vmax=255,
    )
