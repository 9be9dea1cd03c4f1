"""What one server takes on at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from edgefashion.serving.messages import Refusal

HEAD_BYTES = 16 << 10
"""Of a request's first line and headers."""
BODY_BYTES = 20 << 20
"""Of a picture, as it is sent."""
BODIES_BYTES = 4 * BODY_BYTES
"""Of all pictures that are here at a time."""
REST_S = 60.0
"""Seconds that a connection may rest between two requests."""
REQUEST_S = 30.0
"""Seconds that a request may take to come in as a whole, however it trickles."""
SEND_S = 15.0
"""Seconds that a client may take to read an answer."""
LINGER_S = 2.0
"""Seconds that what still comes is read for, unseen, where a request is refused before its end."""
QUEUE_S = 10.0
"""Seconds that a picture may wait for a worker."""
ANSWER_S = 30.0
"""Seconds that decoding a picture and classifying it may take."""
CONNECTIONS = 128
WAITING = 16
"""Pictures that may wait for each worker; half of them from one address."""


class Bytes:
    """So many bytes, of which each takes its share for a while."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, count: int) -> Iterator[None]:
        """A block that holds so many. Raises Refusal where there are not so many left."""
        with self._lock:
            if count > self._left:
                raise Refusal(503, "too many pictures are being sent at the moment: try again in a second")
            self._left -= count
        try:
            yield
        finally:
            with self._lock:
                self._left += count
