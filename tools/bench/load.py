"""A client that keeps a server of HTTP/1.1 busy: some connections, one thread, requests made beforehand."""

import select
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

WAIT_S = 30.0


@dataclass
class Answers:
    """What came of a load."""

    seconds: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


class _Connection:
    """One that has a request on its way at any time."""

    def __init__(self, port: int) -> None:
        self.stream = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._got = b""
        self._begin = 0.0

    def send(self, request: bytes) -> None:
        self._begin = time.perf_counter()
        self.stream.sendall(request)

    def receive(self) -> tuple[int, float] | None:
        """Status and seconds of an answer, once it is whole."""
        part = self.stream.recv(1 << 18)
        if not part:
            raise ConnectionError("the server has closed a connection")
        self._got += part
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]):
            return None
        self._got = b""
        return int(head.split()[1]), time.perf_counter() - self._begin


def post(picture: bytes) -> bytes:
    """A request to classify a picture."""
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(picture)}\r\n\r\n"
    return head.encode() + picture


def load(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> Answers:
    """Send one request after the other, on so many connections at a time, for so long."""
    found = Answers()
    with ExitStack() as stack:
        waiting: dict[int, _Connection] = {}
        poll = select.poll()
        for _ in range(connections):
            connection = _Connection(port)
            stack.enter_context(connection.stream)
            waiting[connection.stream.fileno()] = connection
            poll.register(connection.stream, select.POLLIN)
            connection.send(next(requests))
        begin = time.perf_counter()
        while (now := time.perf_counter() - begin) < seconds + WAIT_S and waiting:
            for descriptor, _ in poll.poll(1000 * WAIT_S):
                answer = waiting[descriptor].receive()
                if answer is None:
                    continue
                found.statuses[answer[0]] += 1
                if now < seconds:
                    found.latencies_s.append(answer[1])
                    waiting[descriptor].send(next(requests))
                else:
                    poll.unregister(descriptor)
                    del waiting[descriptor]
        found.seconds = seconds
    return found
