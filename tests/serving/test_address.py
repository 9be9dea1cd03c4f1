"""Where a server listens, and what that is called."""

import errno
import socket
from typing import cast

import pytest

from edgefashion.serving import address


class Bound:
    """A socket that is bound to an address, as far as it is asked."""

    def __init__(self, host: str) -> None:
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.host = host

    def getsockname(self) -> tuple[str, int]:
        return self.host, 8000


def test_a_browser_finds_it_by_its_url() -> None:
    with address.listen("localhost", 0) as listener:
        assert address.url(listener).startswith("http://") and not address.is_open(listener)
        assert address.free_port("localhost", listener.getsockname()[1]) is not None


@pytest.mark.parametrize("host", ["255.255.255.255", "224.0.0.1"])
def test_where_nobody_can_connect_nobody_listens(host: str) -> None:
    with pytest.raises(OSError) as raised, address.listen(host, 0):
        pass
    assert raised.value.errno == errno.EADDRNOTAVAIL


@pytest.mark.parametrize(
    ("host", "url", "is_open"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/", False),
        ("::1", "http://[::1]:8000/", False),
        ("192.168.1.5", "http://192.168.1.5:8000/", True),
    ],
)
def test_who_can_reach_it_is_known(host: str, url: str, is_open: bool) -> None:
    bound = cast(socket.socket, Bound(host))
    assert (address.url(bound), address.is_open(bound)) == (url, is_open)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_of_all_addresses_one_is_named_that_can_be_typed(host: str) -> None:
    bound = cast(socket.socket, Bound(host))
    assert address.is_open(bound)
    assert "//0.0.0.0" not in address.url(bound) and "//[::]" not in address.url(bound)
