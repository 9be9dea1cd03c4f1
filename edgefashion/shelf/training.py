"""Trainings on several machines, from here: one that all share, or whole ones that are dealt out.

TensorFlow's processes find each other by addresses: each machine has that by which it is reached from here,
as `ssh -G` tells, and a port that was free there.
"""

import json
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from edgefashion.errors import HostError
from edgefashion.hosts import environment, failures
from edgefashion.hosts.host import Host
from edgefashion.hosts.ssh import Remote, ssh_command
from edgefashion.reporting import Progress, Report
from edgefashion.shelf import shelf
from edgefashion.shelf.errands import Errand
from edgefashion.shelf.session import Session
from edgefashion.shelf.visit import ready
from edgefashion.shelf.work import Start
from edgefashion.training import checkpoints
from edgefashion.training.cluster import NAMES

GRACE_S = 8.0
"""How long the others may go on when one has failed, so that each says why."""
_OTHERS_FAULT = "was lost, and the training ended"


@dataclass
class Training:
    """A training of one run on machines of which the first is the chief. Its state, and in the end the run,
    come into `staging`.
    """

    hosts: Sequence[Host]
    name: str
    errand: Errand
    staging: Path
    python: str | None = None
    resume: bool = False
    prepared: dict[Host, str] = field(default_factory=dict)
    addresses: dict[Host, str] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def run(self, tell: shelf.Tell, say: shelf.Note) -> None:
        """Do it all; `say` gets the lines of each. Raises HostError for the machine at fault, when all have
        ended, and Diverged.
        """
        outcomes = list(shelf.each(self.hosts, self._work, tell, say))
        if found := [one.result for one in outcomes if isinstance(one.result, HostError)]:
            raise min(found, key=self._innocence)

    def _work(self, remote: Remote, tell: Progress, say: Report) -> None:
        try:
            there = ready(remote, self.python, tell, say, environment.TRAINING)
            given = self.errand.bring(remote, there, tell)
            self._wait_for_all(remote, self.prepared, there.python)
            tell("starting", 0, 0)
            is_chief = remote.host == self.hosts[0]
            start = Start(self.name, self.errand.words, is_chief, self.errand.data, given)
            session = Session(start, self.staging, say, self.resume)
            session.run(remote, there, lambda port: self._config(remote, port))
        except BaseException:
            timer = threading.Timer(GRACE_S, remote.stop.set)
            timer.daemon = True
            timer.start()
            raise

    def _config(self, remote: Remote, port: int) -> str:
        """TF_CONFIG, when all are ready; nothing for one machine alone. Raises HostError when one failed."""
        if len(self.hosts) == 1:
            return ""
        self._wait_for_all(remote, self.addresses, f"{_machine(remote.host)}:{port}")
        addresses = [self.addresses[each] for each in self.hosts]
        task = {"type": "worker", "index": list(self.hosts).index(remote.host)}
        names = [str(each) for each in self.hosts]
        return json.dumps({"cluster": {"worker": addresses}, "task": task, NAMES: names})

    def _innocence(self, error: HostError) -> int:
        """Who speaks of another, or was stopped from here, is not who was at fault."""
        speaks_of_another = error.why.startswith(tuple(f"{host} " for host in self.hosts))
        return (
            speaks_of_another + 2 * (_OTHERS_FAULT in error.why) + 4 * ("interrupted from here" in error.why)
        )

    def _wait_for_all(self, remote: Remote, found: dict[Host, str], own: str) -> None:
        """Until every machine has come as far as this one. Raises HostError when one has failed."""
        with self.changed:
            found[remote.host] = own
            self.changed.notify_all()
            while len(found) < len(self.hosts):
                if remote.stop.is_set():
                    raise failures.stopped(remote.host)
                self.changed.wait(0.2)


@dataclass
class Deal:
    """Whole trainings on the same data, by name, each with the words that it has beside those of all: one a
    machine at a time. What is lost with a machine is dealt again, and goes on from what is in its staging.
    """

    hosts: Sequence[Host]
    errand: Errand
    words: dict[str, tuple[str, ...]]
    stagings: dict[str, Path]
    python: str | None = None
    anew: bool = False
    """Whether what is in the stagings does not count."""
    data: tuple[Host, str] | None = None
    """Who began first, and the digest of what it learns from."""
    waiting: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def run(self, tell: shelf.Tell, say: shelf.Note) -> list[HostError]:
        """Train all, and `say` what each says; gives why machines were lost. Raises HostError where none is
        left to train on, and Diverged for the first that does.
        """
        self.waiting = list(self.words)
        found: list[HostError] = []
        for outcome in shelf.each(self.hosts, self._work, tell, say):
            if isinstance(outcome.result, HostError):
                found.append(outcome.result)
                say(outcome.host, f"lost: {outcome.result.why}; what it trained is dealt again")
        if len(self.done) < len(self.words):
            raise found[-1]
        return found

    def _work(self, remote: Remote, tell: Progress, say: Report) -> None:
        there = ready(remote, self.python, tell, say, environment.TRAINING)
        given = self.errand.bring(remote, there, tell)
        while name := self._next(remote):
            tell(f"training {name}", 0, 0)
            words = (*self.errand.words, *self.words[name])
            start = Start(name, words, is_chief=True, data=self.errand.data, given=given)
            staging, agree = self.stagings[name], partial(self._agree, remote.host)
            resume = checkpoints.has_checkpoint(staging) and not self.anew
            session = Session(start, staging, say, resume, agree)
            try:
                session.run(remote, there, lambda port: "")
            except HostError:
                self._return(name)
                raise
            with self.changed:
                self.done.add(name)
                self.changed.notify_all()

    def _agree(self, host: Host, data: str) -> None:
        """Raise HostError for other data than that of the first."""
        with self.changed:
            first, known = self.data = self.data or (host, data)
        if data != known:
            why = f"its data is another than that of {first}"
            raise HostError(host.name, why, "bring the same there, or leave one of them out")

    def _next(self, remote: Remote) -> str | None:
        """The next to train; None when all are trained. Waits for what may come back."""
        with self.changed:
            while not self.waiting and len(self.done) < len(self.words) and not remote.stop.is_set():
                self.changed.wait(0.2)
            return self.waiting.pop(0) if self.waiting and not remote.stop.is_set() else None

    def _return(self, name: str) -> None:
        with self.changed:
            self.waiting.insert(0, name)
            self.changed.notify_all()


def _machine(host: Host) -> str:
    """The name or address that `ssh` reaches it by."""
    words = [*ssh_command(), "-G", *host.words[:-1], "--", host.address]
    done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    names = [line.split(None, 1)[1] for line in done.stdout.splitlines() if line.startswith("hostname ")]
    name = names[0] if names else host.address.rpartition("@")[2]
    return f"[{name}]" if ":" in name else name
