"""What a reader must know to judge a comparison, and no more."""

from collections import Counter

from edgefashion.evaluation.notes import LISTED, imbalance
from edgefashion.report.compare.devices import DeviceResults, numbers
from edgefashion.report.compare.join import Cell, Comparison
from edgefashion.tables.merged import merged, pattern

REMARK, OTHER_FILE, WITHIN, UNKNOWN = "!", "≠", "≈", "(?)"
FAILED = "failed"


def notes(comparison: Comparison) -> list[str]:
    """What the marks mean, what was unusual, and what must not be compared: a line each."""
    return [
        *_about_ratios(comparison),
        *_about_protocols(comparison),
        *_about_files(comparison),
        *_about_accuracy(comparison),
        *_about_answers(comparison),
        *_about_devices(comparison),
        *_remarks(comparison),
    ]


def _about_ratios(comparison: Comparison) -> list[str]:
    ratios = [cell.ratio for cell in comparison.cells if cell.ratio]
    if not ratios or comparison.against is None:
        return []
    lines = [
        f"Ratios are of p50 to ({comparison.against.number}), with 95 % intervals from the spread between "
        "the rounds of a run: what differs from run to run is not in them, and one interval in 20 misses."
    ]
    if any(ratio.within_spread for ratio in ratios):
        lines.append(f"{WITHIN}: within the spread; there may be no difference.")
    if any(ratio.within_spread is None for ratio in ratios):
        lines.append(f"{UNKNOWN}: too few rounds or samples to tell whether there is a difference.")
    if old := [source for source in comparison.sources if not source.emulated and _old(source)]:
        lines.append(
            f"{numbers(old)}: rounds are not recorded; blocks of consecutive samples stand for them."
        )
    return lines


def _old(source: DeviceResults) -> bool:
    return any(row.raw_us and not row.round_samples for row in source.results.rows)


def _about_protocols(comparison: Comparison) -> list[str]:
    found: dict[str, list[DeviceResults]] = {}
    for source in comparison.sources:
        protocol = source.results.protocol or {}
        if not source.emulated:
            found.setdefault(protocol.get("summary") or "not recorded", []).append(source)
    if len(found) < 2:
        return []
    each = "; ".join(f"{numbers(users)} {protocol}" for protocol, users in found.items())
    return [f"Latencies were measured by different protocols: {each}."]


def _about_files(comparison: Comparison) -> list[str]:
    found: list[str] = []
    for line in comparison.lines:
        others = [cell.source for cell in line.cells if cell.same_file is False]
        if others:
            first = next(cell.source for cell in line.cells if cell.same_file)
            found.append(f"{line}: {numbers(others)} and ({first.number})")
    lines = [f"{OTHER_FILE}: not the same file, its SHA-256 differs: {'; '.join(found)}."] if found else []
    if comparison.repeated:
        lines.append(f"Left out, the same artifact twice in a file: {'; '.join(comparison.repeated)}.")
    return lines


def _about_accuracy(comparison: Comparison) -> list[str]:
    lines = []
    images = {data[:2] for data in comparison.data}
    if len(images) < len(comparison.data):
        each = " and ".join(numbers(users) for users in comparison.data.values())
        lines.append(
            f"The classes differ, or how images are made of pictures, between {each}. Compare accuracies "
            "within a column only."
        )
    if len(images) > 1:
        sizes = ", ".join(f"{data.images:,} {numbers(users)}" for data, users in comparison.data.items())
        lines.append(f"Accuracies were measured on different images: {sizes}. Compare within a column only.")
    lines += imbalance([cell.row for cell in comparison.cells], "test images")
    tasks: dict[str, list[DeviceResults]] = {}
    for source in comparison.sources:
        if source.task:
            tasks.setdefault(source.task, []).append(source)
    if len(tasks) > 1:
        each = ", ".join(f"{task} {numbers(users)}" for task, users in tasks.items())
        lines.append(f"Different tasks: {each}. No accuracy of one is compared with that of another.")
    for source in comparison.sources:
        data = source.results.dataset
        if data and not data.complete:
            lines.append(f"({source.number}): a part of the data set, not comparable with the whole.")
        lines += [f"({source.number}): {line}." for line in (data.told() if data else [])]
    found = [line.artifact for line in comparison.lines if any(cell.row.small_run for cell in line.cells)]
    if found:
        names = "; ".join(dict.fromkeys(found))
        lines.append(f"Trained on a part of the data, so that its accuracy says little: {names}.")
    return lines


def _about_answers(comparison: Comparison) -> list[str]:
    """Of each device whether its answers are those of where its bundle was made, where any has a bundle."""
    if not any(row.host for source in comparison.sources for row in source.results.rows):
        return []
    return [f"({source.number}) answers: {_answers(source)}." for source in comparison.sources]


def _answers(source: DeviceResults) -> str:
    found = Counter(row.host.equal if row.host else None for row in source.results.rows)
    if not found[True] + found[False]:
        return "not compared"
    same, count = found[True], found.total()
    others = [
        *([f"{found[False]} other"] if found[False] else []),
        *([f"{found[None]} not compared"] if found[None] else []),
    ]
    which = f"all {count} rows" if same == count else f"{same} of {count} rows"
    return ", ".join([f"{which} as where the bundle was made", *others])


def _about_devices(comparison: Comparison) -> list[str]:
    lines = []
    for source in comparison.sources:
        if source.emulated:
            lines.append(
                f"({source.number}): emulated by {source.emulated}, which has no latency of its own."
            )
        elif source.results.device.was_throttled:
            lines.append(f"({source.number}): was throttled, by heat or a weak power supply.")
    return lines


def _remarks(comparison: Comparison) -> list[str]:
    """Remarks on single rows, a line for each source and kind of remark."""
    found: dict[tuple[int, str], dict[object, list[tuple[str, str]]]] = {}
    for line in comparison.lines:
        for cell in line.cells:
            for kind, why in remarks(cell):
                alike = why if kind == FAILED else pattern(why)
                found.setdefault((cell.source.number, kind), {}).setdefault(alike, []).append(
                    (str(line), why)
                )
    count = Counter(cell.source.number for cell in comparison.cells)
    return [
        f"{REMARK} ({number}) {kind}: {'; '.join(_reason(rows, count[number]) for rows in groups.values())}"
        for (number, kind), groups in sorted(found.items(), key=lambda item: item[0][0])
    ]


def _reason(found: list[tuple[str, str]], count: int) -> str:
    """A reason that rows, of so many in all, have in common but for its figures, and which those are."""
    names, whys = zip(*found, strict=True)
    more = len(names) - LISTED
    if len(names) == count > 1:
        which = f"all {count} rows"
    elif more > 0:
        which = f"{', '.join(names[:LISTED])} and {more} more row{'s' if more > 1 else ''}"
    else:
        which = " and ".join(names)
    return f"{which}: {whys[0] if len(set(whys)) == 1 else merged(whys)}"


def remarks(cell: Cell) -> list[tuple[str, str]]:
    """Kind and reason of what makes a row one to be careful with. Flags are about latency."""
    row = cell.row
    found = [] if cell.source.emulated else [(flag.flag, flag.why) for flag in row.flags]
    if row.status != "ok":
        found.append((FAILED, row.error or "for no known reason"))
    if row.host and row.host.equal is False:
        found.append(("answers", "other than where its bundle was made"))
    if row.note:
        found.append(("note", row.note))
    return found
