"""The data set in the user's cache: filled by one process at a time, with verified files only."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from edgefashion import files
from edgefashion.data import debian, download, fashion_mnist
from edgefashion.data.fashion_mnist import CHECKSUMS, FASHION_MNIST, FILES, PACKAGE
from edgefashion.data.idx import file_names, gzip_path, missing, read_verified
from edgefashion.errors import DataError
from edgefashion.errors.wording import setting
from edgefashion.escaping import visible
from edgefashion.files import reading
from edgefashion.reporting import Report

NOTE = "source.txt"  # who served the files beside it, a line each
NOTE_BYTES = 1000


def source(folder: Path) -> str:
    """Who served what lies in the cache `folder`, in words."""
    served = _served(folder)
    return f"user's cache, fetched from {' and '.join(served)}" if served else "user's cache"


def _served(folder: Path) -> list[str]:
    """Who served, as `NOTE` says; nobody where it is not there, or damaged."""
    with contextlib.suppress(DataError):
        text = reading.read_text(folder / NOTE, "a note", DataError, NOTE_BYTES)
        return [visible(line) for line in text.splitlines()]
    return []


def drop_damaged(folder: Path, report: Report) -> None:
    """Delete the files in the cache `folder` that are not what they should be. Raises DataError."""
    with _alone(folder, report):
        _sift(folder, report)


def fill(folder: Path, report: Report) -> None:
    """Fetch into the cache `folder` what it lacks, from whoever serves it.

    Each file is verified in a staging folder and moved in one step. Raises DataError when nobody serves, or
    the cache cannot be written.
    """
    with _alone(folder, report):
        _sift(folder, report)
        with _staging(folder) as staging:
            for mirror in fashion_mnist.MIRRORS:
                _fill_from_mirror(mirror, folder, staging, report)
            _fill_from_debian(folder, staging, report)
    if missing(folder):
        raise DataError(
            f"{FASHION_MNIST.name} is not on this machine and nobody served it (is there a network?):"
            f" sudo apt install {PACKAGE}, or put {file_names()} into a folder"
            f" and name it with {setting('--data')} or EDGEFASHION_DATA"
        )


def _fill_from_mirror(mirror: str, folder: Path, staging: Path, report: Report) -> None:
    wanted = _wanted(folder)
    try:
        for name in download.fetch(mirror, wanted, staging, report):
            _admit(name, staging, folder, download.host(mirror))
    except DataError as error:
        report(f"{error}; leaving this mirror")


def _fill_from_debian(folder: Path, staging: Path, report: Report) -> None:
    wanted = _wanted(folder)
    if not wanted:
        return
    try:
        debian.fetch(staging, report)
        for name in wanted:
            _admit(name, staging, folder, f"the Debian package {PACKAGE}")
    except DataError as error:
        report(str(error))


def _wanted(folder: Path) -> list[str]:
    return [name for name in FILES if not gzip_path(folder, name).exists()]


def _admit(name: str, staging: Path, folder: Path, served: str) -> None:
    staged = gzip_path(staging, name)
    try:
        read_verified(staged, name, CHECKSUMS[name])
    except DataError as error:
        raise DataError(f"{served} sent a bad file: {error}") from error
    lines = _served(folder)
    if served not in lines:
        files.write_text(folder / NOTE, "\n".join([*lines, served]) + "\n")
    staged.replace(gzip_path(folder, name))


def _sift(folder: Path, report: Report) -> None:
    for name in FILES:
        path = gzip_path(folder, name)
        if not path.exists():
            continue
        try:
            read_verified(path, name, CHECKSUMS[name])
        except DataError as error:
            report(f"deleted from the cache: {error}")
            path.unlink()
    if len(_wanted(folder)) == len(FILES):
        (folder / NOTE).unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(folder: Path, report: Report) -> Iterator[None]:
    """Hold the cache for this process, and name the folder when the system refuses to write there."""
    try:
        with files.alone(folder, report, "another process is fetching the data set; waiting for it"):
            yield
    except OSError as error:
        raise DataError(
            f"cannot write to the cache {folder}: {error.strerror or error};"
            " choose another with XDG_CACHE_HOME,"
            f" or name a folder that holds the data set with {setting('--data')} or EDGEFASHION_DATA"
        ) from error


@contextlib.contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    staging = folder / "staging"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
