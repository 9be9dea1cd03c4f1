"""The lines below the tables of a results file."""

from collections.abc import Iterable

from edgefashion.errors.wording import setting
from edgefashion.evaluation.columns import FLAGGED, several_runtimes
from edgefashion.evaluation.results import Results
from edgefashion.records.results import Host, Row
from edgefashion.tables import figure
from edgefashion.tables.merged import merged

LISTED = 4
"""Rows or files that a line names."""
_INTEGER = (
    "x86 without VNNI and Arm without dot products have no fast sums of 8-bit products, and a small model "
    "has little to gain; how fast a Raspberry Pi is must be measured on one"
)
SLOWER_BECAUSE = {
    "dynamic": "it quantizes the activations of every layer anew in each inference",
    "int8": _INTEGER,
    "int8-qat": _INTEGER,
}


def notes(results: Results) -> list[str]:
    """What a reader must know to believe the tables and no more than them: a line each."""
    rows = results.rows
    lines = list(dict.fromkeys(f"Failed: {row.error}" for row in rows if row.status != "ok"))
    if emulator := results.device.emulated:
        lines.append(f"The processor is emulated by {emulator}: nothing was timed, time there means nothing.")
    lines += _flags(rows)
    lines += _own_notes(rows)
    lines += _host({(row.path, row.runtime): (row, row.host) for row in rows if row.host})
    if any(row.loops > 1 for row in rows):
        lines.append(
            "Some files are too fast for the clock, so each of their samples is a mean: " + _loops(rows)
        )
    if any(row.kept_every > 1 for row in rows):
        lines.append("There were so many samples that not each was kept: see kept_every in the JSON.")
    if any(row.mcnemar_p is not None for row in rows):
        lines.append("p (exact McNemar): above 0.05, a difference from float32 may well be chance.")
    lines += imbalance(rows, results.dataset.measured if results.dataset else "test images")
    if any(row.small_run for row in rows):
        lines.append("(small run): trained on a part of the data; its accuracy says little.")
    lines += _shares(share for row in rows if (share := row.share_of_limit) is not None)
    if any(row.energy_mj is not None for row in rows):
        lines.append("mJ: of an inference, from the power of the whole board, idle power included.")
    lines += [f"{names} slower than float32 here: {why}." for names, why in _slower(rows).items()]
    return lines


def _shares(found: Iterable[float]) -> list[str]:
    """What a share of the matrix product's speed is, and why some are none."""
    shares = list(found)
    if not shares:
        return []
    line = (
        "% of GEMM: multiply-accumulates per second, as a share of those of a matrix product (GEMM) of the "
        "same type in the same runtime and run"
    )
    if all(share <= 1 for share in shares):
        return [f"{line}."]
    why = "that product was disturbed (measure on an idle machine), or the file needs fewer multiplications"
    return [f"{line}; –: faster than the matrix product was: {why}."]


def imbalance(rows: Iterable[Row], measured: str) -> list[str]:
    """What classes of the images have in number: which have none, and what that makes of accuracy.

    `measured`: what the images are, in words.
    """
    sets = {tuple((each.name, each.images) for each in row.recalls): row for row in rows if row.recalls}
    lines = []
    for sizes, row in sets.items():
        present = [(count, name) for name, count in sizes if count]
        if missing := [name for name, count in sizes if not count]:
            names = _list(missing, ", ", "classes")
            lines.append(
                f"No {measured.removesuffix('s')} is of {names}: "
                f"balanced accuracy is over the other {len(present)}."
            )
        if row.is_imbalanced:
            (most, largest), (least, smallest) = max(present), min(present)
            lines.append(
                "Balanced %: the mean of the recalls of the classes. Accuracy weighs "
                f"{largest}, with {most:,} {measured}, more than {smallest} with {least:,}."
            )
    return lines


def _flags(rows: list[Row]) -> list[str]:
    """A line for each flag, with the rows that have it and their figures; common text is given once."""
    found: dict[str, list[tuple[str, str]]] = {}
    several = several_runtimes(rows)
    for row in rows:
        for flag in row.flags:
            place = f"{_called(row, several)}, threads {row.threads}"
            found.setdefault(flag.flag, []).append((place, flag.why))
    timed = sum(row.latency_us.p50 is not None for row in rows)
    return [f"{FLAGGED} {flag}: {_flagged(places, timed)}" for flag, places in found.items()]


def _flagged(places: list[tuple[str, str]], timed: int) -> str:
    same = merged([why for _, why in places])
    if same and len(places) > 1:
        all_of_them = len(places) == timed
        every = "both rows" if timed == 2 else f"all {timed} rows"
        which = every if all_of_them else _list([place for place, _ in places], "; ", "row")
        return f"{which}: {same}"
    return _list([f"{place}: {why}" for place, why in places], "; ", "row")


def _called(row: Row, several: bool) -> str:
    """The file of a row, with what runs it where there are several."""
    return f"{row.path} in {row.runtime}" if several and row.runtime else row.path


def _own_notes(rows: list[Row]) -> list[str]:
    """A line for each note, with the files that have it."""
    found: dict[str, dict[str, None]] = {}
    several = several_runtimes(rows)
    for row in rows:
        if row.note:
            found.setdefault(row.note, {})[_called(row, several)] = None
    every = len({_called(row, several) for row in rows})
    return [
        f"{'every file' if len(paths) == every > 1 else _list(list(paths), ', ', 'file')}: {note}"
        for note, paths in found.items()
    ]


def _list(texts: list[str], between: str, what: str) -> str:
    """Some texts, and how many more of what, in the singular, there are."""
    if (more := len(texts) - LISTED) < 1:
        return between.join(texts)
    some = between.join(texts[:LISTED])
    return f"{some}{between}and {more} more {what}{'s' if more > 1 else ''} ({setting('--json')} has all)"


def _host(answers: dict[tuple[str, str | None], tuple[Row, Host]]) -> list[str]:
    """Whether the answers are those that the bundle's maker got."""
    if not answers:
        return []
    several = several_runtimes([row for row, _ in answers.values()])
    compared = [(_called(row, several), host) for row, host in answers.values() if host.equal is not None]
    tolerances = [host.tolerance for _, host in compared if host.equal]
    equal, to_the_bit = len(tolerances), sum(not tolerance for tolerance in tolerances)
    how = f"{to_the_bit} to the bit, {equal - to_the_bit} within the bundle's tolerance"
    return [
        f"Host: {equal} of {len(compared)} files answer as they did where the bundle was made: {how}.",
        *_other_runtimes(answers.values()),
        *(_difference(name, host) for name, host in compared if not host.equal),
    ]


def _other_runtimes(answers: Iterable[tuple[Row, Host]]) -> list[str]:
    """Which runtimes answered there, where others answer here: another version may round otherwise."""
    found = dict.fromkeys(
        f"{host.runtime} {host.runtime_version} there, {row.runtime} {row.runtime_version} here"
        for row, host in answers
        if host.runtime_version not in (None, row.runtime_version)
    )
    return [f"Host: of another version, which may round otherwise: {'; '.join(found)}."] if found else []


def _difference(path: str, host: Host) -> str:
    apart = figure(host.max_logit_error, form=".3g")
    return (
        f"{path} does not answer as on the host: {host.differing_classes} of {host.images} "
        f"images are of another class, and logits are up to {apart} apart, "
        f"where {figure(host.tolerance, form='.2g')} is tolerated."
    )


def _loops(rows: Iterable[Row]) -> str:
    found = dict.fromkeys(f"{row.path} ({row.loops} inferences)" for row in rows if row.loops > 1)
    return ", ".join(found) + "."


def _alike(row: Row) -> tuple[str | None, ...]:
    return row.model, row.format, row.runtime, str(row.threads)


def _slower(rows: list[Row]) -> dict[str, str]:
    """The quantized files whose p50 is above that of their float32, by kind, and why that can be."""
    timed = [(row, p50) for row in rows if (p50 := row.latency_us.p50) is not None and not row.kept_float]
    floats = {_alike(row): p50 for row, p50 in timed if row.precision == "float32"}
    found: dict[str, list[str]] = {}
    several = several_runtimes(rows)
    for row, own in timed:
        limit = floats.get(_alike(row))
        if row.precision in SLOWER_BECAUSE and limit is not None and own > limit:
            where = f" in {row.runtime}" if several else ""
            ratio = f"{row.model} {row.format} {row.precision}{where} ({own / limit:.2f} times)"
            found.setdefault(SLOWER_BECAUSE[row.precision], []).append(ratio)
    return {", ".join(dict.fromkeys(names)): why for why, names in found.items()}
