"""Standard streams that never stop the work: results are not lost because nobody can be told of them.

What a closed, full or left stream does not take is dropped, and why is remembered for the exit code. What
its encoding lacks becomes something alike.
"""

import codecs
import errno
import io
import os
import select
import signal
import sys
from typing import Any, TextIO

from edgefashion.errors import OutputError

READER_LEFT = 128 + signal.SIGPIPE
ALIKE = "edgefashion.alike"
"""The name of the error handler that finds something alike."""
_LIKE = {"µ": "u", "–": "-", "—": "-", "−": "-", "→": ">", "×": "x", "Δ": "d", "≠": "#", "…": "~", "·": "."}


class Outlet(io.FileIO):
    """A descriptor that takes whatever it is given; `failure` is why it drops what it gets."""

    failure: OSError | None = None

    def write(self, content: Any, /) -> int:
        """Write, or drop where that has failed or been interrupted. Gives how many bytes are dealt with."""
        try:
            while self.failure is None:
                count: int | None = super().write(content)
                if count is not None:
                    return count
                select.select([], [self], [])  # somebody has set it to be non-blocking
        except OSError as error:
            self.failure = error
        except KeyboardInterrupt:
            if not select.select([], [self], [], 0)[1]:  # a reader who stalls would be waited for again
                self.failure = InterruptedError(errno.EINTR, os.strerror(errno.EINTR))
            raise
        return len(content)


def replace() -> Outlet:
    """Put such streams in the place of Python's; gives the descriptor of the standard output."""
    codecs.register_error(ALIKE, _alike)
    stdout, stderr = Outlet(1, "w", closefd=False), Outlet(2, "w", closefd=False)
    sys.stdout = _text(stdout, sys.stdout, stdout.isatty())
    sys.stderr = _text(stderr, sys.stderr, line_buffering=True)
    return stdout


def end(stdout: Outlet) -> int:
    """The exit code where everything else went well: 0, or that of an output which nobody could read."""
    sys.stdout.flush()
    if stdout.failure is None:
        return 0
    if stdout.failure.errno == errno.EPIPE:
        return READER_LEFT
    reason = stdout.failure.strerror
    print(f"edgefashion: cannot write to the standard output: {reason}; files are written", file=sys.stderr)
    return OutputError.exit_code


def _text(outlet: Outlet, instead_of: TextIO | None, line_buffering: bool) -> TextIO:
    encoding = instead_of.encoding if instead_of else "utf-8"
    return io.TextIOWrapper(io.BufferedWriter(outlet), encoding, ALIKE, line_buffering=line_buffering)


def _alike(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that an encoding lacks, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(map(_like, lacking)), error.end


def _like(character: str) -> str:
    if "\ud800" <= character <= "\udfff":
        return f"\\u{ord(character):x}"
    return _LIKE.get(character, "?")
