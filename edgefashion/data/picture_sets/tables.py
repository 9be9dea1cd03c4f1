"""A labels.csv or metadata.csv: which picture is of which class, and of which split and group.

    file_name,label,split,group        in any order, or as COLUMNS has them; split and group may be left out
    a/1.jpg,cat,train,kitchen          paths are from the table's own folder

UTF-8, with commas, semicolons or tabs between cells; a first line `sep=;` says which.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from edgefashion.data.picture_sets.layouts import LISTED, SPLITS, Entry, Layout, Split, listed
from edgefashion.data.picture_sets.trees import Contents, Found, Tree, shown
from edgefashion.errors import DataError
from edgefashion.files import reading

FILE, SPLIT, GROUP, LABEL = "file_name", "split", "group", "label"
COLUMNS = {FILE: ("filename", "file", "image", "path"), LABEL: ("class", "category")}
"""What else those columns may be called."""
DELIMITERS = (",", ";", "\t")
Row = tuple[int, Mapping[str, str]]
"""Its line, and its cells by column."""


def read(tree: Tree, contents: Contents, root: str, name: str) -> Layout:
    """The pictures that the table `name` in the folder `root` names. Raises DataError."""
    where = f"{tree.path / root / name}"
    if defect := next(each.defect for each in contents.files if each.name == root + name):
        raise DataError(f"{where} {defect}: it is to be a table as UTF-8 text")
    text = reading.as_text(tree.read(root + name), where, "a table as UTF-8 text", DataError)
    files = {each.name.removeprefix(root): each for each in contents.files if each.name.startswith(root)}
    entries: dict[str, Entry] = {}
    lines: dict[str, int] = {}
    unknown, faults = list[str](), list[str]()
    for line, row in _rows(text, where, faults):
        found = files.get(row[FILE]) or files.get(row[FILE].replace("\\", "/").removeprefix("./"))
        if found is None:
            unknown.append(row[FILE])
        elif fault := _fault(found, row, lines):
            faults.append(f"line {line}: {fault}")
        else:
            entries[found.name], lines[found.name] = _entry(found, row), line
    if unknown:
        _refuse_links(tree, contents, root, unknown)
    _refuse(where, faults, unknown)
    _check_splits(where, list(entries.values()))
    others = [each.name for each in files.values() if each.name not in entries and each.name != root + name]
    notes = [f"left out, not in {name}: {listed(others)}"] if others else []
    return Layout(list(entries.values()), [f"labels: {root}{name}", *notes])


def _refuse_links(tree: Tree, contents: Contents, root: str, unknown: list[str]) -> None:
    """Raise DataError where files are not there because a folder is a link."""
    for each in contents.files:
        if each.may_hold_more and any((root + name).startswith(f"{each.name}/") for name in unknown):
            raise DataError(f"{tree.path / each.name} {each.defect}")


def _refuse(where: str, faults: list[str], unknown: list[str]) -> None:
    """Raise DataError for all that is wrong with lines, and for files that are not there."""
    more = len(faults) - LISTED
    parts = faults[:LISTED] + ([f"and {more:,} more line{'s' if more > 1 else ''}"] if more > 0 else [])
    if unknown:
        parts.append(
            f"{'it ' if faults else ''}names files that are not there, {len(unknown):,} of them: "
            f"{listed(unknown)}: a path is from the table's own folder; add the files or take out their lines"
        )
    if parts:
        raise DataError(f"{where}{', ' if faults else ' '}{'; '.join(parts)}")


def _rows(text: str, where: str, faults: list[str]) -> Iterator[Row]:
    """The rows below the names of the columns, which are given by their usual names; those with too few or
    too many cells are among the `faults`.
    """
    lines = io.StringIO(text, newline="")
    start = lines.readline()
    said = re.fullmatch(f"sep=([{''.join(DELIMITERS)}])\\s*", start, re.IGNORECASE)
    if not said:
        lines.seek(0)
    delimiter = said[1] if said else max(DELIMITERS, key=start.count)
    reader, above = csv.reader(lines, delimiter=delimiter, strict=True), 1 if said else 0
    try:
        columns = [_column(cell) for cell in next(reader, [])]
        _check_columns(where, columns)
        for cells in reader:
            if not any(cells):
                continue
            line = above + reader.line_num
            if len(cells) == len(columns):
                yield line, dict(zip(columns, cells, strict=True))
            else:
                faults.append(f"line {line}: {len(cells)} cells for {len(columns)} columns")
    except csv.Error as error:
        raise DataError(f"{where}, line {above + reader.line_num}: {error}: save it as CSV again") from error


def _check_columns(where: str, columns: list[str]) -> None:
    """Raise DataError for one that is lacking, or there twice."""
    files, labels = (_either((name, *others)) for name, others in COLUMNS.items())
    lacking = sorted({FILE, LABEL} - set(columns))
    if lacking:
        raise DataError(
            f"{where} has no column {' and no '.join(lacking)} ({listed(columns)}): its first line is to "
            "be file_name,label, with split and group where there are such; the column of pictures may be "
            f"called {files}, and that of classes {labels}"
        )
    if twice := next((name for name in columns if name and columns.count(name) > 1), None):
        also = f" (also called {_either(COLUMNS[twice])})" if twice in COLUMNS else ""
        raise DataError(f"{where} has the column {shown(twice)} more than once{also}: keep one")


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _column(cell: str) -> str:
    """The usual name of a column."""
    name = cell.strip().lower()
    return next((usual for usual, others in COLUMNS.items() if name in others), name)


def _fault(found: Found, row: Mapping[str, str], lines: Mapping[str, int]) -> str | None:
    """What is wrong with a row, where others were in these lines; None for nothing."""
    said = row.get(SPLIT, "").strip()
    if found.name in lines:
        return f"{shown(found.name)} is in line {lines[found.name]} too: keep one"
    if not row[LABEL].strip():
        return f"{shown(found.name)} has no label"
    if said and said.lower() not in SPLITS:
        return f"the split {said!r} is not known: use train, val and test"
    return None


def _entry(found: Found, row: Mapping[str, str]) -> Entry:
    label = unicodedata.normalize("NFC", row[LABEL].strip())
    split = SPLITS.get(row.get(SPLIT, "").strip().lower())
    return Entry(found, label, split, row.get(GROUP, "").strip() or None)


def _check_splits(where: str, entries: list[Entry]) -> None:
    """Raise DataError where only some pictures have a split, none is of training, or a group is in two."""
    found = {entry.split for entry in entries}
    if len(found) > 1 and None in found:
        name = next(entry.file.name for entry in entries if entry.split is None)
        raise DataError(f"{where} gives {shown(name)} no split, and others one: fill all or none")
    if found - {None} and "train" not in found:
        raise DataError(f"{where} has no picture of the split train")
    splits: dict[str, Split | None] = {}
    for entry in entries:
        if entry.group and splits.setdefault(entry.group, entry.split) != entry.split:
            both = f"{splits[entry.group]} and {entry.split}"
            raise DataError(f"{where} has the group {entry.group!r} in {both}: put it into one split")
