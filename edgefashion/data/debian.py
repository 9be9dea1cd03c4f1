"""Fetching the Debian package of the data set with apt, without root and without installing it."""

from pathlib import Path

from edgefashion.data import apt
from edgefashion.data.fashion_mnist import FILES, PACKAGE
from edgefashion.data.idx import gzip_path
from edgefashion.errors import DataError
from edgefashion.reporting import Report


def fetch(staging: Path, report: Report) -> None:
    """Put the four .gz files of the package into `staging`. Raises DataError where apt cannot serve."""
    if not apt.available():
        raise DataError("no apt on this machine")
    state = staging / "apt"
    command = apt.command(state)
    report("reading the package lists with apt")
    stale = apt.run([*command, "update"], state, report)  # by itself no matter: another source may be gone
    report(f"downloading the Debian package {PACKAGE} with apt")
    if problem := apt.run([*command, "download", PACKAGE], state, report):
        raise DataError(f"apt: {problem}" + (f"; of the lists: {stale}" if stale else ""))
    packages = list(state.glob("*.deb"))
    if not packages:
        raise DataError(f"apt: no {PACKAGE} came")
    extract = ["dpkg-deb", "--extract", str(packages[0]), str(state / "unpacked")]
    if problem := apt.run(extract, state, report):
        raise DataError(f"dpkg-deb: {problem}")
    _collect(state / "unpacked", staging)


def _collect(unpacked: Path, staging: Path) -> None:
    for name in FILES:
        there = unpacked.rglob(f"{name}.gz")
        found = next((path for path in there if path.is_file() and not path.is_symlink()), None)
        if found is None:
            raise DataError(f"the package {PACKAGE} holds no {name}.gz")
        found.replace(gzip_path(staging, name))
