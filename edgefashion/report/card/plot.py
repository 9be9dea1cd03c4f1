"""A picture of the confusion matrix."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgefashion import figures
from edgefashion.report.card.data import Card, Matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Shades = NDArray[np.float64]

NAMED = 40
"""Classes that there is room to name; of more only the shades are drawn."""
NAME_INCHES, CELL_INCHES, MATRIX_INCHES = 1.7, 0.56, 7.0
"""A name, a cell and the matrix at most."""
LEAST_WIDTH = 7.0
COUNTED = 20
"""Classes whose images there is room to count; of more the `MOST_CONFUSED` are told."""
MOST_CONFUSED = 3
DARK = 0.5
"""A shade on which numbers are white."""


def plot(evidence: Card, path: Path) -> None:
    """Draw how the deployed artifact confuses the classes into `path`; the shades are shares of each class.

    Raises BadInput for a suffix other than .png, .svg and .pdf, MissingExtra without matplotlib, and
    OutputError when `path` cannot be written.
    """
    figures.check(path)
    matrix, classes = evidence.confusion(evidence.deployed), evidence.task.classes
    named = len(classes) <= NAMED
    side = min(CELL_INCHES * len(classes), MATRIX_INCHES)
    names = [figures.fit(name, figures.SMALL, NAME_INCHES) for name in classes] if named else []
    room = max((figures.width_of(name, figures.SMALL) for name in names), default=0.2)
    width = max(LEAST_WIDTH, side + room + 0.8)
    with figures.drawing(path, side + 0.75 * room + 0.5, _caption(evidence), width=width) as figure:
        axes = figure.subplots()
        shades = _shade(axes, matrix)
        if named:
            axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
            axes.set_yticks(range(len(names)), names)
        if len(classes) <= COUNTED:
            figures.settle(figure)
            _count(axes, matrix, shades)


def _shade(axes: "Axes", matrix: Matrix) -> "Shades":
    """What is right in blue, what is wrong in orange. The shades go by the root of a share, so that one image
    of a hundred is seen; gives them, in 0..1.
    """
    from matplotlib import colormaps

    shades: Shades = np.sqrt(matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1))
    colors = colormaps["Oranges"](0.9 * shades)
    right = np.arange(len(matrix))
    colors[right, right] = colormaps["Blues"](0.9 * shades[right, right])
    colors[matrix == 0] = 1
    axes.imshow(colors, interpolation="nearest")
    axes.set_anchor("W")
    axes.grid(visible=False)
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(figures.RULE)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    return shades


def _count(axes: "Axes", matrix: Matrix, shades: "Shades") -> None:
    """How many images, in letters that the cells have room for."""
    box = axes.get_window_extent()
    cell = box.width / axes.figure.dpi / len(matrix)
    size = min(
        figures.SMALL, 0.85 * figures.SMALL * cell / figures.width_of(f"{matrix.max():,}", figures.SMALL)
    )
    for label, other in np.argwhere(matrix):
        color = "white" if shades[label, other] > DARK else figures.INK
        axes.text(other, label, f"{matrix[label, other]:,}", ha="center", va="center", color=color, size=size)


def _caption(evidence: Card) -> figures.Caption:
    row, device = evidence.results.rows[evidence.deployed], evidence.results.device
    low, high = row.accuracy_ci95 or (0.0, 1.0)
    images = f"{len(evidence.labels):,} {evidence.dataset.measured} of {evidence.task.name}"
    details = [
        f"{evidence.artifacts[evidence.deployed].path.name} on {images}",
        f"{100 * (row.accuracy or 0):.2f} % are right (95 % interval {100 * low:.2f} to {100 * high:.2f} %)",
    ]
    names = evidence.task.classes
    if len(names) > COUNTED:
        details += [
            f"Most often: {names[each.label]} taken for {names[each.taken_for]} ({each.images} of {each.of})"
            for each in evidence.confused(MOST_CONFUSED)
        ]
    return figures.Caption("Which classes are taken for which", details, device.name, device.date)
