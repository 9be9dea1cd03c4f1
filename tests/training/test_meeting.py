"""Workers find each other, or say who is missing or different."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from edgefashion.errors import BadInput
from edgefashion.training.cluster import Cluster
from edgefashion.training.meeting import VARIABLE, Hello, Meeting, hold, open_meeting

HELLO: Hello = {"edgefashion": "1", "recipe": {"epochs": 3, "seed": 0}, "data": "abc"}


@pytest.fixture
def addresses() -> tuple[str, ...]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    found = tuple(f"127.0.0.1:{one.getsockname()[1]}" for one in sockets)
    for one in sockets:
        one.close()
    return found


@pytest.fixture
def meet(addresses: tuple[str, ...]) -> Callable[..., list[Future[None]]]:
    """Lets workers meet, each with its own hello, and gives what each came to."""

    def one(number: int, hello: Hello, wait_s: float) -> None:
        time.sleep(wait_s)
        with Meeting(Cluster(addresses, number)) as meeting:
            meeting.agree(hello)

    def all_of_them(*hellos: Hello | None) -> list[Future[None]]:
        with ThreadPoolExecutor() as pool:
            return [
                pool.submit(one, number, hello, 0.1 * number)
                for number, hello in enumerate(hellos)
                if hello is not None
            ]

    return all_of_them


def test_workers_that_are_about_to_do_the_same_agree(
    meet: Callable[..., list[Future[None]]], addresses: tuple[str, ...]
) -> None:
    assert [one.exception() for one in meet(HELLO, HELLO, HELLO)] == [None, None, None]
    for address in addresses:  # and the ports are TensorFlow's now
        socket.create_server(("", int(address.rpartition(":")[2]))).close()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"recipe": {"epochs": 5, "seed": 0}}, "epochs 5, not 3"),
        ({"data": "def"}, "other data"),
        ({"edgefashion": "2\x1b[2J"}, r"edgefashion 2\\x1b\[2J, not 1"),
    ],
)
def test_one_that_is_about_to_do_something_else_is_named_by_all(
    meet: Callable[..., list[Future[None]]], change: dict[str, Any], why: str, addresses: tuple[str, ...]
) -> None:
    for one in meet(HELLO, HELLO, HELLO | change):
        with pytest.raises(BadInput, match=rf"worker 2 \({addresses[2]}\) is about to .*{why}"):
            one.result()


def test_one_that_does_not_come_is_named(
    meet: Callable[..., list[Future[None]]], monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    monkeypatch.setenv(VARIABLE, "0.5")
    for one in meet(HELLO, HELLO, None):
        with pytest.raises(
            BadInput, match=rf"worker 2 \({addresses[2]}\) cannot be reached \(Connection ref"
        ):
            one.result()
    monkeypatch.setenv(VARIABLE, "soon")
    with pytest.raises(BadInput, match="EDGEFASHION_JOIN_S is 'soon', and not a number of seconds"):
        meet(HELLO)[0].result()


def test_a_port_that_is_taken_is_named(addresses: tuple[str, ...]) -> None:
    port = int(addresses[0].rpartition(":")[2])
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(BadInput, match=rf"worker 0 \(.*\) cannot use its port {port} \(.*in use"),
    ):
        Meeting(Cluster(addresses, 0))


def test_what_else_listens_on_a_port_is_not_believed(
    addresses: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "0.5")
    port = int(addresses[1].rpartition(":")[2])
    with (
        socket.create_server(("127.0.0.1", port)) as other,
        ThreadPoolExecutor() as pool,
        Meeting(Cluster(addresses[:2], 0)) as meeting,
    ):
        pool.submit(lambda: other.accept()[0].sendall(b"[" * 100_000))
        with pytest.raises(BadInput, match="cannot be reached"):
            meeting.agree(HELLO)


def test_one_that_is_held_is_waited_for_as_long_as_it_takes(
    addresses: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "0.5")
    first, second = (Cluster(addresses[:2], number) for number in range(2))
    with ThreadPoolExecutor() as pool, Meeting(first) as meeting:
        hold(second)
        agreed = pool.submit(meeting.agree, HELLO)
        time.sleep(1)  # of reading data
        assert not agreed.done()
        with open_meeting(second) as held:
            held.agree(HELLO)
        assert agreed.result() is None
