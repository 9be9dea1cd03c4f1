"""The server's end: whatever moment a signal comes at."""

import socket
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from edgefashion import zoo
from edgefashion.serving import address, limits
from edgefashion.serving.server import Server

if TYPE_CHECKING:
    from conftest import Serve


def test_a_signal_before_it_waits_ends_it_and_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C comes while the thread that accepts is being started."""
    start = threading.Thread.start
    listener = address.listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    before = {*threading.enumerate()}

    def interrupted(thread: threading.Thread) -> None:
        monkeypatch.undo()
        start(thread)
        raise KeyboardInterrupt

    with ExitStack() as clients:
        streams = [clients.enter_context(socket.create_connection(("127.0.0.1", port), 10)) for _ in range(3)]
        monkeypatch.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Server(listener, Mock()).run()
        assert [stream.recv(1) for stream in streams] == [b""] * 3
    assert {*threading.enumerate()} <= before


def test_a_signal_before_it_accepts_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = address.listen("127.0.0.1", 0)
    monkeypatch.setattr(threading.Thread, "start", Mock(side_effect=KeyboardInterrupt))
    monkeypatch.setattr("edgefashion.serving.limits.LINGER_S", 0.01)
    with pytest.raises(KeyboardInterrupt):
        Server(listener, Mock()).run()
    listener.close()


def test_half_a_request_is_not_waited_for_to_the_end(serve: "Serve", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LINGER_S", 0.1)
    with serve(zoo.open_zoo().artifacts("zoo:cnn-16k")) as served:
        stream = socket.create_connection(("127.0.0.1", served.port), timeout=20)
        stream.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
        while not served.server.connections:
            time.sleep(0.01)
        start = time.monotonic()
    assert time.monotonic() - start < limits.REQUEST_S / 3
    stream.close()
