"""Pictures of the images, for people."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edgefashion import device, figures
from edgefashion.data.dataset import Subset
from edgefashion.errors import BadInput
from edgefashion.figures import Caption, fit
from edgefashion.task import Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

GAP, NAME = 0.04, 0.26
"""Inches between images, and of the line with a class's name above its images."""
LARGEST, SINGLE = 1.0, 4.0
"""Inches of an image in a grid, and of one alone."""
Place = tuple[float, float]


class Grid(NamedTuple):
    """What fits on a page: how many classes stand side by side, and how many images each shows."""

    most_classes: int
    columns: int
    per_class: int

    @property
    def pitch(self) -> float:
        """Inches from one image to the next."""
        return min(LARGEST, (figures.WIDTH - 2 * figures.MARGIN) / (self.columns * (self.per_class + 0.3)))


GRIDS = (Grid(3, 1, 14), Grid(30, 2, 8), Grid(100, 5, 4))
"""Few classes with many images, or many with few; of more than the last has room for, some are not drawn."""


def grid_of(classes: int) -> Grid:
    """The grid for so many classes."""
    return next((grid for grid in GRIDS if classes <= grid.most_classes), GRIDS[-1])


def plot_grid(subset: Subset, task: Task, path: Path) -> None:
    """Draw the first images of each class, as many as a page has room for, into `path`.

    Raises BadInput for a suffix other than .png, .svg and .pdf, MissingExtra without matplotlib, and
    OutputError when `path` cannot be written.
    """
    figures.check(path)
    present = np.unique(subset.labels)
    grid = grid_of(len(present))
    classes = present[: grid.most_classes]
    rows = -(-len(classes) // grid.columns)
    step = NAME + grid.pitch * _aspect(task)
    of = f"{len(classes)} of {len(task.classes)}" if len(classes) < len(task.classes) else f"{len(classes)}"
    words = f"{of} classes, the first {grid.per_class} training images of each"
    with figures.drawing(path, rows * step, _caption(task, task.name, words)) as figure:
        axes = _sheet(figure.subplots(), figures.WIDTH - 2 * figures.MARGIN, rows * step)
        for place, label in enumerate(classes):
            column, row = divmod(place, rows)
            x, y = column * grid.pitch * (grid.per_class + 0.3), row * step
            name = fit(task.classes[label], figures.SMALL, grid.pitch * grid.per_class)
            axes.text(x, y + NAME - 0.05, name, size=figures.SMALL, va="bottom")
            shown = np.flatnonzero(subset.labels == label)[: grid.per_class]
            _draw(axes, _strip(subset, shown, task, grid.pitch), task, (x, y + NAME), grid.pitch * len(shown))


def plot_image(subset: Subset, task: Task, index: int, path: Path) -> None:
    """Draw image `index` of `subset` (0 is the first) large, with its class, into `path`.

    Raises BadInput for an index that is not there or a suffix other than .png, .svg and .pdf, MissingExtra
    without matplotlib, and OutputError when `path` cannot be written.
    """
    figures.check(path)
    if not 0 <= index < len(subset):
        raise BadInput(f"there is no image {index} among {len(subset):,}; give 0 to {len(subset) - 1}")
    words = f"image {index:,} of {len(subset):,} of {task.name}, counted from 0"
    caption = _caption(task, task.classes[subset.labels[index]], words)
    height = SINGLE * _aspect(task)
    with figures.drawing(path, height, caption, width=SINGLE + 2 * figures.MARGIN) as figure:
        _draw(_sheet(figure.subplots(), SINGLE, height), subset.images[index], task, (0, 0), SINGLE)


def _aspect(task: Task) -> float:
    return task.height / task.width


def _caption(task: Task, title: str, words: str) -> Caption:
    size = f"{task.height}x{task.width} {'gray' if task.channels == 1 else 'RGB'} pixels"
    shown = ", drawn inverted: dark on white" if _is_inverted(task) else ""
    here = device.describe()
    return Caption(title, [words, f"{size}{shown}"], here.name, here.date)


def _sheet(axes: "Axes", width: float, height: float) -> "Axes":
    """Axes of so many inches, from the top left."""
    axes.set_axis_off()
    axes.set_autoscale_on(False)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    return axes


def _strip(subset: Subset, positions: "NDArray[np.intp]", task: Task, pitch: float) -> "NDArray[np.uint8]":
    """Images beside each other, uint8 [height, width, channels], with a white gap after each: one picture is
    drawn much faster than many.
    """
    gap = max(1, round(task.width * GAP / (pitch - GAP)))
    white = np.full((task.height, gap, task.channels), 0 if _is_inverted(task) else 255, np.uint8)
    return np.concatenate([part for each in positions for part in (subset.images[int(each)], white)], axis=1)


def _is_inverted(task: Task) -> bool:
    """Whether its images are of clothing, which is bright on black, and shown as on paper."""
    return task.picture.fit == "garment"


def _draw(axes: "Axes", image: "NDArray[np.uint8]", task: Task, corner: Place, width: float) -> None:
    """An image uint8 [height, width, channels] with its top left corner there, so many inches wide."""
    x, y = corner
    height = width * image.shape[0] / image.shape[1]
    # Of an image in colors, matplotlib ignores what is said of gray.
    axes.imshow(
        image[..., 0] if image.shape[-1] == 1 else image,
        cmap="gray_r" if _is_inverted(task) else "gray",
        vmin=0,
        vmax=255,
        extent=(x, x + width, y + height, y),
        aspect="auto",
    )
