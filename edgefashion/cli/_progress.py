"""How far the work is."""

import math
import sys
import time
from typing import TYPE_CHECKING

from edgefashion.cli._output import say
from edgefashion.escaping import visible

if TYPE_CHECKING:
    from edgefashion.reporting import Progress

LOG_INTERVAL_SECONDS = 5


def training_bar() -> "Bar":
    """That of a training, whose epochs have lines of their own."""
    return Bar(every=30, at_once=False)


class Bar:
    """How far the work is: a bar in a terminal, else a line every so many seconds, the first one at once."""

    def __init__(self, every: float = LOG_INTERVAL_SECONDS, at_once: bool = True) -> None:
        self.every, self.at_once = every, at_once

    def __enter__(self) -> "Progress":
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        # Refreshed only when something is reported: this process is to sleep while a model is measured.
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            console=Console(stderr=True),
            transient=True,
            auto_refresh=False,
            disable=not sys.stderr.isatty(),
        )
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
