"""A request to `there`, which is sent along as text and runs under a Python of the other machine."""

import shlex
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edgefashion import files
from edgefashion.errors import BadInput, HostError
from edgefashion.escaping import visible
from edgefashion.hosts import failures, probe, there
from edgefashion.hosts.ssh import ANSWER_BYTES, Connection, Remote
from edgefashion.reporting import Progress

PIECE_S, PIECE_BYTES = 60.0, 1 << 18
"""How long one piece of a file may take: some 4 KiB a second are enough."""
SILENCE_S = 300.0
"""As long as one large package may come to a machine over a slow network."""
_LONGEST_PATH = 4096


@dataclass(frozen=True)
class Answer:
    """One line of `there`."""

    step: str | None = None
    wants: bool = False
    """Whether the files are to be sent now."""
    path: str | None = None
    failed: str | None = None
    free_mib: int | None = None
    """Where it failed for want of room."""
    folder: str = ""
    """Where it failed as the system let nothing be read or written."""


class Refused(HostError):
    """What was tried there did not work, for a reason that is told from there."""


def ask(
    remote: Remote,
    python: str,
    request: dict[str, object],
    sent: Mapping[str, Path],
    progress: Progress,
    limit_s: float,
    room_mib: int = 0,
) -> str:
    """The path there of what was asked for, by a Python there; files, by their names there, go if wanted.
    What is made of them takes `room_mib`.

    Raises HostError where the connection does not hold, the time is over or the disk is full, and Refused
    where it cannot be done.
    """
    source = Path(there.__file__).read_bytes()
    start = f"import sys; exec(sys.stdin.buffer.read({len(source)}))"
    end = time.monotonic() + limit_s
    listed = [
        {"name": name, "size": path.stat().st_size, "sha256": files.sha256(path)}
        for name, path in sent.items()
    ]
    total = sum(path.stat().st_size for path in sent.values())
    line = msgspec.json.encode({**request, "files": listed}) + b"\n"
    with remote.open(f"exec {shlex.quote(python)} -I -c {shlex.quote(start)}", ANSWER_BYTES) as connection:
        connection.send([source, line], PIECE_S)
        connection.wait_for(there.MARK, PIECE_S)
        for text in connection.lines(SILENCE_S):
            answer = _answer(remote, text)
            if answer.path:
                return answer.path
            if answer.failed is not None:
                raise _failure(remote, answer, max(room_mib, (total + there.ROOM) >> 20))
            if answer.wants:
                connection.send(_pieces(sent.values(), total, progress), PIECE_S)
            if answer.step:
                progress(visible(answer.step), 0, 0)
            if time.monotonic() > end:
                raise failures.silent(remote.host, limit_s)
        raise _ended(remote, connection)


def _answer(remote: Remote, text: str) -> Answer:
    try:
        answer = msgspec.json.decode(text, type=Answer)
    except (msgspec.MsgspecError, RecursionError):
        mend = "see what its Python prints, or leave this host out"
        raise HostError(remote.host.name, f"it answered with {failures.said(text)}", mend) from None
    if len(answer.path or "") > _LONGEST_PATH or (answer.path and visible(answer.path) != answer.path):
        raise HostError(remote.host.name, "its folder has no sound name", "give it another XDG_CACHE_HOME")
    return answer


def _failure(remote: Remote, answer: Answer, needed_mib: int) -> HostError:
    name, said = remote.host.name, failures.said(answer.failed or "")
    if answer.free_mib is None:
        kind = HostError if answer.folder else Refused
        return kind(name, said, "see that what it names can be read and written there")
    if answer.free_mib < needed_mib:
        return probe.full(name, answer.folder[:_LONGEST_PATH], answer.free_mib, needed_mib)
    return HostError(name, f"its disk takes no more files: {said}", "free some space there, or raise a quota")


def _ended(remote: Remote, connection: Connection) -> HostError:
    why = f"its Python ended before it was done: {failures.said(connection.stderr)}"
    return HostError(remote.host.name, why, "see that it has memory and room, then try again")


def _mib(size: int) -> int:
    """Those that so many bytes take, the last one too that is not full."""
    return -(-size >> 20)


def _pieces(paths: Iterable[Path], total: int, progress: Progress) -> Iterator[bytes]:
    done = 0
    for path in paths:
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
                done += len(piece)
                progress("sending, in MiB", _mib(done), _mib(total))
    if done != total:
        raise BadInput("a file has changed while it was sent: wait until it is written, then try again")
