"""Where a server listens, who does so already, and how others reach it."""

import contextlib
import errno
import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

BACKLOG = 128
_TRIED = 20
_LISTENS = "0A"
_BROADCAST = "255.255.255.255"
_NOWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses of documentation: nothing is sent there."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises OSError, of which socket.gaierror is for a name that is unknown."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, place = found[0]
    if _is_of_many(str(place[0])):
        raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _is_of_many(address: str) -> bool:
    """Whether it is multicast or broadcast: the system listens there, and nobody can connect."""
    return ipaddress.ip_address(address).is_multicast or address == _BROADCAST


def free_port(host: str, above: int) -> int | None:
    """The first port above another that is free; None where none of the next ones is."""
    for port in range(above + 1, min(above + _TRIED, 65535) + 1):
        with contextlib.suppress(OSError), listen(host, port):
            return port
    return None


def holder(port: int) -> str | None:
    """The process that listens on a port, `name (process 123)`; None where the system does not tell."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # of somebody else, or gone
            if not sockets.isdisjoint(_links(process / "fd")):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return None


def _links(folder: Path) -> Iterator[str]:
    """Where the links in a folder lead, but for those that go meanwhile."""
    for each in folder.iterdir():
        with contextlib.suppress(OSError):
            yield str(each.readlink())


def _inodes(port: int) -> list[str]:
    """The sockets that listen on a port, by their inodes. Columns as in proc(5)."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
            found += [
                row[9] for row in rows if row[3] == _LISTENS and int(row[1].rpartition(":")[2], 16) == port
            ]
    return found


def url(listener: socket.socket) -> str:
    """What a browser calls it: of a socket for all addresses, the one by which others reach this machine."""
    host, port = listener.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = _own(listener.family)
    if ":" in host:
        host = f"[{quote(host, safe=':')}]"
    return f"http://{host}:{port}/"


def is_open(listener: socket.socket) -> bool:
    """Whether other machines may reach it."""
    return not ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def _own(family: int) -> str:
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asked:
        asked.connect((_NOWHERE[socket.AddressFamily(family)], 9))  # chooses a way, and sends nothing
        return str(asked.getsockname()[0])
    return "127.0.0.1" if family == socket.AF_INET else "::1"
