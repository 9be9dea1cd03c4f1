"""Clients that are slow, leave, or send what is no request."""

import contextlib
import errno
import random
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from edgefashion.serving import limits
from edgefashion.serving.server import Server

if TYPE_CHECKING:
    from conftest import Served

BEGUN = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nabc"


@pytest.fixture
def requests_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "tools/bench")
    return import_module("malformed")


def test_malformed_requests_are_refused_and_nothing_is_left_of_them(
    served: "Served", shoe: bytes, requests_of: Any
) -> None:
    source = random.Random(1)
    threads, statuses = served.server.connections, set[str]()
    for _ in range(400):
        found = requests_of.answer(served.port, requests_of.malformed(shoe, source))
        statuses.add(found[9:12].decode("latin-1"))
    assert {"400", "404", "405", "415"} <= statuses <= {"", "200", *map(str, range(400, 432)), "501"}
    assert served.predict(shoe).status == 200 and served.reports == []
    assert within_a_second(lambda: served.server.connections <= threads)


def within_a_second(holds: Any) -> bool:
    for _ in range(100):
        if holds():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        (b"nonsense\r\n\r\n", 400, b"this is no request of HTTP"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, b"Host"),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * limits.HEAD_BYTES,
            431,
            b"first line and headers have more than 16 KiB",
        ),
        (BEGUN, 400, b"no request of HTTP"),
    ],
)
def test_what_is_no_request_is_answered_in_words(
    sent: bytes, status: int, words: bytes, served: "Served"
) -> None:
    answer = served.raw(sent)
    assert answer.startswith(b"HTTP/1.1 %d " % status) and words in answer
    assert b"\r\nConnection: close\r\n" in answer


def test_a_client_that_trickles_is_told_so_and_delays_nobody(
    served: "Served", shoe: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUEST_S", 0.5)
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as slow:
        slow.sendall(BEGUN)
        begin = time.monotonic()
        assert served.predict(shoe).status == 200
        answer = b""
        while b"\r\n\r\n{" not in answer:  # each byte in time, and the whole is not
            slow.sendall(b"x")
            slow.settimeout(0.05)
            try:
                answer += slow.recv(1 << 16)
            except TimeoutError:
                assert time.monotonic() - begin < 5
        assert answer.startswith(b"HTTP/1.1 408 ") and b"did not come in within 0.5 s" in answer


def test_a_connection_that_says_nothing_is_closed(served: "Served", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REST_S", 0.1)
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as silent:
        assert silent.recv(10) == b""


def test_one_client_that_holds_all_connections_keeps_nobody_out(
    served: "Served", shoe: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS", 8)
    with ExitStack() as held:
        for _ in range(40):
            stream = held.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=5))
            with contextlib.suppress(OSError):  # broken off already, for one that came later
                stream.sendall(BEGUN)
        assert served.predict(shoe).status == 200
        assert served.server.connections <= 8


def test_one_client_that_holds_all_descriptors_keeps_nobody_out(
    served: "Served", shoe: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, room = served.server._listener.accept, 8

    def accept() -> Any:
        if served.server.connections >= room:
            raise OSError(errno.EMFILE, "Too many open files")
        return own()

    monkeypatch.setattr(served.server, "_listener", SimpleNamespace(accept=accept))
    with ExitStack() as held:
        for _ in range(12):
            held.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=5))
        assert served.predict(shoe).status == 200


def test_one_connection_serves_many_requests(served: "Served", shoe: bytes) -> None:
    request = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(shoe) + shoe
    answer = served.raw(request * 3 + request.replace(b"\r\nContent", b"\r\nConnection: close\r\nContent"))
    assert answer.count(b"HTTP/1.1 200 OK") == 4


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(served: "Served", shoe: bytes) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n" % len(shoe)
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as stream:
        stream.sendall(head + b"Expect: 100-continue\r\n\r\n")
        assert stream.recv(100).startswith(b"HTTP/1.1 100 ")
        stream.sendall(shoe)
        assert stream.recv(100).startswith(b"HTTP/1.1 200 ")


def test_more_pictures_on_the_way_than_there_is_room_for_are_told_to_come_again(
    served: "Served", shoe: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.server, "_bodies", limits.Bytes(len(shoe) - 1))
    answer = served.predict(shoe)
    assert answer.status == 503 and answer.headers["Retry-After"] == "1"
    assert "too many pictures are being sent" in answer.json["error"]


def test_clients_that_leave_in_the_middle_leave_nothing(served: "Served", shoe: bytes) -> None:
    def leave(number: int) -> None:
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as stream:
            stream.sendall(BEGUN[: number * 3])

    with ThreadPoolExecutor(4) as clients:
        list(clients.map(leave, range(1, 30)))
    assert served.predict(shoe).status == 200
    assert within_a_second(lambda: not served.server.connections)


def test_a_fault_of_ours_is_an_answer_and_its_traceback_stands_with_the_host(
    served: "Served", shoe: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(served.pool, "classify", lambda *given, **options: 1 / 0)
    answer = served.predict(shoe)
    assert answer.status == 500 and "a fault of edgefashion" in answer.json["error"]
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert served.ask("GET", "/").status == 200


def test_where_no_thread_can_be_started_one_client_is_sent_away(
    served: "Served", shoe: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as stream:
            assert stream.recv(10) == b""
    assert served.predict(shoe).status == 200


def test_a_listener_that_fails_ends_the_server_with_its_error(
    served: "Served", monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        failing = Server(listener, served.server._site)
        monkeypatch.setattr(failing, "_admit", lambda *given: 1 / 0)
        with socket.create_connection(listener.getsockname()), pytest.raises(ZeroDivisionError):
            failing.run()
