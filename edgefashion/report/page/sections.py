"""What the page shows, section by section: each is there only where there is something to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgefashion.records.debug import Debug, LayerError, ModelError
from edgefashion.report.card import Card, pictures
from edgefashion.report.card import page as cards
from edgefashion.report.page import answers, charts, confusion, facts, results
from edgefashion.report.page.charts import Chart
from edgefashion.report.page.confusion import Album, Matrix
from edgefashion.report.page.data import Model, Report
from edgefashion.report.page.results import Headline, Measured, Scatter
from edgefashion.tables import Column, Page, Table, figure

MOST_HEADLINES = 6


@dataclass(frozen=True)
class Training:
    """How a model was trained."""

    name: str
    page: Page
    curves: list[Chart]


@dataclass(frozen=True)
class Mistakes:
    """Where a model is wrong, as its deployed file answers."""

    name: str
    anchor: str
    lines: list[str]
    by_class: Table[Any]
    recalls: Chart | None
    matrix: Matrix | None
    pairs: Page
    """The most frequent confusions."""
    model: Model


@dataclass(frozen=True)
class Layers:
    """The errors of an int8 file's layers."""

    title: str
    lines: list[str]
    table: Table[Any]
    chart: Chart | None


@dataclass(frozen=True)
class View:
    """All that the templates show."""

    title: str
    left_out: Sequence[str]
    repeated: Sequence[str]
    missing: list[tuple[str, str]]
    """Models whose files could not be asked, and why."""
    headlines: list[Headline]
    more: int
    """Models without a headline."""
    measured: list[Measured]
    scatter: Scatter | None
    beside: tuple[Table[Any], Chart | None] | None
    training: list[Training]
    mistakes: list[Mistakes]
    layers: list[Layers]
    devices: Table[Any] | None
    origins: list[tuple[str, Table[Any]]]


def albums(shown: Sequence[Mistakes], room: int) -> dict[str, Album]:
    """The images of mistakes by `Mistakes.anchor`, of so many bytes of a page. Raises MissingExtra."""
    return {
        each.anchor: confusion.album(each.model.card, each.model.images, room // len(shown))
        for each in shown
        if each.model.card and each.model.images
    }


def view(report: Report) -> View:
    """What is to be shown of a report, but for images. Raises MissingExtra."""
    comparison = report.comparison
    shown = [(model, model.card) for model in report.models if model.card]
    headlines = results.headlines(report)
    return View(
        _title(report),
        report.left_out,
        report.repeated,
        [(model.name, model.missing) for model in report.models if model.missing],
        headlines[:MOST_HEADLINES],
        len(headlines[MOST_HEADLINES:]),
        results.measured(comparison) if comparison else [],
        results.scatter(comparison) if comparison else None,
        results.beside_float(report),
        [_training(model, number) for number, model in enumerate(report.models)],
        [_mistakes(model, card, number) for number, (model, card) in enumerate(shown)],
        [layer for number, each in enumerate(report.layers) for layer in _layers(each, number)],
        facts.devices(comparison.sources) if comparison else None,
        [(model.name, facts.origin(model)) for model in report.models],
    )


def _title(report: Report) -> str:
    sources = report.comparison.sources if report.comparison else ()
    names = [story.name for model in report.models for story in model.stories[:1]]
    names += [row.model for source in sources for row in source.results.rows]
    names = list(dict.fromkeys([*names, *(each.run for each in report.layers)]))
    what = ", ".join(names) if len(names) <= 3 else f"{len(names)} models"
    return f"{what} on {report.task}" if report.task else what


def _training(model: Model, number: int) -> Training:
    own = model.stories[0]
    page = cards.training(model.stories, model.card.cautions if model.card else ())
    header = [cards.architecture(own, model.card.results.rows if model.card else ()), *page.header]
    drawn = charts.curves(f"curves-{number}", own)
    return Training(model.name, Page(header, page.tables, page.notes), drawn)


def _mistakes(model: Model, card: Card, number: int) -> Mistakes:
    found = answers.mistakes(card)
    file, own = card.artifacts[card.deployed], card.results.rows[card.deployed]
    count = len(card.labels)
    line = f"As {file.path.name} answers for {count:,} {card.dataset.measured}"
    if found:
        lines = [f"{line}: {len(found):,} of them get another class than their own"]
    else:
        lines = [line, pictures.no_confusion(file.path.name, count)]
    return Mistakes(
        model.name,
        f"m{number}",
        [*lines, *card.dataset.told()],
        cards.by_class(own),
        charts.recalls(f"recall-{number}", own.recalls),
        confusion.matrix(card) if found else None,
        cards.weaknesses(card),
        model,
    )


def _layers(found: Debug, number: int) -> list[Layers]:
    return [
        Layers(
            f"{found.run}: {model.file}",
            [
                f"{found.images:,} {found.split} images, against the float model: the same class for "
                f"{100 * model.agreement:.1f} % of them; {_where(found, model)}"
            ],
            Table("", _LAYERS, sorted(model.layers, key=_share, reverse=True)),
            charts.layers(f"layers-{number}-{place}", model),
        )
        for place, model in enumerate(found.models.values())
    ]


def _where(found: Debug, model: ModelError) -> str:
    """By what, on which machine and when, as far as the file tells."""
    return ", ".join(filter(None, (model.runtime, found.machine, (found.date or "")[:10])))


def _share(layer: LayerError) -> float:
    return layer.share


_LAYERS: tuple[Column[LayerError], ...] = (
    Column("Layer", lambda layer: layer.layer, number=False),
    Column("Kind", lambda layer: layer.kind, number=False),
    Column("Shape", lambda layer: "x".join(map(str, layer.shape))),
    Column("Share %", lambda layer: figure(layer.share, 100, ".1f")),
    Column("by weights %", lambda layer: figure(layer.share_weights, 100, ".1f")),
    Column("by output %", lambda layer: figure(layer.share_output, 100, ".1f")),
    Column("SNR dB", lambda layer: figure(layer.snr_db, form=".1f")),
    Column("own SNR dB", lambda layer: figure(layer.own_snr_db, form=".1f")),
)
