"""The server's end: whatever moment a signal comes at."""

import socket
import threading
from contextlib import ExitStack
from unittest.mock import Mock

import pytest

from edgefashion.serving import address
from edgefashion.serving.server import Server


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
