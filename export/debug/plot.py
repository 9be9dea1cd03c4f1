"""The errors of layers as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgefashion import figures
from edgefashion.artifacts import formats
from edgefashion.export.debug import DebugReport, ModelError
from edgefashion.figures import Caption, Entry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PALE = 0.4
LABELED = 0.05
"""The smallest share whose number stands beside its bars."""
NAME_INCHES, ROW_INCHES, LEAST_ROW_INCHES, MANY = 2.2, 0.23, 0.165, 30
"""Of the name of a layer; of its row, which is lower where there are many."""


def plot(report: DebugReport, path: Path) -> None:
    """Draw the layers in the order of the model, share and SNR side by side, all formats in each.

    Raises BadInput for a suffix other than .png, .svg and .pdf, MissingExtra without matplotlib, and
    OutputError when `path` cannot be written.
    """
    figures.check(path)
    fullest = sorted(report.models.values(), key=lambda model: -len(model.layers))
    names = list(dict.fromkeys(layer.layer for model in fullest for layer in model.layers))
    rows = {name: row for row, name in enumerate(names)}
    height = 1.0 + (ROW_INCHES if len(names) <= MANY else LEAST_ROW_INCHES) * len(names)
    details = [f"{report.run}, {report.precision}, against float on {report.images:,} {report.split} images"]
    caption = Caption("What rounding costs, layer by layer", details, report.machine, report.date)
    with figures.drawing(path, height, caption, list(map(_entries, report.models))) as figure:
        shares, ratios = figure.subplots(1, 2, sharey=True)
        for number, (format, model) in enumerate(report.models.items()):
            _bars(shares, model, format, rows, (number, len(report.models)))
            _ratios(ratios, model, format, rows)
        _name_shares(shares, report, rows)
        shares.set_yticks(
            range(len(names)), [figures.fit(name, figures.SMALL, NAME_INCHES) for name in names]
        )
        shares.set_ylim(len(names) - 0.5, -0.5)
        shares.set_title("share of the logits' squared error, %")
        shares.set_xlim(left=0)
        ratios.set_title("signal-to-noise ratio (SNR) of the layer's output, dB")
        for axes in (shares, ratios):
            axes.grid(visible=False, axis="y")
            axes.tick_params(axis="y", length=0)
            axes.tick_params(axis="x", top=len(names) > MANY, labeltop=len(names) > MANY)


def _color(format: str) -> str:
    return figures.COLORS[formats.rank(format) % len(figures.COLORS)]


def _entries(format: str) -> list[Entry]:
    """What bars, lines and points of a format are."""
    title, look = formats.title(format), {"color": _color(format), "linestyle": ""}
    return [
        Entry(f"{title}: weights rounded", {**look, "marker": "s", "markersize": 7}),
        Entry("output in 8 bits", {**look, "marker": "s", "markersize": 7, "alpha": PALE}),
        Entry("SNR with all layers before", {**look, "linestyle": "-"}),
        Entry("SNR of this layer alone", {**look, "marker": "o", "markersize": 4}),
    ]


def _bars(axes: "Axes", model: ModelError, format: str, places: dict[str, int], of: tuple[int, int]) -> None:
    """A bar a layer, at the places of their names, the first of so many formats or a later one: what its
    weights cause, then, pale, what the grid of its output does.
    """
    number, count = of
    height = 0.8 / count
    rows = [places[layer.layer] - 0.4 + height * (number + 0.5) for layer in model.layers]
    weights = [100 * layer.share_weights for layer in model.layers]
    outputs = [100 * layer.share_output for layer in model.layers]
    axes.barh(rows, weights, height, color=_color(format))
    axes.barh(rows, outputs, height, weights, color=_color(format), alpha=PALE)


def _name_shares(axes: "Axes", report: DebugReport, places: dict[str, int]) -> None:
    """The shares of each layer beside its bars, in the order of the formats, where one of them is large."""
    axes.margins(x=0.2)
    shares = [{layer.layer: layer.share for layer in model.layers} for model in report.models.values()]
    for name, row in places.items():
        own = [of.get(name) for of in shares]
        largest = max(share for share in own if share is not None)
        if largest >= LABELED:
            text = " and ".join("–" if share is None else f"{100 * share:.0f}" for share in own)
            look: dict[str, Any] = {"textcoords": "offset points", "size": figures.SMALL, "va": "center"}
            axes.annotate(text, (100 * largest, row), (4, 0), **look)


def _ratios(axes: "Axes", model: ModelError, format: str, places: dict[str, int]) -> None:
    """A line of what has come together up to each layer; points for what the layer adds itself."""
    rows = [places[layer.layer] for layer in model.layers]
    nothing = float("nan")
    together = [nothing if layer.snr_db is None else layer.snr_db for layer in model.layers]
    own = [nothing if layer.own_snr_db is None else layer.own_snr_db for layer in model.layers]
    axes.plot(together, rows, color=_color(format), linewidth=1.5)
    axes.plot(own, rows, "o", color=_color(format), alpha=0.7, markersize=4)
