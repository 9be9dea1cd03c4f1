"""One request to a machine, and its report: what is said there is a stranger's text, and bounded."""

import time
from pathlib import Path
from typing import NamedTuple, Protocol, TextIO

from edgefashion.errors import HostError
from edgefashion.errors.wording import setting
from edgefashion.hosts import failures
from edgefashion.hosts.ssh import Connection, Remote
from edgefashion.reporting import Progress as Tell
from edgefashion.shelf import lines, messages
from edgefashion.shelf.lines import RUBBISH_CHARACTERS, Alive
from edgefashion.shelf.messages import Done, Failed, Part, Progress, Request

_LOOK = "see what edgefashion doctor --host says of it, and try again"


class NotAnswered(HostError):
    """It was reached, and its edgefashion gave no report."""


class Limits(NamedTuple):
    """What a report may take."""

    seconds: float
    characters: int


class Runs(Protocol):
    """An edgefashion on a machine."""

    def command(self, module: str) -> str:
        """What a shell there is given to run a module."""


def ask(remote: Remote, there: Runs, request: Request, report: Path, limits: Limits, tell: Tell) -> None:
    """Ask an edgefashion there, and write its report. Raises HostError."""
    tell("starting", 0, 0)
    command = there.command("edgefashion.shelf.served")
    with (
        remote.open(command, messages.LINE_BYTES) as connection,
        report.open("w", encoding="utf-8", errors="backslashreplace") as file,
    ):
        connection.send([lines.line(request)], messages.SILENCE_S)
        if not _listen(connection, file, limits, tell):
            code = connection.close()
            raise NotAnswered(
                remote.host.name,
                f"it ended in the middle, with exit code {code}: {failures.said(connection.stderr)}",
                _LOOK,
            )


def _listen(connection: Connection, report: TextIO, limits: Limits, tell: Tell) -> bool:
    """Follow what is said until the report is whole; whether it is. Raises HostError."""
    host, characters, rubbish = connection.host, 0, 0
    end = time.monotonic() + limits.seconds
    for line in connection.lines(messages.SILENCE_S):
        if time.monotonic() > end:
            mend = f"see what else it does, or give {setting('--at-most')}"
            raise HostError(host.name, "it took longer than all that was asked for may take", mend)
        match messages.answer(line):
            case Progress(doing, done, total):
                tell(doing, done, total)
            case Part(text) if characters + len(text) <= limits.characters:
                characters += len(text)
                report.write(text)
            case Part():
                raise failures.talkative(host, limits.characters)
            case Done(count) if count == characters:
                return True
            case Failed(why):
                raise NotAnswered(host.name, failures.said(why), _LOOK)
            case Alive():
                connection.send([b"\n"], messages.SILENCE_S)
            case None if rubbish <= RUBBISH_CHARACTERS:
                rubbish += len(line) + 1
            case _:
                raise failures.talkative(host, RUBBISH_CHARACTERS)
    return False
