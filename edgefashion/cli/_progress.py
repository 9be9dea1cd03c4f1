"""How far a measurement is."""

import math
import sys
import time
from typing import TYPE_CHECKING

from edgefashion.cli._output import say
from edgefashion.escaping import visible

if TYPE_CHECKING:
    from edgefashion.benchmarking import Progress

LOG_INTERVAL_SECONDS = 5


class Bar:
    """Progress of a measurement: a bar in a terminal, else a line now and then."""

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
        self.task = self.bar.add_task("measuring")
        self.said = -math.inf
        return self._advance

    def _advance(self, doing: str, done: int, total: int) -> None:
        from rich.markup import escape

        self.bar.update(
            self.task, description=escape(visible(doing)), completed=done, total=total, refresh=True
        )
        if self.bar.disable and time.monotonic() - self.said > LOG_INTERVAL_SECONDS:
            say(f"{doing} ({done:,} of {total:,})")
            self.said = time.monotonic()

    def __exit__(self, *error: object) -> None:
        self.bar.stop()
