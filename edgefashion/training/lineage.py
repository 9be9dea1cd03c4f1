"""What a run came from: the runs that lie beside it, by their ids, and what a card tells of each."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgefashion.errors import RunError
from edgefashion.files import reading
from edgefashion.training.runs import INFO, MEND, WHAT, Run, find, info_of, read

if TYPE_CHECKING:
    from edgefashion.records.run import Story


def stories(found: Sequence[Run]) -> "list[Story]":
    """What a card tells of each run: its run.json. Raises RunError where one says too little."""
    from edgefashion.records.run import Story

    return [
        reading.converted(run.info.to_dict(), Story, str(run.folder / INFO), WHAT, RunError, mend=MEND)
        for run in found
    ]


def lineage(run: Run) -> list[Run]:
    """The run, then what it was fine-tuned from and its teachers, then those of these, and so on, as far as
    they lie beside it undamaged. None is there twice.
    """
    beside = find(run.folder.parent)
    found = [run]
    for each in found:
        known = {other.id for other in found}
        parents = dict.fromkeys(each.recipe.parent_ids)
        runs = (_called(parent, beside) for parent in parents if parent not in known)
        found += [parent for parent in runs if parent]
    return found


def _called(id: str, folders: list[Path]) -> Run | None:
    """The undamaged run of that id, the last by name of several copies. Only those that name it are read."""
    for folder in reversed(folders):
        with contextlib.suppress(RunError):
            if info_of(folder).id == id:
                return read(folder)
    return None
