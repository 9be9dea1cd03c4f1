"""How far the work is."""

import math
import sys
import time
from typing import TYPE_CHECKING

from edgefashion.cli._output import say
from edgefashion.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.progress import Progress as Drawn

    from edgefashion.hosts.host import Host
    from edgefashion.reporting import Progress

LOG_INTERVAL_SECONDS, MANY_INTERVAL_SECONDS = 5, 15
LONGEST = 100
"""Characters of what a host says that it is doing."""


def training_bar() -> "Bar":
    """That of a training, whose epochs have lines of their own."""
    return Bar(every=30, at_once=False)


def _drawn() -> "Drawn":
    """Bars on stderr where it is a terminal; they leave nothing behind."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    # Refreshed only when something is reported: this process is to sleep while a model is measured.
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
        disable=not sys.stderr.isatty(),
    )


class Bar:
    """How far the work is: a bar in a terminal, else a line every so many seconds, the first one at once."""

    def __init__(self, every: float = LOG_INTERVAL_SECONDS, at_once: bool = True) -> None:
        self.every, self.at_once = every, at_once

    def __enter__(self) -> "Progress":
        self.bar = _drawn()
        self.bar.start()
        self.task = self.bar.add_task("starting")
        self.said = -math.inf if self.at_once else time.monotonic()
        return self._advance

    def _advance(self, doing: str, done: int, total: int) -> None:
        from rich.markup import escape

        self.bar.update(
            self.task, description=escape(visible(doing)), completed=done, total=total, refresh=True
        )
        if self.bar.disable and time.monotonic() - self.said > self.every:
            say(f"{doing} ({done:,} of {total:,})")
            self.said = time.monotonic()

    def __exit__(self, *error: object) -> None:
        self.bar.stop()


class Bars:
    """How far the work of several hosts is: a bar each in a terminal, else a line each every so often."""

    def __init__(self, hosts: "Iterable[Host]") -> None:
        self.bar = _drawn()
        self.tasks = {host: self.bar.add_task(f"{host}: waiting", total=None) for host in hosts}
        self.said = dict.fromkeys(self.tasks, -math.inf)

    def __enter__(self) -> "Bars":
        self.bar.start()
        return self

    def tell(self, host: "Host", doing: str, done: int, total: int) -> None:
        """One of them is doing something."""
        from rich.markup import escape

        text = escape(visible(f"{host}: {doing}"[:LONGEST]))
        self.bar.update(self.tasks[host], description=text, completed=done, total=total or None, refresh=True)
        if self.bar.disable and time.monotonic() - self.said[host] > MANY_INTERVAL_SECONDS:
            say(f"{host}: {doing[:LONGEST]}" + (f" ({done:,} of {total:,})" if total else ""))
            self.said[host] = time.monotonic()

    def end(self, host: "Host") -> None:
        """There is nothing more to come from one of them."""
        self.bar.remove_task(self.tasks[host])
        self.bar.refresh()

    def __exit__(self, *error: object) -> None:
        self.bar.stop()
