"""The errors of layers as lines of text."""

from collections.abc import Iterator

from edgefashion.escaping import visible
from edgefashion.inspection.text import UNKNOWN, columns
from export.debug import ModelError, Report
from export.debug.error import LayerError

SHOWN = 15
HEADING = ("layer", "kind", "shape", "share", "weights", "output", "SNR dB", "own SNR dB")


def to_text(report: Report) -> str:
    """For each format: how far the logits are off, and the layers that cause the most of it."""
    head = f"{report.run}, {report.precision}, against the float model on {report.images} validation images"
    lines = [head, *(line for model in report.models.values() for line in _lines(model))]
    return "\n".join(map(visible, lines))


def _lines(model: ModelError) -> Iterator[str]:
    yield ""
    yield f"{model.file}: {_kernels(model)}"
    yield f"  logits: SNR {_figure(model.snr_db)} dB, the same class for {model.agreement:.1%} of the images"
    if model.explained is not None:
        yield f"  the layers' own errors, each carried to the logits, come to {model.explained:.0%} of theirs"
    ranked = model.ranked
    yield from columns([HEADING, *map(_row, ranked[:SHOWN])], words=3)
    if rest := ranked[SHOWN:]:
        yield f"  and {len(rest)} more: {sum(layer.share for layer in rest):.1%}"


def _kernels(model: ModelError) -> str:
    if not model.kernels_differ:
        return f"{model.runtime}, with the kernels that always run it"
    return (
        f"{model.runtime}, with other kernels than always run it: "
        f"the logits differ by up to {model.kernels_differ:.3g}"
    )


def _row(layer: LayerError) -> tuple[str, ...]:
    return (
        layer.layer,
        layer.kind,
        "x".join(map(str, layer.shape)),
        f"{layer.share:.1%}",
        f"{layer.share_weights:.1%}",
        f"{layer.share_output:.1%}",
        _figure(layer.snr_db),
        _figure(layer.own_snr_db),
    )


def _figure(decibels: float | None) -> str:
    return UNKNOWN if decibels is None else f"{decibels:.1f}"
