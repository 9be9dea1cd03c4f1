"""A comparison for spreadsheets and programs."""

from typing import Any

from edgefashion.escaping import csv
from edgefashion.report.compare import notes
from edgefashion.report.compare.devices import DeviceResults
from edgefashion.report.compare.join import Cell, Comparison
from edgefashion.version import __version__

Record = dict[str, Any]
_OF_ROW = ("model", "format", "precision", "target", "kept_float", "runtime", "runtime_version", "threads")
_PERCENTILES = ("p50", "p90", "p99", "mean")


def records(comparison: Comparison) -> list[Record]:
    """An object for each artifact and source, in the order of the table, with the fields of results files.

    Beside those: `source` (its number), `device`, `date`, `file`, `emulated`; `ratio`, `ratio_low` and
    `ratio_high` to the source that it is compared with, and `within_spread`; `same_file` as there.
    Times are null of an emulated processor.
    """
    return [_record(cell) for line in comparison.lines for cell in line.cells]


def to_csv(comparison: Comparison) -> str:
    """CSV, a record a row; nothing is an empty cell."""
    return csv([_flat(record) for record in records(comparison)])


def to_dict(comparison: Comparison) -> dict[str, Any]:
    """JSON: `against` (a source's number or null), `sources`, `rows` (the records), the table's `notes`."""
    return {
        "edgefashion": __version__,
        "against": comparison.against and comparison.against.number,
        "sources": [_source(source) for source in comparison.sources],
        "rows": records(comparison),
        "notes": notes.notes(comparison),
    }


def _source(source: DeviceResults) -> Record:
    found = source.results
    return {
        "number": source.number,
        "title": source.title,
        "files": [str(path) for path in source.paths],
        "verb": found.verb,
        "edgefashion": found.edgefashion,
        "device": found.device.to_dict(),
        "dataset": found.dataset and found.dataset.to_dict(),
        "protocol": found.protocol,
    }


def _record(cell: Cell) -> Record:
    source, row, ratio = cell.source, cell.row, cell.ratio
    fields, timed = row.to_dict(), cell.p50 is not None
    (low, high), ends = row.accuracy_ci95 or (None, None), row.balanced_accuracy_ci95 or (None, None)
    return {
        **{name: fields[name] for name in _OF_ROW},
        "source": source.number,
        "device": source.title,
        "date": source.results.device.date,
        "file": str(source.paths[0]),
        "emulated": source.emulated,
        "status": row.status,
        "error": row.error,
        **{f"{name}_us": fields["latency_us"][name] if timed else None for name in _PERCENTILES},
        "samples": row.latency_us.samples if timed else 0,
        "ratio": ratio and ratio.value,
        "ratio_low": ratio and ratio.low,
        "ratio_high": ratio and ratio.high,
        "within_spread": ratio and ratio.within_spread,
        "energy_mj": row.energy_mj if timed else None,
        "images": row.images,
        "accuracy": row.accuracy,
        "accuracy_low": low,
        "accuracy_high": high,
        "balanced_accuracy": row.balanced_accuracy,
        "balanced_accuracy_low": ends[0],
        "balanced_accuracy_high": ends[1],
        "size_bytes": row.size_bytes,
        "sha256": row.sha256,
        "same_file": cell.same_file,
        "flags": fields["flags"] if not source.emulated else [],
        "note": row.note,
    }


def _flat(record: Record) -> Record:
    flags = "; ".join(f"{flag['flag']}: {flag['why']}" for flag in record["flags"])
    return {**record, "kept_float": " ".join(record["kept_float"]), "flags": flags}
