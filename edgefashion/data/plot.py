"""Pictures of the images, for people."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgefashion import figures
from edgefashion.data.dataset import Subset
from edgefashion.errors import BadInput
from edgefashion.task import Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MOST_ROWS = 50
"""Of a grid: more classes than that are not drawn."""


def plot_grid(subset: Subset, task: Task, path: Path, per_class: int = 12) -> None:
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
            task.classes[label],
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
                _draw(axis, subset, int(shown[column]))
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
    _draw(axis, subset, index)
    axis.set_title(task.classes[subset.labels[index]], fontsize=16, parse_math=False)
    axis.set_xlabel(f"image {index:,} of {len(subset):,}, counted from 0", fontsize=9, color="0.4")
    figures.save(figure, path, kind)


def _bare(axis: "Axes") -> None:
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_visible(False)


def _draw(axis: "Axes", subset: Subset, position: int) -> None:
    image = subset.images[position]
    # Of an image in colors, matplotlib ignores what is said of gray.
    axis.imshow(image[..., 0] if image.shape[-1] == 1 else image, cmap="gray_r", vmin=0, vmax=255)
