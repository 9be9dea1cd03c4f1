"""The errors of layers as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING

from edgefashion import figures
from edgefashion.artifacts import formats
from edgefashion.escaping import plot_label
from edgefashion.export.debug import DebugReport, ModelError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = ("#e07b00", "#1f6fb4", "#3a923a", "#9372b2")
"""Of the formats, in their order."""
LABELLED = 0.01
"""The smallest share whose number stands beside its bar."""


def plot(report: DebugReport, path: Path) -> None:
    """Draw the layers in the order of the model, share and SNR side by side, both formats in each.

    Raises BadInput for a suffix other than .png, .svg and .pdf, MissingExtra without matplotlib, and
    OutputError when `path` cannot be written.
    """
    kind = figures.kind_of(path)
    fullest = sorted(report.models.values(), key=lambda model: -len(model.layers))
    names = list(dict.fromkeys(layer.layer for model in fullest for layer in model.layers))
    rows = {name: row for row, name in enumerate(names)}
    figure = figures.new_figure(11, 2.2 + 0.23 * len(names))
    shares, ratios = figure.subplots(1, 2, sharey=True)
    for number, (format, model) in enumerate(report.models.items()):
        _bars(shares, model, format, rows, (number, len(report.models)))
        _ratios(ratios, model, format, rows)
    shares.set_yticks(range(len(names)), map(plot_label, names), fontsize=8)
    shares.set_ylim(len(names) - 0.5, -0.5)
    shares.set_title("Share of the logits' squared error, %", fontsize=10)
    shares.margins(x=0.12)
    ratios.set_title("Signal-to-noise ratio of the layer's output, dB", fontsize=10)
    for axes in (shares, ratios):
        axes.grid(axis="x", color="0.85", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="x", labelsize=8, top=len(names) > 20, labeltop=len(names) > 20)
    figure.legend(fontsize=8, loc="outside lower center", ncols=4)
    title = f"{report.run}, {report.precision}, on {report.images} validation images"
    figure.suptitle(plot_label(title), fontsize=12)
    figures.save(figure, path, kind)


def _color(format: str) -> str:
    return COLORS[formats.rank(format) % len(COLORS)]


def _bars(axes: "Axes", model: ModelError, format: str, places: dict[str, int], of: tuple[int, int]) -> None:
    """A bar a layer, at the places of their names, the first of so many formats or a later one: what its
    weights cause, then, pale, what the grid of its output does.
    """
    number, count = of
    height = 0.8 / count
    rows = [places[layer.layer] - 0.4 + height * (number + 0.5) for layer in model.layers]
    weights = [100 * layer.share_weights for layer in model.layers]
    outputs = [100 * layer.share_output for layer in model.layers]
    color = _color(format)
    axes.barh(rows, weights, height, color=color, label=f"{formats.title(format)}: rounded weights")
    label = f"{formats.title(format)}: 8 bits of the output"
    axes.barh(rows, outputs, height, weights, color=color, alpha=0.4, label=label)
    for where, layer in zip(rows, model.layers, strict=True):
        if layer.share >= LABELLED:
            end = (100 * layer.share, where)
            axes.annotate(
                f"{layer.share:.1%}", end, (2, 0), textcoords="offset points", fontsize=6, va="center"
            )


def _ratios(axes: "Axes", model: ModelError, format: str, places: dict[str, int]) -> None:
    """A line of what has come together up to each layer; points for what the layer adds itself."""
    rows = [places[layer.layer] for layer in model.layers]
    nothing = float("nan")
    together = [nothing if layer.snr_db is None else layer.snr_db for layer in model.layers]
    own = [nothing if layer.own_snr_db is None else layer.own_snr_db for layer in model.layers]
    axes.plot(
        together, rows, color=_color(format), linewidth=1.5, label=f"{formats.title(format)}: all so far"
    )
    axes.plot(
        own,
        rows,
        "o",
        color=_color(format),
        alpha=0.7,
        markersize=3.5,
        label=f"{formats.title(format)}: own only",
    )
