"""Results for people (a page of tables) and for spreadsheets (CSV)."""

from typing import Any

from msgspec.structs import replace

from edgefashion.errors.wording import setting
from edgefashion.escaping import csv
from edgefashion.evaluation.columns import result_tables, runtimes_of
from edgefashion.evaluation.notes import notes
from edgefashion.evaluation.results import Results
from edgefashion.records.results import Row
from edgefashion.tables import Page


def page(results: Results) -> Page:
    """The tables, with the header and the notes."""
    return Page(header(results), result_tables(results), notes(results), setting("--markdown"))


def to_csv(results: Results) -> str:
    """CSV, one result a row: the fields of the JSON without the raw samples; nothing is an empty cell."""
    return csv([_flat(row) for row in results.rows])


def header(results: Results) -> list[str]:
    """What was measured on what, and when: a line each."""
    machine, rows = results.device, results.rows
    name = machine.name or "unknown"
    features = f" ({' '.join(machine.isa)})" if machine.isa else ""
    emulated = f", emulated by {machine.emulated}" if machine.emulated else ""
    memory = f", {machine.memory_mb:,} MiB" if machine.memory_mb else ""
    threads = dict.fromkeys(str(row.threads) for row in rows)
    names = ", ".join(runtimes_of(rows)) or "none started"
    system = machine.os or "unknown system"
    lines = [
        *pooled(results),
        f"Device: {name}{emulated}, {machine.cores or '?'} cores{features}{memory}, {system}",
        f"Runtimes: {names}; threads: {', '.join(threads)}; {machine.date or 'unknown date'}",
    ]
    if data := results.dataset:
        part = "" if data.complete else " (a part of the data set, not comparable with the whole)"
        used = max((row.images or 0 for row in rows), default=0)
        lines.append(f"Data: {data.name}{data.place}, {used:,} of {data.counts.test:,} {data.measured}{part}")
        lines += data.told()
    if results.protocol and "summary" in results.protocol:
        lines.append(f"Protocol: {results.protocol['summary']}")
    return lines


def pooled(results: Results) -> list[str]:
    """Of each model that had folds, and each precision: the accuracy on pictures that were not seen."""
    return list(
        dict.fromkeys(f"{row.model} {row.precision}: {row.pooled}" for row in results.rows if row.pooled)
    )


def _flat(row: Row) -> dict[str, Any]:
    (low, high), ends = row.accuracy_ci95 or (None, None), row.balanced_accuracy_ci95 or (None, None)
    fields = replace(row, raw_us=()).to_dict()
    times = {f"{name}_us": value for name, value in fields["latency_us"].items() if name != "samples"}
    dropped = (
        "accuracy_ci95",
        "balanced_accuracy_ci95",
        "latency_us",
        "raw_us",
        "round_samples",
        "sustained",
        "host",
        "pooled",
    )
    return {
        **{name: value for name, value in fields.items() if name not in dropped},
        "kept_float": " ".join(row.kept_float),
        "pinned": " ".join(map(str, row.pinned or ())),
        "recalls": "; ".join(f"{each.name} {each.right}/{each.images}" for each in row.recalls),
        "flags": "; ".join(f"{flag.flag}: {flag.why}" for flag in row.flags),
        "equals_host": row.host.equal if row.host else None,
        "pooled_accuracy": row.pooled.accuracy if row.pooled else None,
        "accuracy_low": low,
        "accuracy_high": high,
        "balanced_accuracy_low": ends[0],
        "balanced_accuracy_high": ends[1],
        **times,
        "samples": row.latency_us.samples,
    }
