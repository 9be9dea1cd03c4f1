"""Results files: the sound ones once each, and what is wrong with the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgefashion import files
from edgefashion.errors import BadInput
from edgefashion.evaluation import results
from edgefashion.evaluation.results import Results


@dataclass(frozen=True)
class File:
    """What was measured, and every path it was given as, the first one first."""

    paths: tuple[Path, ...]
    results: Results


@dataclass(frozen=True)
class Found:
    """The results in files, and a line for each file that is left out and why."""

    files: list[File]
    repeated: list[str]
    """Files that are the same to the byte as one before them."""
    unreadable: list[str]


def read_all(paths: Sequence[Path]) -> Found:
    """The results in these files. Raises BadInput if none can be read."""
    found: dict[str, File] = {}
    repeated: list[str] = []
    unreadable: list[str] = []
    for path in paths:
        try:
            own = read(path)
            digest = files.sha256(path)
        except BadInput as error:
            unreadable.append(str(error))
            continue
        if digest in found:
            repeated.append(f"{path} is the same as {found[digest].paths[0]}, which is taken once")
        known = found[digest].paths if digest in found else ()
        found[digest] = File((*known, path), own)
    if not found:
        raise BadInput("; ".join(unreadable))
    return Found(list(found.values()), repeated, unreadable)


def read(path: Path) -> Results:
    """The results in a file. Raises BadInput where it is none, or has none in it."""
    found = results.read(path)
    if not found.rows:
        raise BadInput(f"{path} has no results in it: measure again")
    return found
