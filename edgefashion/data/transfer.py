"""A transfer over HTTP that ends: of no more bytes than expected, and never slower than `SLOWEST`.

A time limit of a socket begins anew with each byte, and a server that sends one now and then, of the body or
of what stands before it, would be listened to for ever. So a thread listens, and may be left behind.
"""

import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from edgefashion.escaping import visible

CHUNK = 1 << 16
PATIENCE = 30.0  # seconds, before slowness counts
SLOWEST = 4096  # bytes per second


class TransferError(Exception):
    """What went wrong, in words."""


class Transfer:
    """One file from `url`, of at most `at_most` bytes; `timeout`: seconds to connect, and without a byte."""

    def __init__(self, url: str, at_most: int, timeout: float) -> None:
        self._url, self._at_most, self._timeout = url, at_most, timeout
        self._begun, self._done = time.monotonic(), 0
        self._total: int | None = None
        self._come: queue.SimpleQueue[int | bytes | Exception | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def total(self) -> int | None:
        """How many bytes the server promises, or None. Raises TransferError."""
        found = self._next()
        self._total = found if isinstance(found, int) else None
        if self._total is not None and self._total > self._at_most:
            raise TransferError(
                f"it offers {self._total:,} bytes, more than the {self._at_most:,} of the file"
            )
        return self._total

    def chunks(self) -> Iterator[bytes]:
        """The bytes, to be asked for after `total`. Raises TransferError."""
        while chunk := self._next():
            assert isinstance(chunk, bytes)
            self._done += len(chunk)
            if self._done > self._at_most:
                raise TransferError(f"it sends more than the {self._at_most:,} bytes of the file")
            yield chunk
        if self._total is not None and self._done != self._total:
            raise TransferError(f"the connection ended after {self._done:,} of {self._total:,} bytes")

    def _next(self) -> int | bytes | None:
        left = self._begun + PATIENCE + self._done / SLOWEST - time.monotonic()
        try:
            found = self._come.get(timeout=max(0.0, left))
        except queue.Empty:
            seconds = time.monotonic() - self._begun
            raise TransferError(f"too slow: {self._done:,} bytes in {seconds:.0f} s") from None
        if isinstance(found, Exception):
            raise found
        return found

    def _listen(self) -> None:
        """Put into the queue how many bytes are promised, then the bytes, then none; or why not."""
        begun = False
        try:
            with urllib.request.urlopen(self._url, timeout=self._timeout) as response:
                begun, left = True, self._at_most
                self._come.put(response.length)
                while left >= 0 and (chunk := response.read1(CHUNK)):
                    left -= len(chunk)
                    self._come.put(chunk)
            self._come.put(b"")
        except urllib.error.HTTPError as error:
            self._come.put(TransferError(visible(f"HTTP {error.code} {error.reason}")))
        except Exception as error:  # whatever a server may cause: nobody hears of it in this thread
            broke = "the connection broke: " if begun else ""
            self._come.put(TransferError(f"{broke}{self._reason(error)}"))

    def _reason(self, error: Exception) -> str:
        cause = getattr(error, "reason", error)
        if isinstance(cause, TimeoutError):
            return f"no answer within {self._timeout:g} s"
        return visible(getattr(cause, "strerror", None) or str(cause) or type(cause).__name__)
