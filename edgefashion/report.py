"""Results for people (tables) and for spreadsheets (CSV); for programs see `edgefashion.results`."""

import csv
import io
from typing import TYPE_CHECKING

from edgefashion import targets
from edgefashion.results import Results
from edgefashion.tables import NONE, Column, Page, Row, Table, figure, print_page, time
from edgefashion.tables import to_markdown as markdown

if TYPE_CHECKING:
    from rich.console import Console

_INTEGER = (
    "x86 without VNNI and Arm without dot products have no fast sums of 8-bit products, and a small model "
    "has little to gain; how fast a Raspberry Pi is must be measured on one"
)
SLOWER_BECAUSE = {
    "dynamic": "it quantizes the activations of every layer anew in each inference",
    "int8": _INTEGER,
    "int8-qat": _INTEGER,
}


def print_report(results: Results, console: "Console | None" = None) -> None:
    """Print the tables. What is not a terminal gets them whole, however wide they are."""
    print_page(page(results), console)


def to_markdown(results: Results) -> str:
    """The tables in Markdown, with the header and the notes."""
    return markdown(page(results))


def page(results: Results) -> Page:
    """The tables, with the header and the notes."""
    return Page(header(results), tables(results), notes(results))


def to_csv(results: Results) -> str:
    """CSV, one result a row: the fields of the JSON without the raw samples; nothing is an empty cell."""
    rows = [_flat(row) for row in results.rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def header(results: Results) -> list[str]:
    """What was measured on what, and when: a line each."""
    machine, rows = results.device, results.rows
    name = machine["board"] or machine["cpu"] or machine["machine"]
    features = f" ({' '.join(machine['isa'])})" if machine["isa"] else ""
    emulated = f", emulated by {machine['emulated']}" if machine.get("emulated") else ""
    memory = f", {machine['memory_mb']:,} MB" if machine["memory_mb"] else ""
    started = [row for row in rows if row["runtime"]]
    runtimes = dict.fromkeys(f"{row['runtime']} {row['runtime_version']}" for row in started)
    threads = dict.fromkeys(str(row["threads"]) for row in rows)
    names = ", ".join(runtimes) or "none started"
    lines = [
        f"Device: {name}{emulated}, {machine['cores']} cores{features}{memory}, {machine['os']}",
        f"Runtimes: {names}; threads: {', '.join(threads)}; {machine['date']}",
    ]
    if data := results.dataset:
        part = "" if data["complete"] else " (a part of the data set, not comparable with the whole)"
        used = max((row["images"] or 0 for row in rows), default=0)
        lines.append(f"Data: {data['name']}, {used:,} of {data['counts']['test']:,} test images{part}")
    return lines


def tables(results: Results) -> list[Table]:
    """Accuracy, a row per file, where there was data; latency, a row per file and threads."""
    latency = Table("Latency and memory, one image at a time", _LATENCY, results.rows)
    if results.dataset is None:
        return [latency]
    per_file = list({row["path"]: row for row in reversed(results.rows)}.values())[::-1]
    return [Table("Accuracy", _ACCURACY, per_file), latency]


def notes(results: Results) -> list[str]:
    """What a reader must know to believe the tables and no more than them: a line each."""
    rows = results.rows
    lines = list(dict.fromkeys(f"Failed: {row['error']}" for row in rows if row["status"] != "ok"))
    lines += [f"{row['path']}, threads {row['threads']}: {row['note']}" for row in rows if row["note"]]
    if any(results.device.get(when, {}).get("throttled") for when in ("before", "after")):
        lines.append(
            "The device was throttled, by heat or a weak power supply: its latencies are not its best."
        )
    if any(row["mcnemar_p"] is not None for row in rows):
        lines.append("p (exact McNemar): above 0.05, a difference from float32 may well be chance.")
    if any(row["small_run"] for row in rows):
        lines.append("(small run): trained on a part of the data; its accuracy says little.")
    lines += [f"{names} slower than float32 here: {why}." for names, why in _slower(rows).items()]
    return lines


def _slower(rows: list[Row]) -> dict[str, str]:
    """The quantized files whose p50 is above that of their float32, by kind, and why that can be."""
    timed = [row for row in rows if row["status"] == "ok" and not row["kept_float"]]
    floats = {
        (row["model"], row["format"], row["threads"]): row["latency_us"]["p50"]
        for row in timed
        if row["precision"] == "float32"
    }
    found: dict[str, list[str]] = {}
    for row in timed:
        own, limit = row["latency_us"]["p50"], floats.get((row["model"], row["format"], row["threads"]))
        if row["precision"] in SLOWER_BECAUSE and limit is not None and own > limit:
            ratio = f"{row['model']} {row['format']} {row['precision']} ({own / limit:.2f} times)"
            found.setdefault(SLOWER_BECAUSE[row["precision"]], []).append(ratio)
    return {", ".join(dict.fromkeys(names)): why for why, names in found.items()}


def _accuracy(row: Row) -> str:
    return "failed" if row["accuracy"] is None else f"{row['accuracy'] * 100:.2f}"


def _interval(row: Row) -> str:
    return "–".join(f"{end * 100:.2f}" for end in row["accuracy_ci95"]) if row["accuracy_ci95"] else NONE


def _p(row: Row) -> str:
    p = row["mcnemar_p"]
    return "<0.001" if p is not None and p < 0.001 else figure(p, form=".3f")


def _p50(row: Row) -> str:
    return time(row["latency_us"]["p50"]) if row["status"] == "ok" else "failed"


def precision(row: Row) -> str:
    """With the processor a file is made for, unless that is any, and how many layers are in float."""
    target, floats = row["target"], len(row["kept_float"])
    made_for = "" if target == targets.ANY else f" {target}"
    return (row["precision"] or NONE) + made_for + (f", {floats} in float" if floats else "")


def _trained(row: Row) -> str:
    return f"{row['model']} (small run)" if row["small_run"] else str(row["model"])


_KIND = (
    Column("Format", lambda row: row["format"], number=False),
    Column("Precision", precision, number=False),
)
_ACCURACY = (
    Column("Model", _trained, number=False),
    *_KIND,
    Column("KB", lambda row: figure(row["size_bytes"], 1 / 1024, ",.0f")),
    Column("gzip KB", lambda row: figure(row["gzip_bytes"], 1 / 1024, ",.0f")),
    Column("Accuracy %", _accuracy),
    Column("95 % interval", _interval),
    Column("Δ pts", lambda row: figure(row["accuracy_delta"], 100, "+.2f")),
    Column("Agree %", lambda row: figure(row["agreement"], 100)),
    Column("p", _p),
)
_LATENCY = (
    Column("Model", lambda row: row["model"], number=False),
    *_KIND,
    Column("Threads", lambda row: str(row["threads"])),
    Column("p50 µs", _p50),
    Column("p90 µs", lambda row: time(row["latency_us"]["p90"])),
    Column("p99 µs", lambda row: time(row["latency_us"]["p99"])),
    Column("First µs", lambda row: time(row["first_inference_us"])),
    Column("Load ms", lambda row: time(row["load_ms"])),
    Column("Peak MB", lambda row: figure(row["peak_rss_mb"], form=".0f")),
)


def _flat(row: Row) -> Row:
    low, high = row["accuracy_ci95"] or (None, None)
    times = {f"{name}_us": value for name, value in row["latency_us"].items() if name != "samples"}
    dropped = ("accuracy_ci95", "latency_us", "raw_us")
    return {
        **{name: value for name, value in row.items() if name not in dropped},
        "kept_float": " ".join(row["kept_float"]),
        "accuracy_low": low,
        "accuracy_high": high,
        **times,
        "samples": row["latency_us"]["samples"],
    }
