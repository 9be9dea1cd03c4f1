"""The results of a measurement in sentences: for each model its int8 TFLite file, or the next best."""

from collections.abc import Sequence

from edgefashion.artifacts import formats
from edgefashion.artifacts.formats import INTEGER_PRECISIONS
from edgefashion.evaluation.results import Results
from edgefashion.records.results import Row
from edgefashion.tables import figure

CHANCE = 0.05
"""A difference whose p is larger may well be chance."""


def sentences(results: Results) -> list[str]:
    """A line for each model that could be measured: how often it is right, how large and how fast it is."""
    images = results.dataset.measured if results.dataset else "test images"
    return [_sentence(row, images) for row in usual_rows(results.rows)]


def usual_rows(rows: Sequence[Row]) -> list[Row]:
    """Of each model that could be measured the row of its int8 TFLite file, or the next best."""
    sound = [row for row in rows if row.status == "ok" and row.accuracy is not None]
    models = dict.fromkeys(row.model for row in sound)
    return [min((row for row in sound if row.model == model), key=_rank) for model in models]


def _rank(row: Row) -> tuple[bool, int, int]:
    """Integers before floats, TFLite before ONNX, one thread before several."""
    return row.precision not in INTEGER_PRECISIONS, formats.rank(row.format), row.threads


def _sentence(row: Row, images: str) -> str:
    name = " ".join(filter(None, (row.model, row.precision, formats.title(row.format))))
    found = [f"{figure(row.accuracy, 100, '.1f')} % of {row.images:,} {images} right"]
    if row.is_imbalanced:
        found[0] += f" (balanced {figure(row.balanced_accuracy, 100, '.1f')} %)"
    if row.size_bytes:
        found.append(f"{row.size_bytes / 1000:,.0f} kB")
    if row.latency_us.p50:
        doubt = " (flagged above)" if row.flags else ""
        found.append(f"{row.latency_us.p50:,.0f} µs an image{doubt}")
    return f"{name}: {', '.join(found)}{_compared(row)}"


def _compared(row: Row) -> str:
    return f"; {loss}" if (loss := compared(row)) else ""


def compared(row: Row) -> str:
    """What is lost from float32; where classes are of different sizes, in balanced accuracy. Empty where that
    is not known.
    """
    p, delta = row.mcnemar_p, row.accuracy_delta
    if row.is_imbalanced:
        p, delta = row.balanced_p, row.balanced_accuracy_delta
    if p is None or delta is None:
        return ""
    if p >= CHANCE:
        return f"no more than chance apart from float32 (p {p:.2f})"
    return f"{100 * abs(delta):.2f} points {'worse' if delta < 0 else 'better'} than float32"
