"""Requests to end: Ctrl-C, and the signals of a service manager or of a closing terminal."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 2
"""After so many signals the next one ends everything at once."""


class Interruption:
    """The first signal raises KeyboardInterrupt, wherever the program is. Those that follow let it end in
    order, until they are more than `PATIENCE`.
    """

    def __init__(self) -> None:
        self.exit_code = 128 + signal.SIGINT
        """What a shell says of a program that the first signal has ended."""
        self.count = 0

    def take_over(self) -> None:
        """Handle the signals of this process, but those that whoever started it has switched off."""
        for number in SIGNALS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                signal.signal(number, self)

    def give_back(self) -> None:
        """From now on there is nothing to interrupt: the exit code is known, and Python is about to end."""
        for number in SIGNALS:
            if signal.getsignal(number) is self:
                signal.signal(number, signal.SIG_IGN)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        self.count += 1
        if self.count == 1:
            self.exit_code = 128 + number
            raise KeyboardInterrupt
        if self.count > PATIENCE:
            os._exit(self.exit_code)
        with contextlib.suppress(OSError):
            os.write(2, b"edgefashion: keeping what is finished; once more to end at once\n")


@contextlib.contextmanager
def finishing() -> Iterator[None]:
    """A block that keeps what is finished, and takes a moment: no signal interrupts it, or what follows.

    Only the main thread can: elsewhere nothing changes.
    """
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: handler for number in SIGNALS if callable(handler := signal.getsignal(number))}
    try:
        for number in before:
            signal.signal(number, lambda number, frame: None)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def start_over() -> None:
    """Forget the signals until now, which have been heeded: the next one raises KeyboardInterrupt again."""
    for number in SIGNALS:
        if isinstance(handler := signal.getsignal(number), Interruption):
            handler.count = 0
