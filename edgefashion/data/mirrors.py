"""Fetching the files from public mirrors over HTTPS."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from edgefashion.data.idx import compressed
from edgefashion.data.progress import Report, advancing
from edgefashion.errors import DataError

MIRRORS = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
TIMEOUT = 5.0  # seconds to connect, and seconds without a byte
ATTEMPTS = 3  # for a mirror that has served a file already
CHUNK = 1 << 16


def fetch(mirror: str, names: Sequence[str], staging: Path, report: Report) -> Iterator[str]:
    """Download each of the IDX files `names` from `mirror` into `staging`; yield its name when it is there.

    A mirror gets one attempt at its first file and more at the others; each starts from the first byte.
    Raises DataError when the last attempt failed.
    """
    for position, name in enumerate(names):
        for left in reversed(range(ATTEMPTS if position else 1)):
            try:
                _download(mirror, compressed(staging, name), report)
                break
            except DataError as error:
                if not left:
                    raise
                report(f"{error}; trying again")
        yield name


def host(mirror: str) -> str:
    """The mirror's name for people."""
    return urlsplit(mirror).netloc


def _download(mirror: str, path: Path, report: Report) -> None:
    label = f"downloading {path.name} from {host(mirror)}"
    report(label)
    with _opened(mirror + path.name) as response, path.open("wb") as file:
        total = response.length
        done = 0
        with advancing(path.name, total, report) as advance:
            while chunk := _chunk(response, mirror):
                file.write(chunk)
                done += len(chunk)
                advance(len(chunk))
    if total is not None and done != total:
        raise DataError(f"{host(mirror)}: the connection ended after {done:,} of {total:,} bytes")


def _opened(url: str) -> http.client.HTTPResponse:
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(url, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        raise DataError(f"{host(url)}: HTTP {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise DataError(f"{host(url)}: {_reason(error)}") from error
    return response


def _chunk(response: http.client.HTTPResponse, mirror: str) -> bytes:
    try:
        return response.read(CHUNK)
    except http.client.IncompleteRead as error:
        return error.partial
    except (OSError, http.client.HTTPException) as error:
        raise DataError(f"{host(mirror)}: the connection broke: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return f"no answer within {TIMEOUT:g} s"
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
