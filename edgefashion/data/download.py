"""Fetching the files from public mirrors over HTTPS."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from edgefashion.data.fashion_mnist import most_bytes
from edgefashion.data.idx import GZIP_BYTES, gzip_path
from edgefashion.data.progress import advancing
from edgefashion.data.transfer import Transfer, TransferError
from edgefashion.errors import DataError
from edgefashion.reporting import Report

TIMEOUT = 5.0  # seconds to connect, and seconds without a byte
ATTEMPTS = 3  # for a mirror that has served a file already


def fetch(mirror: str, names: Sequence[str], staging: Path, report: Report) -> Iterator[str]:
    """Download each of the IDX files `names` from `mirror` into `staging`; yield its name when it is there.

    A mirror gets one attempt at its first file and more at the others; each starts from the first byte.
    Raises DataError when the last attempt failed.
    """
    for position, name in enumerate(names):
        for left in reversed(range(ATTEMPTS if position else 1)):
            try:
                _download(mirror, name, gzip_path(staging, name), report)
                break
            except DataError as error:
                if not left:
                    raise
                report(f"{error}; trying again")
        yield name


def host(mirror: str) -> str:
    """The mirror's name for people."""
    return urlsplit(mirror).netloc


def _download(mirror: str, name: str, path: Path, report: Report) -> None:
    report(f"downloading {path.name} from {host(mirror)}")
    transfer = Transfer(mirror + path.name, most_bytes(name) + GZIP_BYTES, TIMEOUT)
    try:
        total = transfer.total()
        with path.open("wb") as file, advancing(path.name, total, report) as advance:
            for chunk in transfer.chunks():
                file.write(chunk)
                advance(len(chunk))
    except TransferError as error:
        raise DataError(f"{host(mirror)}: {error}") from error
