"""Where the data set is looked for, in order."""

import os
from pathlib import Path

from edgefashion.data.dataset import TASK, Dataset, read_folder, read_named, read_task
from edgefashion.data.fashion_mnist import FASHION_MNIST, FILES, PACKAGE, PACKAGE_FOLDER
from edgefashion.data.idx import missing
from edgefashion.errors import DataError
from edgefashion.errors.arguments import OPTIONAL_PATH, takes
from edgefashion.reporting import Report, silent
from edgefashion.task import Task

VARIABLE = "EDGEFASHION_DATA"


def cache_folder() -> Path:
    """Folder in the user's cache that holds the data set after a download."""
    from platformdirs import user_cache_path

    return user_cache_path("edgefashion") / "fashion-mnist"


def at_hand(folder: Path | None = None) -> Path | None:
    """The first place on this machine with all four files, as `load_dataset` looks; they are not opened."""
    named = folder or os.environ.get(VARIABLE)
    places = [Path(named)] if named else [cache_folder(), PACKAGE_FOLDER]
    return next((place for place in places if not missing(place)), None)


def task_at(folder: Path | None = None) -> Task:
    """What the data set in `folder`, or in that of EDGEFASHION_DATA, is for; no image is read.

    Raises DataError for a task.json that is none.
    """
    named = folder or os.environ.get(VARIABLE)
    path = Path(named) / TASK if named else None
    return read_task(path) if path and os.path.lexists(path) else FASHION_MNIST


@takes(folder=OPTIONAL_PATH)
def load_dataset(folder: str | Path | None = None, report: Report = silent) -> Dataset:
    """Load Fashion-MNIST from the first place that has it, checked to the last byte.

    In order: `folder`; the folder in EDGEFASHION_DATA; the user's cache; the Debian package
    dataset-fashion-mnist; public mirrors; that package again, fetched without installing it. What is fetched
    stays in the cache. `report` gets lines to show while that goes on.

    Raises DataError when a named folder is not good, or nothing else can serve.
    """
    if folder is not None:
        return read_named(Path(folder), f"folder {folder}")
    if named := os.environ.get(VARIABLE):
        return read_named(Path(named), f"folder {named} ({VARIABLE})")
    from edgefashion.data import cache

    kept = cache_folder()
    if len(missing(kept)) < len(FILES):
        try:
            return read_folder(kept, cache.source(kept))
        except DataError:
            cache.drop_damaged(kept, report)
    if PACKAGE_FOLDER.is_dir():
        try:
            return read_folder(PACKAGE_FOLDER, f"Debian package {PACKAGE}")
        except DataError as error:
            report(f"{error}; looking elsewhere")
    cache.fill(kept, report)
    return read_folder(kept, cache.source(kept))
