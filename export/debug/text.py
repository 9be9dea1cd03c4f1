"""The errors of layers for people."""

from collections.abc import Iterator
from dataclasses import replace

from edgefashion import tables
from edgefashion.errors.wording import setting
from edgefashion.export.debug import DebugReport, ModelError
from edgefashion.tables import Column, Page, Row, Table, figure

SHOWN, LISTED = 15, 3


def to_text(report: DebugReport) -> str:
    """The pages as text."""
    return "\n\n".join(map(tables.to_text, pages(report)))


def page(report: DebugReport) -> Page:
    """All pages as one, whose tables are called by the files."""
    found = list(pages(report))
    header = [line.strip() for each in found for line in each.header]
    named = zip(report.models.values(), found[1:], strict=True)
    return Page(
        header,
        [replace(table, title=model.file) for model, each in named for table in each.tables],
        [line.strip() for each in found for line in each.notes],
        setting("--json"),
    )


def pages(report: DebugReport) -> Iterator[Page]:
    """For each format: how far the logits are off, and the layers that cause the most of it."""
    images = f"{report.images} {report.split} images"
    yield Page([f"{report.run}, {report.precision}, against the float model on {images}"], [], [])
    for model in report.models.values():
        yield _page(model)


def _page(model: ModelError) -> Page:
    lines = [
        f"{model.file}: {_kernels(model)}",
        f"  logits: SNR {_decibels(model.snr_db)} dB, the same class for {model.agreement:.1%} of the images",
    ]
    if model.explained is not None:
        own = "the layers' own errors, each carried to the logits"
        lines.append(f"  {own}, come to {model.explained:.0%} of theirs")
    if model.unranked:
        lines.append(
            f"  not ranked, since the file computes them in one with others: {_listed(model.unranked)}"
        )
    shown, rest = model.ranked[:SHOWN], model.ranked[SHOWN:]
    more = [f"  and {len(rest)} more: {sum(layer.share for layer in rest):.1%}"] if rest else []
    return Page(
        lines,
        [Table("", _COLUMNS, [{"layer": layer} for layer in shown])],
        more,
        setting("--json"),
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _kernels(model: ModelError) -> str:
    if not model.kernels_differ:
        return f"{model.runtime}, with the kernels that always run it"
    return (
        f"{model.runtime}, with other kernels than always run it: "
        f"the logits differ by up to {model.kernels_differ:.3g}"
    )


def _decibels(value: float | None) -> str:
    return figure(value, form=".1f")


_COLUMNS: tuple[Column[Row], ...] = (
    Column("layer", lambda row: row["layer"].layer, number=False),
    Column("kind", lambda row: row["layer"].kind, number=False, importance=4),
    Column("shape", lambda row: "x".join(map(str, row["layer"].shape)), number=False, importance=2),
    Column("share", lambda row: f"{row['layer'].share:.1%}"),
    Column("weights", lambda row: f"{row['layer'].share_weights:.1%}", importance=6),
    Column("output", lambda row: f"{row['layer'].share_output:.1%}", importance=6),
    Column("SNR dB", lambda row: _decibels(row["layer"].snr_db), importance=7),
    Column("own SNR dB", lambda row: _decibels(row["layer"].own_snr_db), importance=5),
)
