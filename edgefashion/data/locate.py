"""Where the data set is looked for, in order."""

import os
from pathlib import Path
from typing import Unpack

from edgefashion.data.dataset import SUMS, TASK, Dataset, read_folder, read_named, read_task
from edgefashion.data.fashion_mnist import FASHION_MNIST, FILES, PACKAGE, PACKAGE_FOLDER
from edgefashion.data.idx import missing
from edgefashion.data.picture_sets.layouts import KINDS, listed
from edgefashion.data.picture_sets.options import PictureOptions, said
from edgefashion.data.picture_sets.zips import is_zip
from edgefashion.errors import BadInput, DataError
from edgefashion.errors.arguments import OPTIONAL_PATH, takes
from edgefashion.files import reading
from edgefashion.reporting import Progress, Report, silent
from edgefashion.task import Task

VARIABLE = "EDGEFASHION_DATA"


def cache_folder() -> Path:
    """Folder in the user's cache that holds the data set after a download."""
    from platformdirs import user_cache_path

    return user_cache_path("edgefashion") / "fashion-mnist"


def named(folder: Path | None = None) -> Path | None:
    """What the user names: a folder or .zip file, else that of EDGEFASHION_DATA."""
    variable = os.environ.get(VARIABLE)
    return folder or (Path(variable) if variable else None)


def at_hand(folder: Path | None = None) -> Path | None:
    """The first place on this machine with all four files, as `load_dataset` looks; they are not opened."""
    chosen = named(folder)
    places = [chosen] if chosen else [cache_folder(), PACKAGE_FOLDER]
    return next((place for place in places if not missing(place)), None)


def task_at(folder: Path | None = None) -> Task:
    """What the data set in `folder`, or in that of EDGEFASHION_DATA, is for; no image is read.

    Raises DataError for a task.json that is none.
    """
    chosen = named(folder)
    path = chosen / TASK if chosen else None
    return read_task(path) if path and os.path.lexists(path) else FASHION_MNIST


@takes(folder=OPTIONAL_PATH)
def load_dataset(
    folder: str | Path | None = None,
    report: Report = silent,
    progress: Progress | None = None,
    *,
    task: Task | None = None,
    **options: Unpack[PictureOptions],
) -> Dataset:
    """Load a data set: pictures of yours, or Fashion-MNIST, checked to the last byte.

    `folder` is one of pictures sorted by class, a .zip file of such, or one with the four IDX files; without
    it, that of EDGEFASHION_DATA. Else Fashion-MNIST comes from the first place that has it: the user's cache;
    the Debian package dataset-fashion-mnist; public mirrors; that package again, fetched without installing
    it. What is fetched stays in the cache.

    Of pictures, `size` says how large images to make, a number or (height, width): their own size where that
    is one up to 96, else 96; `fit` how: "crop" (default), "pad" or "stretch"; `gray` whether in one channel:
    where all pictures to learn from are gray; `background` what is seen behind transparent ones: (red, green,
    blue), white by default, or "none" for the colors that they keep there. `skip_bad` leaves out what is no
    picture, `drop_duplicates` the same picture in two splits or classes, and `follow_links` follows symbolic
    links. Instead of the former four, `task` is what a run or a model file was made for: its images are made,
    and classes are looked up by name.

    `report` gets lines to show while that goes on, `progress` how many of how many pictures are done.
    Raises DataError when a named folder is not good, or nothing else can serve; BadInput for such options.
    """
    found = find_dataset(folder, report, progress, task=task, **options)
    for note in found.notes:
        report(note)
    return found


def find_dataset(
    folder: str | Path | None = None,
    report: Report = silent,
    progress: Progress | None = None,
    *,
    task: Task | None = None,
    **options: Unpack[PictureOptions],
) -> Dataset:
    """The same, its notes not told: whoever shares the pictures out anew makes no use of its splits."""
    if folder is not None:
        return _named(Path(folder), f"{_kind(folder)} {folder}", report, progress, task, options)
    if variable := named():
        return _named(variable, f"{_kind(variable)} {variable} ({VARIABLE})", report, progress, task, options)
    if asked := said(options):
        raise BadInput(f"the images of {FASHION_MNIST.name} are made: leave out {' and '.join(asked)}")
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


def _kind(path: str | Path) -> str:
    return "file" if is_zip(Path(path)) else "folder"


def _named(
    path: Path,
    source: str,
    report: Report,
    progress: Progress | None,
    task: Task | None,
    options: PictureOptions,
) -> Dataset:
    """What a user named: IDX files where any of what belongs to them is there, else pictures."""
    if not is_idx(path):
        from edgefashion.data.picture_sets.loading import load

        return load(path, source, report, progress, task, options)
    if asked := said(options):
        raise BadInput(f"the images in {path} are made: leave out {' and '.join(asked)}")
    found = read_named(path, source, task)
    if found.task not in (FASHION_MNIST, task) and not os.path.lexists(path / TASK):
        report(f"{path} is not {FASHION_MNIST.name}: its classes are {listed(found.task.classes)}")
    return found


def is_idx(path: Path) -> bool:
    """Whether a data set of IDX files is at `path`, or what is left of one. Raises DataError for others."""
    if is_zip(path):
        return False
    if reading.is_file(path, DataError):
        raise DataError(f"{path} is a file: name its folder, {path.parent}")
    if not reading.is_folder(path, DataError):
        raise DataError(f"{path}: no such folder or .zip file; name one with {KINDS}")
    return len(missing(path)) < len(FILES) or any(os.path.lexists(path / name) for name in (SUMS, TASK))
