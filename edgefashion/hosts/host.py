"""What the user calls another machine: whatever their `ssh` takes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from edgefashion.errors import BadInput
from edgefashion.escaping import visible
from edgefashion.files import reading

_NAME = re.compile(r"[^\s\"'`$\\;&|<>(){}*?!#/,-][^\s\"'`$\\;&|<>(){}*?!#/,]*")
"""No option, and nothing that a shell acts on: a ProxyCommand of the user's may hand it to one."""
_PORT = re.compile(r"(?P<name>[^:\[\]]+|(?:[^@\[\]]+@)?\[[^\[\]]+\]):(?P<port>\d{1,5})")
_LONGEST = 255
MOST = 128
"""At once: each takes a process of ssh here, and four open files."""
_FORMS = "name one as for ssh: pi@raspberrypi, pi@raspberrypi:2222, or an alias of ~/.ssh/config"


@dataclass(frozen=True)
class Host:
    """Another machine; `name` is how the user typed it."""

    name: str
    address: str
    """What ssh is given: user@machine, or an alias."""
    port: int | None = None
    """Where it was typed with one."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises BadInput for what cannot be one."""
        rest = text.removeprefix("ssh://").removesuffix("/") if text.startswith("ssh://") else text
        found = _PORT.fullmatch(rest)
        address, port = (found["name"], int(found["port"])) if found else (rest, None)
        user, _, machine = address.rpartition("@")
        parts = [part for part in (user, machine.strip("[]")) if part or part is machine]
        sound = (
            machine
            and machine.count(":") != 1
            and all(_NAME.fullmatch(part) and visible(part) == part for part in parts)
        )
        if not sound or address.startswith("@") or len(text) > _LONGEST:
            raise BadInput(f"“{visible(text[:_LONGEST])}” is no host: {_FORMS}")
        if port is not None and not 0 < port < 2**16:
            raise BadInput(f"{text}: no port is called {port}; {_FORMS}")
        machine = machine.strip("[]")
        return cls(text, f"{user}@{machine}" if user else machine, port)

    @property
    def words(self) -> tuple[str, ...]:
        """What names it to `ssh`, and to `ssh-copy-id`."""
        return (*(("-p", str(self.port)) if self.port else ()), self.address)

    def __str__(self) -> str:
        return self.name


def parse_all(names: Iterable[str], file: Path | None = None) -> list[Host]:
    """The hosts that are named, then those of a file: one a line, comments begin with `#`.

    Raises BadInput for what is no host, for one that is named twice, for none at all and for too many.
    """
    listed = [] if file is None else _listed(file)
    hosts = [Host.parse(name) for name in (*names, *listed)]
    seen: dict[tuple[str, int | None], Host] = {}
    for host in hosts:
        user, at, machine = host.address.rpartition("@")
        if other := seen.get(key := (f"{user}{at}{machine.lower()}", host.port)):
            both = f"{other} and {host} are one" if other.name != host.name else f"{host} is named twice"
            raise BadInput(f"{both}: a machine cannot do two things at once; name each host once")
        seen[key] = host
    if len(hosts) > MOST:
        raise BadInput(f"{len(hosts):,} hosts are more than {MOST} at once: name a part of them at a time")
    if not hosts:
        raise BadInput(f"{file or 'no host'} names no host: {_FORMS}")
    return hosts


def _listed(file: Path) -> list[str]:
    text = reading.read_text(file, "a list of hosts", BadInput)
    return [name for line in text.splitlines() if (name := line.partition("#")[0].strip())]
