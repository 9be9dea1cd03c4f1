"""A file to another machine: once, under its checksum."""

import re
from pathlib import Path

from edgefashion.errors import BadInput
from edgefashion.files import reading
from edgefashion.hosts import agent
from edgefashion.hosts.environment import Environment
from edgefashion.hosts.ssh import Remote
from edgefashion.reporting import Progress

LIMIT_S = 3600.0
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]|^[.-]")
_LONGEST = 100


def send(remote: Remote, environment: Environment, path: Path, progress: Progress) -> str:
    """Where a file of the user lies there, sent unless it does already; its name has safe characters only.

    Raises BadInput for what is no file, HostError where it cannot be sent.
    """
    reading.require_file(path, BadInput)
    name = _UNSAFE.sub("_", path.name)[-_LONGEST:]
    return agent.ask(remote, environment.python, {"do": "receive"}, {name: path}, progress, LIMIT_S)
