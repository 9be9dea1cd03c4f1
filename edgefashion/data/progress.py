"""Showing the progress of a download: a bar in a terminal, a line now and then elsewhere."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from edgefashion.reporting import Report, silent

INTERVAL = 5.0  # seconds between two lines


@contextlib.contextmanager
def advancing(label: str, total: int | None, report: Report) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with the number of bytes that have come in since its last call."""
    if report is not silent and sys.stderr.isatty():
        with _bar(label, total) as advance:
            yield advance
    else:
        yield _lines(label, total, report)


@contextlib.contextmanager
def _bar(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(label, total=total)
        yield lambda count: shown.advance(task, count)


def _lines(label: str, total: int | None, report: Report) -> Callable[[int], None]:
    done = 0
    last = time.monotonic()

    def advance(count: int) -> None:
        nonlocal done, last
        done += count
        if time.monotonic() - last >= INTERVAL:
            last = time.monotonic()
            report(f"{label}: {megabytes(done)}" + (f" of {megabytes(total)}" if total else ""))

    return advance


def megabytes(count: int) -> str:
    """A number of bytes for people."""
    return f"{count / 1e6:.1f} MB"
