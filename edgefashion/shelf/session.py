"""One machine that trains, from here: told what to do, followed, and its run kept."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from signal import SIGABRT

from edgefashion.errors import BadInput, Diverged, HostError
from edgefashion.escaping import visible
from edgefashion.hosts import failures
from edgefashion.hosts.environment import Environment
from edgefashion.hosts.host import Host
from edgefashion.hosts.ssh import Connection, Remote
from edgefashion.reporting import Report, silent
from edgefashion.shelf import lines, work
from edgefashion.shelf.lines import RUBBISH_CHARACTERS, Alive
from edgefashion.shelf.work import Arrival, Ended, Folder, Go, Learning, Listening, Piece, Said, Start, Whole

CLOCK_S = 5.0
"""How far a clock may be off without a word; a training does not depend on it, but dates of its record do."""
OURS = "edgefashion: "
"""What an error begins with."""
_NOISE = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: |\s*)[IWEF]\d{0,4} .*\.(cc|h|cu):\d+\]"
    r"|WARNING: All log messages before absl|Additional GRPC error information|:?UNKNOWN:|:?\{\"created\""
    r"|/job:|The tasks have crashed|The error could be from a previous operation|.*type\.googleapis\.com"
)
"""Lines of TensorFlow's own, for who develops it."""


@dataclass(frozen=True)
class Session:
    """What a machine is to train, and where its state, and in the end its run, come to."""

    start: Start
    staging: Path
    say: Report
    """Called with each line of the training."""
    resume: bool = False
    """Whether what is in `staging` goes there first."""
    learning: Report = silent
    """Called with the digest of the data that is learned from there; may raise HostError."""

    def run(self, remote: Remote, there: Environment, config: Callable[[int], str]) -> None:
        """Train; `config` gives TF_CONFIG for the port that is kept there. Raises HostError, and Diverged,
        which is no machine's fault.
        """
        with remote.open(there.command("edgefashion.shelf.worker"), work.LINE_BYTES) as connection:
            asked = time.time()
            connection.send([lines.line(self.start)], work.SILENCE_S)
            answers = _answers(connection)
            first = next(answers, None)
            if not isinstance(first, Listening):
                raise _broken(connection)
            if warning := of_clock(first.clock, asked, time.time()):
                self.say(warning)
            if self.resume and self.start.is_chief:
                sent = map(lines.line, work.pieces(self.staging, finished=False))
                connection.send(sent, work.SILENCE_S)
            connection.send([lines.line(Go(config(first.port)))], work.SILENCE_S)
            self._follow(connection, answers)

    def _follow(self, connection: Connection, answers: Iterator[work.Answer]) -> None:
        coming = self.staging.with_name(f"{self.staging.name}.coming")
        try:
            self._take(connection, answers, coming)
        finally:
            if self.start.is_chief:
                shutil.rmtree(coming, ignore_errors=True)

    def _take(self, connection: Connection, answers: Iterator[work.Answer], coming: Path) -> None:
        arrival, heard = None, Words(self.say)
        for answer in answers:
            match answer:
                case Said(line):
                    heard.hear(line)
                case Learning(data):
                    self.learning(data)
                case Folder() if self.start.is_chief:
                    arrival = Arrival(coming)
                case Piece() if arrival:
                    arrival.take(answer)
                case Whole() if arrival:
                    shutil.rmtree(self.staging, ignore_errors=True)
                    coming.rename(self.staging)
                    arrival = None
                case Ended(code):
                    if code:
                        raise _failed(connection.host, code, heard.last(code))
                    return
                case _:
                    break
        raise _broken(connection)


def _answers(connection: Connection) -> Iterator[work.Answer]:
    """What is said, beats answered and left out. Raises HostError."""
    rubbish = 0
    for text in connection.lines(work.SILENCE_S):
        match work.answer(text):
            case Alive():
                connection.send([lines.line(Alive())], work.SILENCE_S)
            case None:
                rubbish += len(text) + 1
                if rubbish > RUBBISH_CHARACTERS:
                    raise failures.talkative(connection.host, RUBBISH_CHARACTERS)
            case answer:
                yield answer


class Words:
    """What a training says: lines for the user, which go on; and others, which tell at most why it ended."""

    def __init__(self, say: Report) -> None:
        self.say, self.line, self.noise = say, "", ""

    def hear(self, line: str) -> None:
        """One line."""
        if _NOISE.match(line):
            self.noise = line
            return
        self.line = line or self.line
        if not line.startswith(OURS):  # which comes again, as the reason
            self.say(line)

    def last(self, code: int) -> str:
        """What tells most of why it ended with that exit code."""
        return self.noise if code == -SIGABRT else self.line or self.noise


def of_clock(clock: float, asked: float, answered: float) -> str:
    """A warning where a clock says what it cannot have said between those two times of ours, all in seconds
    since 1970; else nothing.
    """
    off = max(asked - clock, clock - answered)
    if off <= CLOCK_S:
        return ""
    where = "behind" if clock < asked else "ahead"
    return (
        f"warning: its clock is {off:,.0f} s {where}, and so are dates: there, sudo timedatectl set-ntp true"
    )


def _failed(host: Host, code: int, last: str) -> HostError | Diverged:
    said, ours = failures.said(last), last.removeprefix(OURS)
    if ours != last:
        said = visible(re.sub(rf"^{re.escape(host.name)} (?=is|cannot)", "it ", ours))
        if code == Diverged.exit_code and Diverged.WORDS in said:
            return Diverged(said)
    if code == BadInput.exit_code:
        error = HostError(host.name, said, "mend that, then try again")
        error.exit_code = code
        return error
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    mend = "mend that there, or leave it out of the workers"
    return HostError(host.name, f"its training {how}; its last words: {said}", mend)


def _broken(connection: Connection) -> HostError:
    code = connection.close()
    why = f"it ended in the middle, with exit code {code}: {failures.said(connection.stderr)}"
    return HostError(connection.host.name, why, "see that it is on and in this network, then try again")
