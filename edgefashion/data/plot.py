"""Pictures of the images, for people."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgefashion import figures
from edgefashion.data.dataset import Subset
from edgefashion.data.fashion_mnist import CLASS_NAMES
from edgefashion.errors import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_grid(subset: Subset, path: Path, per_class: int = 12) -> None:
    """Draw the first `per_class` images of each class, a labeled row a class, into `path`.

    Raises BadInput for a suffix other than .png, .svg and .pdf, MissingExtra without matplotlib, and
    OutputError when `path` cannot be written.
    """
    kind = figures.kind_of(path)
    classes = np.unique(subset.labels)
    figure = figures.new_figure(0.62 * per_class + 1.4, 0.62 * len(classes) + 0.5)
    axes = figure.subplots(len(classes), per_class, squeeze=False)
    for row, label in zip(axes, classes, strict=True):
        row[0].set_ylabel(CLASS_NAMES[label], rotation=0, ha="right", va="center", fontsize=11, labelpad=8)
        shown = np.flatnonzero(subset.labels == label)[:per_class]
        for column, axis in enumerate(row):
            _bare(axis)
            if column < len(shown):
                _draw(axis, subset, int(shown[column]))
    figure.suptitle("Fashion-MNIST", fontsize=13)
    figures.save(figure, path, kind)


def plot_image(subset: Subset, index: int, path: Path) -> None:
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
    axis.set_title(CLASS_NAMES[subset.labels[index]], fontsize=16)
    axis.set_xlabel(f"image {index:,} of {len(subset):,}, counted from 0", fontsize=9, color="0.4")
    figures.save(figure, path, kind)


def _bare(axis: "Axes") -> None:
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_visible(False)


def _draw(axis: "Axes", subset: Subset, position: int) -> None:
    axis.imshow(subset.images[position, :, :, 0], cmap="gray_r", vmin=0, vmax=255)
