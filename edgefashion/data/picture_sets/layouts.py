"""From names to labeled pictures: class folders, with or without folders of splits, or a table beside them.

    class/…                            one folder a class; what lies deeper belongs to the class too
    train/class/…, val/…, test/…       the same for each split, called as SPLITS has them, in any case
    labels.csv or metadata.csv         see `tables`

Where all of it lies in one folder more, as in many .zip files, that is opened. A link that is not followed
may be any of these folders: it is a file that cannot be used.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from edgefashion.data.picture_sets.trees import Contents, Found, Tree, shown
from edgefashion.errors import DataError

Split = Literal["train", "validation", "test"]
SPLITS: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}  # fmt: skip
"""What folders, and cells of a table, call a split."""
TABLES = ("labels.csv", "metadata.csv")
KINDS = "folders named by class, train/ and test/ with such folders, a labels.csv, or the four IDX files"
LISTED = 3
MOST_CHARACTERS = 200
"""Of the name of a class."""
MOST_CLASSES = 1000


@dataclass(frozen=True)
class Entry:
    """A picture as the user sorted it."""

    file: Found
    label: str
    split: Split | None = None
    group: str | None = None
    """What it was taken of or by: pictures of one group come into one split."""


@dataclass(frozen=True)
class Layout:
    """All pictures of a set."""

    entries: list[Entry]
    notes: list[str] = field(default_factory=list)
    """What was understood, and what was left out: lines for people."""


def read(tree: Tree) -> Layout:
    """The labeled pictures in a tree. Raises DataError where it is sorted in no way that is known."""
    everything = tree.contents()
    links = [each for each in everything.files if each.may_hold_more]
    files = [each for each in everything.files if not each.may_hold_more]
    contents = Contents(files, everything.folders, links)
    root, notes = _root(contents)
    named = [name for name in TABLES if any(each.name == root + name for each in contents.files)]
    if len(named) > 1:
        raise DataError(f"{tree.path} has {' and '.join(named)}: keep the one that is right")
    if named:
        from edgefashion.data.picture_sets import tables

        layout = tables.read(tree, everything, root, named[0])
        links = []  # what is not in the table is left out
    elif splits := _split_folders(tree, contents, root):
        layout = _of_splits(tree, contents, splits)
    else:
        layout = _of_classes(contents, root, None)
    if layout.entries or not links:
        _check(tree, layout.entries, contents)
    return Layout(layout.entries + [Entry(each, each.name) for each in links], notes + layout.notes)


def listed(names: Iterable[str]) -> str:
    """The first of some names for people, and how many more there are."""
    found = list(names)
    more = f" and {len(found) - LISTED:,} more" if len(found) > LISTED else ""
    return ", ".join(map(shown, found[:LISTED])) + more


def _root(contents: Contents) -> tuple[str, list[str]]:
    """The folder that everything lies in, with a / behind it where it has a name, and what to say of it."""
    root = ""
    while True:
        inside = _folders_in(contents, root)
        table = any(each.name == root + name for each in contents.files for name in TABLES)
        one = not table and len(inside) == 1 and inside[0].lower() not in SPLITS
        if not one or _folder_is_class(contents, f"{root}{inside[0]}/"):
            return root, [f"taken from the folder inside: {shown(root.rstrip('/'))}"] if root else []
        root += f"{inside[0]}/"


def _folder_is_class(contents: Contents, folder: str) -> bool:
    """Whether pictures lie in a folder, and not folders of classes or a table."""
    files = [name for name in _files_in(contents, folder) if name not in TABLES]
    tables = any(each.name == folder + name for each in contents.files for name in TABLES)
    return not tables and (bool(files) or not _folders_in(contents, folder))


def _folders_in(contents: Contents, root: str) -> list[str]:
    names = [name.removeprefix(root) for name in contents.folders if name.startswith(root)]
    return [name for name in names if name and "/" not in name]


def _files_in(contents: Contents, root: str) -> list[str]:
    names = (each.name.removeprefix(root) for each in contents.files if each.name.startswith(root))
    return [name for name in names if "/" not in name]


def _split_folders(tree: Tree, contents: Contents, root: str) -> dict[Split, str]:
    """Split → its folder, where one is of training or all are splits; a class may be called `test`, with
    pictures in it and no folders.

    Raises DataError for two folders of one split.
    """
    found: dict[Split, str] = {}
    inside = _folders_in(contents, root)
    for name in inside:
        split = SPLITS.get(name.lower())
        if split is None or not _folders_in(contents, f"{root}{name}/"):
            continue
        if split in found:
            both = f"{shown(found[split].rstrip('/'))} and {shown(root + name)}"
            raise DataError(f"{tree.path}: {both} are both the {split} split: make them one")
        found[split] = f"{root}{name}/"
    return found if "train" in found or len(found) == len(inside) else {}


def _of_splits(tree: Tree, contents: Contents, splits: dict[Split, str]) -> Layout:
    parts = [_of_classes(contents, folder, split) for split, folder in splits.items()]
    taken = ", ".join(_called(shown(folder.rstrip("/")), split) for split, folder in splits.items())
    others = [each.name for each in contents.files if not each.name.startswith(tuple(splits.values()))]
    notes = [f"folders of the splits: {taken}", *(note for part in parts for note in part.notes)]
    if others:
        notes.append(f"left out, beside the splits: {listed(others)}")
    return Layout([entry for part in parts for entry in part.entries], notes)


def _called(folder: str, split: Split) -> str:
    return folder if folder == split else f"{folder} ({split})"


def _of_classes(contents: Contents, root: str, split: Split | None) -> Layout:
    entries = [
        Entry(each, unicodedata.normalize("NFC", inside.split("/")[0]), split)
        for each in contents.files
        if each.name.startswith(root) and "/" in (inside := each.name.removeprefix(root))
    ]
    held = [*(entry.file for entry in entries), *contents.links]
    filled = {each.name.removeprefix(root).split("/")[0] for each in held if each.name.startswith(root)}
    empty = [name for name in _folders_in(contents, root) if name not in filled]
    beside = [root + name for name in _files_in(contents, root)]
    notes = [f"left out, beside the classes: {listed(beside)}"] if beside else []
    if empty:
        notes.append(f"left out, empty: {listed(root + name for name in empty)}")
    return Layout(entries, notes)


def _check(tree: Tree, entries: Sequence[Entry], contents: Contents) -> None:
    """Raise DataError for no pictures, and for classes that are none or hard to tell apart."""
    if not entries:
        flat = contents.files and not contents.folders
        hint = f"; if it is of one class, name the folder above it, {tree.path.parent}" if flat else ""
        raise DataError(f"{tree.path} holds no pictures sorted by class: it takes {KINDS}{hint}")
    names = {entry.label for entry in entries}
    for name in sorted(names):
        if not _is_name(name):
            raise DataError(
                f"{tree.path} has a class {name[:MOST_CHARACTERS]!r}: name it with 1 to {MOST_CHARACTERS} "
                "characters of UTF-8 that can be printed"
            )
    alike = defaultdict(list)
    for name in sorted(names):
        alike[name.casefold()].append(name)
    if twice := next((each for each in alike.values() if len(each) > 1), None):
        both = " and ".join(map(shown, twice))
        raise DataError(f"{tree.path} has the classes {both}, of one name but for its case: rename one")
    if len(names) > MOST_CLASSES:
        raise DataError(f"{tree.path} has {len(names):,} classes: {MOST_CLASSES:,} are the most")


def _is_name(name: str) -> bool:
    kinds = {unicodedata.category(character) for character in name}
    return 0 < len(name) <= MOST_CHARACTERS and not kinds & {"Cc", "Cs", "Zl", "Zp"}
