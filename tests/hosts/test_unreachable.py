"""A machine that cannot be reached says why, over the real ssh, and in time."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from edgefashion.errors import HostError
from edgefashion.hosts import ssh
from edgefashion.hosts.host import Host
from edgefashion.hosts.probe import look
from edgefashion.hosts.ssh import Remote

if TYPE_CHECKING:
    from sshd import Shelf

LONGEST_S = 20


def refusal(name: str) -> HostError:
    start = time.monotonic()
    with pytest.raises(HostError) as raised:
        look(Remote(Host.parse(name)))
    assert time.monotonic() - start < LONGEST_S
    assert raised.value.host == name
    assert str(raised.value).isprintable()
    return raised.value


def test_a_name_that_is_none(shelf: "Shelf") -> None:
    assert "no machine is known by that name" in refusal("no-such-machine.invalid").why


def test_a_port_where_nobody_listens(shelf: "Shelf") -> None:
    shelf.missing("off")
    assert "no ssh server answers on that port" in refusal("off").why


def test_keys_that_are_refused_unknown_or_changed(shelf: "Shelf") -> None:
    shelf("a")
    shelf.with_key("stranger")
    error = refusal("a")
    assert ("none of your keys" in error.why, "ssh-copy-id a" in error.mend) == (True, True)
    shelf.forget_host_keys()
    error = refusal("a")
    assert ("host key is not known here" in error.why, error.mend.endswith("config a true")) == (True, True)
    known = shelf.folder / "known_hosts"
    (host,) = shelf.hosts
    known.write_text(f"[127.0.0.1]:{host.port} {(shelf.keys / 'stranger.pub').read_text()}")
    error = refusal("a")
    assert ("another than before" in error.why, "ssh-keygen -R a" in error.mend) == (True, True)


@pytest.fixture
def answering() -> Iterator[tuple[int, list[bytes]]]:
    """A port, and what is said there to everyone; nothing more, and the connection stays."""
    words: list[bytes] = []
    taken: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
                taken.append(connection)
                for word in words:
                    connection.sendall(word)
                if words:
                    connection.close()
            except OSError:
                if server.fileno() < 0:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], words
        server.shutdown(socket.SHUT_RDWR)
    for connection in taken:
        connection.close()


def test_a_port_that_says_nothing_or_rubbish(
    answering: tuple[int, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ssh._OPTIONS, "ConnectTimeout", "1")
    monkeypatch.delenv("EDGEFASHION_SSH", raising=False)
    port, words = answering
    assert "it takes the connection and says nothing" in refusal(f"127.0.0.1:{port}").why
    for rubbish in (
        b"",
        b"HTTP/1.1 400 \x1b[2J\r\n\r\n",
        bytes(1 << 20),
        b"SSH-2.0-\x1b[31m\r\n" + bytes(99),
    ):
        words[:] = [rubbish]
        assert "\x1b" not in str(refusal(f"127.0.0.1:{port}"))
