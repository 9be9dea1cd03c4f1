"""A command on another machine, by the user's own `ssh`: their keys, agent, aliases and jump hosts.

Nothing is asked for: a password, a passphrase or an unknown host key ends in an error that says what to do.
What runs there sees the end of its input when the connection ends, whatever ends it.
"""

import contextlib
import os
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import IO, NamedTuple, Self

from edgefashion.errors import BadInput, HostError
from edgefashion.hosts import failures
from edgefashion.hosts.host import Host

VARIABLE = "EDGEFASHION_SSH"
"""Another command than `ssh`, with options of its own: `ssh -F FILE`. As git's GIT_SSH_COMMAND."""
ANSWER_BYTES, LINE_BYTES = 1 << 20, 64 << 20
"""The longest that a short command, and one line of others, may say."""
PATIENCE_S = 5.0
"""How long what runs there may take to end once it sees the end of its input."""
_OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": "10",
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "12",
    "ControlMaster": "no",  # a master of the user's is used; one of ours would hold our pipes
    "RemoteCommand": "none",
    "PermitLocalCommand": "no",
    "ClearAllForwardings": "yes",
    "ForwardAgent": "no",
    "ForwardX11": "no",
}
_PIECE_BYTES = 1 << 16
_MARK = "edgefashion is heard"
_TURN_S = 0.2
"""How long nothing is heard of `stop` while the other end is quiet."""


class Completed(NamedTuple):
    """How a command ended; what it said is a stranger's text."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Remote:
    """A machine that commands are run on; when `stop` is set, they end, and no other begins."""

    host: Host
    stop: Event = field(default_factory=Event)

    def run(self, command: str, stdin: bytes = b"", *, limit_s: float = 60) -> Completed:
        """What a command for the shell there says until it ends, within `limit_s` seconds of all.

        Raises HostError where it cannot be run, takes longer or says more than `ANSWER_BYTES`; not for an
        exit code of the command's own.
        """
        end = time.monotonic() + limit_s
        with self.open(command, ANSWER_BYTES) as connection:
            connection.send([stdin], limit_s)
            connection.end_input()
            stdout = connection.read_all(end - time.monotonic())
            return Completed(connection.close(), stdout.decode(errors="replace"), connection.stderr)

    def shell(self, script: str, *, limit_s: float = 60) -> Completed:
        """As `run`, of a script for `/bin/sh`, and without what login scripts print before it.

        Raises HostError also where it does not arrive whole, as where a login script reads it.
        """
        first = f'echo; echo "{_MARK}"; heard=1\n[ "$heard" ] || exit 1\n'
        done = self.run("/bin/sh -s", f"{first}{script}".encode(), limit_s=limit_s)
        before, mark, after = done.stdout.partition(f"\n{_MARK}\n")
        if not mark:
            raise failures.nothing_ran(self.host, done.stderr or before)
        return done._replace(stdout=after)

    def open(self, command: str, at_most: int = LINE_BYTES) -> "Connection":
        """A command that lines of at most so many bytes come from. Raises BadInput for no `ssh` here."""
        return Connection(self, command, at_most)


class Connection:
    """A command that runs there, from here: of one thread only."""

    def __init__(self, remote: Remote, command: str, at_most: int) -> None:
        self.host, self._stop, self._at_most = remote.host, remote.stop, at_most
        self._ssh = ssh_command()
        self._process = _start(self._ssh, self.host, command)
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._pipes = self._stdin, self._stdout, self._process.stderr
        self._outgoing, self._incoming, self._errors = memoryview(b""), bytearray(), bytearray()
        self._code: int | None = None
        self._has_begun = False
        self._selector = selectors.DefaultSelector()
        for pipe in self._pipes:
            os.set_blocking(pipe.fileno(), False)
        for pipe in self._pipes[1:]:
            self._selector.register(pipe, selectors.EVENT_READ)

    @property
    def stderr(self) -> str:
        """The end of what was said beside the answer: a stranger's text."""
        return self._errors.decode(errors="replace")

    def send(self, pieces: Iterable[bytes], limit_s: float) -> None:
        """Hand over pieces of input, each within `limit_s` seconds, and keep meanwhile what is said.

        Where the other end listens no more, the rest is dropped: what it says tells why. Raises HostError
        as `lines` does.
        """
        for piece in pieces:
            self._outgoing, end = memoryview(piece), time.monotonic() + limit_s
            if self._stdin.closed:
                return
            self._selector.register(self._stdin, selectors.EVENT_WRITE)
            while self._outgoing and not self._stdin.closed:
                self._turn(end, limit_s)
            if not self._stdin.closed:
                self._selector.unregister(self._stdin)

    def end_input(self) -> None:
        """Let the command see the end of its input."""
        self._leave(self._stdin)

    def lines(self, limit_s: float) -> Iterator[str]:
        """Lines of its output, without their ends, as they come: each within `limit_s` seconds.

        Ends with the output. Raises HostError where the connection is lost or `stop` is set, for silence and
        for a line that is too long.
        """
        while True:
            end, looked = time.monotonic() + limit_s, 0
            while (place := self._incoming.find(b"\n", looked)) < 0 and not self._stdout.closed:
                looked = len(self._incoming)
                self._turn(end, limit_s)
            if place < 0 and not self._incoming:
                break
            line = self._incoming[: place if place >= 0 else None]
            del self._incoming[: len(line) + 1]
            yield line.decode(errors="replace")
        self._check()

    def wait_for(self, mark: str, limit_s: float) -> None:
        """Pass over what login scripts print, until a line that is `mark`. Raises HostError for none."""
        passed, last = 0, ""
        for line in self.lines(limit_s):
            if line == mark:
                return
            passed, last = passed + len(line) + 1, line
            if passed > ANSWER_BYTES:
                raise failures.talkative(self.host, ANSWER_BYTES)
        raise failures.nothing_ran(self.host, self.stderr or last)

    def read_all(self, limit_s: float) -> bytes:
        """The rest of its output, within `limit_s` seconds of all. Raises HostError as `lines` does."""
        end = time.monotonic() + limit_s
        while not self._stdout.closed:
            self._turn(end, limit_s)
        said = bytes(self._incoming)
        self._check()
        return said

    def close(self, patience_s: float = PATIENCE_S) -> int:
        """End the command by the end of its input, after a while by force; its exit code."""
        if self._code is None:
            self.end_input()
            end = time.monotonic() + patience_s
            while self._selector.get_map() and time.monotonic() < end:
                self._incoming.clear()
                self._step(_TURN_S)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(max(0.0, end - time.monotonic()))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            for pipe in self._pipes:
                self._leave(pipe)
            self._selector.close()
            self._code = self._process.wait()
        return self._code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        at_fault = kind is HostError and not self._stop.is_set()
        self.close(0.0 if at_fault else PATIENCE_S)

    def _check(self) -> None:
        """Raise HostError where `ssh` itself, and not the command, has failed."""
        if self.close() == failures.SSH_FAILED:
            raise failures.of_ssh(self.host, self.stderr, self._ssh, has_begun=self._has_begun)

    def _turn(self, end: float, limit_s: float) -> None:
        """Hear what there is to hear, and hand over what is taken, for a moment."""
        if self._stop.is_set():
            raise failures.stopped(self.host)
        if time.monotonic() >= end:
            raise failures.silent(self.host, limit_s, self._ssh)
        if len(self._incoming) > self._at_most:
            raise failures.talkative(self.host, self._at_most)
        self._step(min(_TURN_S, max(0.0, end - time.monotonic())))

    def _step(self, wait_s: float) -> None:
        for key, _ in self._selector.select(wait_s):
            pipe = next(pipe for pipe in self._pipes if pipe is key.fileobj)
            if pipe is self._stdin:
                self._write()
            elif not (piece := os.read(pipe.fileno(), _PIECE_BYTES)):
                self._leave(pipe)
            elif pipe is self._stdout:
                self._incoming += piece
                self._has_begun = True
            else:
                self._errors = (self._errors + piece)[-_PIECE_BYTES:]

    def _write(self) -> None:
        try:
            self._outgoing = self._outgoing[os.write(self._stdin.fileno(), self._outgoing[:_PIECE_BYTES]) :]
        except BrokenPipeError:
            self._leave(self._stdin)

    def _leave(self, pipe: IO[bytes]) -> None:
        if not pipe.closed:
            with contextlib.suppress(KeyError):
                self._selector.unregister(pipe)
            pipe.close()


def ssh_command() -> tuple[str, ...]:
    """`ssh`, or what EDGEFASHION_SSH names instead. Raises BadInput for what is no command."""
    try:
        words = shlex.split(os.environ.get(VARIABLE, ""))
    except ValueError as error:
        raise BadInput(f"{VARIABLE} is no command: {error}; set it as {VARIABLE}='ssh -F FILE'") from error
    return tuple(words) or ("ssh",)


def _start(ssh: tuple[str, ...], host: Host, command: str) -> "subprocess.Popen[bytes]":
    options = [f"-o{name}={value}" for name, value in _OPTIONS.items()]
    try:
        return subprocess.Popen(
            [*ssh, "-T", *options, *host.words[:-1], "--", host.address, command],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "SSH_ASKPASS_REQUIRE": "never"},
            start_new_session=True,  # no terminal to ask at, for the ssh of a jump host neither
        )
    except OSError as error:
        reason = error.strerror or str(error)
        mend = f"install it (sudo apt install openssh-client), or name it in {VARIABLE}"
        raise BadInput(f"{shlex.quote(ssh[0])} cannot be started: {reason}; {mend}") from error
