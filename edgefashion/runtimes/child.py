"""A child process that answers requests, see `worker`; it ends with this one, whatever ends it."""

import json
import math
import os
import select
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from typing import Any

from edgefashion.runtimes import endings
from edgefashion.system import descriptors, workers

WORKER = ("-m", "edgefashion.runtimes.worker")
"""What Python runs as the child."""
_FAREWELL_S = 2.0
_LONGEST_WAIT_S = 1e6


class Died(Exception):
    """The child is gone; the message is how, its words and, where likely, why."""

    def __init__(self, code: int, said: str) -> None:
        self.of_memory = endings.is_of_memory(said)
        last = f" ({said})" if said else ""
        self.how, self.details = endings.how(code), last + endings.advice(code)


class Silent(Exception):
    """The child gave no answer in time, and was stopped."""


class Child:
    """A process that runs `worker`, with `log` as its standard error; `place` is where other operations than
    those there are, `module:class`. Raises OSError where none starts.
    """

    def __init__(self, log: Path, place: str | None = None) -> None:
        self._log = log
        descriptors.fill()
        other = [place] if place else []
        requests, self_requests = os.pipe()
        self_replies, replies = os.pipe()
        with ExitStack() as ours, os.fdopen(requests), os.fdopen(replies, "wb"):
            self._requests = ours.enter_context(os.fdopen(self_requests, "wb", buffering=0))
            self._replies = ours.enter_context(os.fdopen(self_replies, "rb", buffering=0))
            with log.open("wb") as said:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", *WORKER, str(requests), str(replies), _whose(), *other],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    pass_fds=(requests, replies),
                    process_group=0,  # Ctrl-C in a terminal is for the parent
                    env=workers.environment(),
                )
            os.set_blocking(self_requests, False)  # a child that reads nothing is waited for, not for ever
            ours.pop_all()  # the child is there: they stay open

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it is gone already."""
        return self._process.poll() is not None

    def ask(self, request: dict[str, Any], seconds: float, content: bytes = b"") -> dict[str, Any]:
        """The reply to a request and the bytes that belong to it, see `worker`. Raises Died, and Silent after
        so many seconds.
        """
        deadline = time.monotonic() + min(seconds, _LONGEST_WAIT_S)
        if content:
            request = {**request, "content": len(content)}
        try:
            self._write(json.dumps(request).encode() + b"\n" + content, deadline)
            line = self._read_line(deadline)
            reply: dict[str, Any] = json.loads(line)
        except (BrokenPipeError, EOFError, ValueError):
            raise self._obituary() from None
        return reply

    def end(self) -> int:
        """Close the pipes, wait a little, kill; gives the exit status. May be called twice."""
        self._requests.close()
        try:
            self._process.wait(_FAREWELL_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._replies.close()
        return self._process.wait()

    def _write(self, message: bytes, deadline: float) -> None:
        left = memoryview(message)
        while left:
            left = left[self._requests.write(left) or 0 :]  # None of a pipe that is full
            if left:
                self._wait(self._requests, select.POLLOUT, deadline)

    def _read_line(self, deadline: float) -> bytes:
        parts: list[bytes] = []
        while not parts or not parts[-1].endswith(b"\n"):
            self._wait(self._replies, select.POLLIN, deadline)
            part = self._replies.read(1 << 16)
            if not part:
                raise EOFError
            parts.append(part)
        return b"".join(parts)

    def _wait(self, pipe: FileIO, until: int, deadline: float) -> None:
        """Wait until a pipe is ready. Raises Silent, the child being killed, once the deadline is over."""
        poll = select.poll()  # `select` itself takes no descriptor above 1023
        poll.register(pipe, until)
        left = max(0.0, deadline - time.monotonic())
        if not poll.poll(math.ceil(1000 * left)):
            self._process.kill()
            raise Silent

    def _obituary(self) -> Died:
        try:
            code = self._process.wait(_FAREWELL_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return Died(code, endings.last_words(self._log))


def _whose() -> str:
    """This process's number, for the kernel to end the child with it; 0 where that would be too early.

    The kernel takes the thread that starts a child for its parent, and only the main one lasts.
    """
    return str(os.getpid() if threading.current_thread() is threading.main_thread() else 0)
