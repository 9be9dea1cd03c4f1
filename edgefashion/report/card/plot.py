"""A picture of the confusion matrix."""

from pathlib import Path

import numpy as np

from edgefashion import figures
from edgefashion.escaping import plot_label
from edgefashion.report.card.data import Card

NAMED = 40
"""Classes that there is room to name; of more only the shades are drawn."""


def plot(evidence: Card, path: Path) -> None:
    """Draw how the deployed artifact confuses the classes into `path`; the shades are shares of each class.

    Raises BadInput for a suffix other than .png, .svg and .pdf, MissingExtra without matplotlib, and
    OutputError when `path` cannot be written.
    """
    kind = figures.kind_of(path)
    matrix = evidence.confusion(evidence.deployed)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure = figures.new_figure(7.6, 7.0)
    axis = figure.subplots()
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axis.set_xlabel("class of the highest logit")
    axis.set_ylabel("class of the image")
    if len(matrix) <= NAMED:
        names = list(map(plot_label, evidence.task.classes))
        axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axis.set_yticks(range(len(names)), names)
        for label, other in np.argwhere(matrix):
            shade = "white" if shares[label, other] > 0.5 else "black"
            axis.text(other, label, f"{matrix[label, other]:,}", ha="center", va="center", color=shade)
    name = evidence.artifacts[evidence.deployed].path.name
    axis.set_title(plot_label(f"{name}, {len(evidence.labels):,} {evidence.dataset.measured}"))
    figures.save(figure, path, kind)
