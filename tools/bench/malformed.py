"""Requests that are nearly right, to try a server with: damaged in first line, headers, length or body."""

import random
import socket
from collections.abc import Callable

from load import post

TIMEOUT_S = 20.0
_TARGETS = (
    *(b"/", b"/predict", b"/predict?invert=maybe", b"//", b"/../../etc/passwd", b"/%00", b"*", b"", b"/\xff"),
    b"/" * 9000,
)
_METHODS = (b"GET", b"POST", b"post", b"PUT", b"CONNECT", b"P OST", b"", b"\x00", b"G" * 5000)
_HEADERS = (
    *(b"Content-Length: -1", b"Content-Length: 1e3", b"Content-Length: 99999999999999999999"),
    *(b"Content-Length: 0x10", b"Content-Length: 3\r\nContent-Length: 4", b"Transfer-Encoding: chunked"),
    *(
        b"Transfer-Encoding: gzip, chunked",
        b"Host: a\r\nHost: b",
        b"Host: attacker.example",
        b"Host:",
        b"Host: [",
    ),
    *(b"Host: 127.0.0.1:port", b": none", b"no colon", b"Name : space", b" folded", b"X: " + b"x" * 20_000),
    *(b"X: \x00", b"Origin: null", b"Expect: 100-continue", b"Expect: the unexpected", b"\xff\xfe: 1"),
    *(b"Connection: upgrade\r\nUpgrade: websocket", b"Content-Type: multipart/form-data"),
)


def malformed(picture: bytes, source: random.Random) -> bytes:
    """A request in which something is wrong; a picture that is damaged may be answered all the same."""
    ways: tuple[Callable[[bytes, random.Random], bytes], ...] = (
        _cut,
        _noise,
        _first_line,
        _header,
        _flipped,
        _body,
    )
    return source.choice(ways)(picture, source)


def answer(port: int, request: bytes) -> bytes:
    """All that a server answers to it, after which nothing more is sent."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as stream:
        parts = []
        try:
            stream.sendall(request)
            stream.shutdown(socket.SHUT_WR)
            while part := stream.recv(1 << 16):
                parts.append(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has heard enough
        return b"".join(parts)


def _cut(picture: bytes, source: random.Random) -> bytes:
    whole = post(picture)
    return whole[: source.randrange(len(whole))]


def _noise(picture: bytes, source: random.Random) -> bytes:
    return source.randbytes(source.choice((1, 10, 100, 5000))) + source.choice((b"", b"\r\n\r\n"))


def _first_line(picture: bytes, source: random.Random) -> bytes:
    version = source.choice(
        (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2", b"HTTP/1.1 x", b"", b"http/1.1")
    )
    line = b" ".join((source.choice(_METHODS), source.choice(_TARGETS), version))
    return line + b"\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n\r\nabc"


def _header(picture: bytes, source: random.Random) -> bytes:
    head, _, body = post(picture).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    for _ in range(source.choice((1, 1, 2, 200))):
        lines.insert(source.randrange(1, len(lines) + 1), source.choice(_HEADERS))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _flipped(picture: bytes, source: random.Random) -> bytes:
    whole = bytearray(post(picture))
    for _ in range(source.choice((1, 3, 30))):
        whole[source.randrange(len(whole))] = source.randrange(256)
    return bytes(whole)


def _body(picture: bytes, source: random.Random) -> bytes:
    damaged = bytearray(picture)
    for _ in range(source.choice((1, 3, 30))):
        damaged[source.randrange(len(damaged))] = source.randrange(256)
    return post(bytes(damaged[: source.choice((len(damaged), source.randrange(len(damaged))))]))
