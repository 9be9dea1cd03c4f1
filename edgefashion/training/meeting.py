"""How the workers of a training find each other before TensorFlow waits for them, which it does for ever.

Each listens on the port that is to be TensorFlow's, and tells whoever asks what it is about to train; and
each asks all others. When all have been told, all know whether they agree, and the ports are free again.
"""

import contextlib
import json
import os
import socket
import threading
import time
from typing import Any

from edgefashion.errors import BadInput
from edgefashion.escaping import visible
from edgefashion.reporting import Report, silent
from edgefashion.training.cluster import Cluster

VARIABLE, LIMIT_S = "EDGEFASHION_JOIN_S", 300.0
"""How many seconds one waits for a worker that cannot be reached: what the variable says, or these."""
TELL_S = 5.0
"""When it is said who is waited for."""
MOST_BYTES = 1 << 16
CALL_S = 2.0
PAUSE_S = 0.1
Hello = dict[str, Any]
"""What a worker is about to train."""


_held: dict[Cluster, "Meeting"] = {}


def hold(cluster: Cluster) -> None:
    """Listen from now on: the others then wait for as long as this worker reads its data. Raises BadInput."""
    _held[cluster] = Meeting(cluster)


def open_meeting(cluster: Cluster) -> "Meeting":
    """The one that is held, or a new one. Raises BadInput."""
    return _held.pop(cluster, None) or Meeting(cluster)


class Meeting:
    """The port of this worker, held from the first moment on; `with` lets it go."""

    def __init__(self, cluster: Cluster) -> None:
        """Raises BadInput where the port is taken."""
        self.cluster = cluster
        self.hello: bytes | None = None
        self.told = {cluster.number}
        try:
            self.server = _listen(cluster.port())
        except OSError as error:
            raise BadInput(
                f"{cluster.name(cluster.number)} cannot use its port {cluster.port()} "
                f"({os.strerror(error.errno or 0)}): end what listens there, or name another port"
            ) from error
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def __enter__(self) -> "Meeting":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)  # closing it alone would not wake who waits in accept
        self.thread.join(CALL_S)
        self.server.close()

    def agree(self, hello: Hello, report: Report = silent) -> None:
        """Wait for all others, and raise BadInput for one that does not come or is to train something else.

        `hello` has "recipe" and other values that have to be the same everywhere.
        """
        self.hello = json.dumps(hello).encode()
        limit_s, began, said = _limit_s(), time.monotonic(), False
        found, why = {self.cluster.number: hello}, dict[int, str]()
        last = dict.fromkeys(range(len(self.cluster.addresses)), began)
        while missing := [number for number in last if not {number} <= found.keys() & self.told]:
            for number in set(missing) - found.keys():
                try:
                    answer = self._ask(number)
                except (OSError, ValueError) as error:
                    why[number] = visible(getattr(error, "strerror", None) or str(error))
                else:
                    found |= {number: answer} if answer else {}
                    last[number] = time.monotonic()
                    why.pop(number, None)
            if late := [number for number in missing if time.monotonic() - last[number] > limit_s]:
                raise self._absent(late[0], why.get(late[0]))
            if not said and time.monotonic() - began > TELL_S:
                said = True
                names = ", ".join(map(self.cluster.name, missing))
                report(f"waiting for {names}: up to {limit_s:.0f} s ({VARIABLE})")
            time.sleep(PAUSE_S)
        _check_same(self.cluster, found)

    def _absent(self, number: int, why: str | None) -> BadInput:
        name, mine = self.cluster.name(number), self.cluster.name(self.cluster.number)
        if why:
            return BadInput(
                f"{name} cannot be reached ({why}): start all workers, and let each reach the ports of the "
                "others"
            )
        return BadInput(f"{name} does not reach {mine}: let each worker reach the ports of the others")

    def _ask(self, number: int) -> Hello:
        """What another worker trains; {} where it does not know yet."""
        host, _, port = self.cluster.addresses[number].rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)), CALL_S) as line:
            line.settimeout(CALL_S)
            line.sendall(f"{self.cluster.number}\n".encode())
            answer = json.loads(_line(line))
        if not isinstance(answer, dict):
            raise ValueError("something else listens there")
        return answer

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self.server.accept()
            except OSError:
                return
            with line:
                try:
                    line.settimeout(CALL_S)
                    number = int(_line(line))
                    hello = self.hello
                    line.sendall((hello or b"{}") + b"\n")
                except (OSError, ValueError):
                    continue
            if hello:
                self.told.add(number)


def _limit_s() -> float:
    text = os.environ.get(VARIABLE) or str(LIMIT_S)
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text)
    raise BadInput(f"{VARIABLE} is {visible(repr(text))}, and not a number of seconds")


def _listen(port: int) -> socket.socket:
    """On all addresses of this machine, as TensorFlow will."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))


def _line(line: socket.socket) -> bytes:
    """What comes before the first end of a line. Raises ValueError for too much, or none."""
    content = b""
    while b"\n" not in content:
        more = line.recv(MOST_BYTES)
        if not more or len(content) > MOST_BYTES:
            raise ValueError("something else listens there")
        content += more
    return content.partition(b"\n")[0]


def _check_same(cluster: Cluster, found: dict[int, Hello]) -> None:
    """Raise BadInput for the first that is about to do something else than the chief."""
    wanted = found[0]
    for number, hello in sorted(found.items()):
        other = [str(key) for key in wanted.keys() | hello.keys() if hello.get(key) != wanted.get(key)]
        if not other:
            continue
        told = ", ".join(_told(key, wanted.get(key), hello.get(key)) for key in sorted(other))
        raise BadInput(
            f"{cluster.name(number)} is about to train something else than {cluster.name(0)} ({told}): "
            "start all with the same edgefashion, command and data"
        )


def _told(key: str, wanted: Any, other: Any) -> str:
    """In what one differs: the fields of a recipe, two short values, or only what it is."""
    if isinstance(wanted, dict) and isinstance(other, dict):
        fields = [name for name in wanted if wanted[name] != other.get(name)]
        return ", ".join(_told(name, wanted[name], other.get(name)) for name in fields[:3])
    return f"other {key}" if key == "data" else visible(f"{key} {other!s:.40}, not {wanted!s:.40}")
