"""One machine: looked at, made ready, given the files, asked. Its report is not believed yet."""

from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from edgefashion.hosts import environment, probe, sending
from edgefashion.hosts.environment import Environment
from edgefashion.hosts.ssh import Remote
from edgefashion.reporting import Progress, Report
from edgefashion.shelf.asking import Limits, ask
from edgefashion.shelf.machines import Machines
from edgefashion.shelf.messages import Request
from edgefashion.shelf.payload import Payload


@dataclass(frozen=True)
class Wanted:
    """What is wanted of every machine."""

    request: Request
    payload: Payload
    python: str | None
    """An interpreter there that has edgefashion; None for an environment of ours."""
    limits: Limits
    """Of the work itself."""
    machines: Machines = field(default_factory=Machines)


def visit(remote: Remote, wanted: Wanted, report: Path, tell: Progress, note: Report) -> None:
    """Let a machine do what is wanted, and write its report; `note` gets what is to be remembered of the way.
    Raises HostError.
    """
    there = ready(remote, wanted.python, tell, note, machines=wanted.machines)
    files = {name: sending.send(remote, there, path, tell) for name, path in wanted.payload.files.items()}
    ask(remote, there, replace(wanted.request, files=files), report, wanted.limits, tell)


def ready(
    remote: Remote,
    python: str | None,
    tell: Progress,
    note: Report,
    extras: str | None = None,
    machines: Machines | None = None,
) -> Environment:
    """The edgefashion of the same version that is there, or is made there now, with `extras` or those that
    measure; `note` is told where it is not made as usual, and of a clock that is wrong. Raises HostError,
    also for one that is in `machines` already.
    """
    tell("looking at it", 0, 0)
    found = probe.look(remote)
    if machines:
        machines.enter(remote.host, found)
    if found.clock:
        note(found.clock)
    if python:
        return environment.named(remote, python)
    found.require()
    return environment.prepare(remote, found, note, tell, extras)
