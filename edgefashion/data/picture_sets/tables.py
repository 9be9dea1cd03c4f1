"""A labels.csv or metadata.csv: which picture is of which class, and of which split and group.

    file_name,label,split,group        in any order; file is file_name too; split and group may be left out
    a/1.jpg,cat,train,kitchen          paths are from the table's own folder

UTF-8, with commas, semicolons or tabs between cells; a first line `sep=;` says which.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping

from edgefashion.data.picture_sets.layouts import SPLITS, Entry, Layout, Split, listed
from edgefashion.data.picture_sets.trees import Contents, Found, Tree, shown
from edgefashion.errors import DataError
from edgefashion.files import reading

FILE_COLUMNS = ("file_name", "file")
SPLIT, GROUP, LABEL = "split", "group", "label"
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
    unknown: list[str] = []
    for line, row in _rows(text, where):
        asked = row[FILE_COLUMNS[0]]
        found = files.get(asked) or files.get(asked.replace("\\", "/").removeprefix("./"))
        if found is None:
            unknown.append(asked)
            continue
        if found.name in entries:
            raise DataError(f"{where} names {shown(asked)} in lines {lines[found.name]} and {line}: keep one")
        entries[found.name], lines[found.name] = _entry(found, row, f"{where}, line {line}"), line
    if unknown:
        _refuse_links(tree, contents, root, unknown)
        raise DataError(
            f"{where} names files that are not there, {len(unknown):,} of them: {listed(unknown)}"
        )
    _check_splits(where, list(entries.values()))
    others = [each.name for each in files.values() if each.name not in entries and each.name != root + name]
    notes = [f"left out, not in {name}: {listed(others)}"] if others else []
    return Layout(list(entries.values()), [f"labels: {root}{name}", *notes])


def _refuse_links(tree: Tree, contents: Contents, root: str, unknown: list[str]) -> None:
    """Raise DataError where files are not there because a folder is a link."""
    for each in contents.files:
        if each.may_hold_more and any((root + name).startswith(f"{each.name}/") for name in unknown):
            raise DataError(f"{tree.path / each.name} {each.defect}")


def _rows(text: str, where: str) -> Iterator[Row]:
    """The rows below the names of the columns, which are given without spaces and in lower case."""
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
            if len(cells) != len(columns):
                raise DataError(f"{where}, line {line}: {len(cells)} cells for {len(columns)} columns")
            yield line, dict(zip(columns, cells, strict=True))
    except csv.Error as error:
        raise DataError(f"{where}, line {above + reader.line_num}: {error}: save it as CSV again") from error


def _check_columns(where: str, columns: list[str]) -> None:
    """Raise DataError for one that is lacking, or there twice."""
    lacking = sorted({FILE_COLUMNS[0], LABEL} - set(columns))
    if lacking:
        raise DataError(
            f"{where} has no column {' and no '.join(lacking)} ({listed(columns)}): its first line is to "
            "be file_name,label, with split and group where there are such"
        )
    if twice := next((name for name in columns if name and columns.count(name) > 1), None):
        also = f" (it is called {' and '.join(FILE_COLUMNS)})" if twice == FILE_COLUMNS[0] else ""
        raise DataError(f"{where} has the column {shown(twice)} more than once{also}: keep one")


def _column(cell: str) -> str:
    name = cell.strip().lower()
    return FILE_COLUMNS[0] if name in FILE_COLUMNS else name


def _entry(found: Found, row: Mapping[str, str], where: str) -> Entry:
    label = unicodedata.normalize("NFC", row[LABEL].strip())
    if not label:
        raise DataError(f"{where}: {shown(found.name)} has no label")
    said = row.get(SPLIT, "").strip()
    if said and said.lower() not in SPLITS:
        raise DataError(f"{where}: the split {said!r} is not known: use train, val and test")
    return Entry(found, label, SPLITS.get(said.lower()), row.get(GROUP, "").strip() or None)


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
