"""Work on many machines at the same time: a thread each, and everything they say in one place."""

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from edgefashion.errors import HostError
from edgefashion.hosts.host import Host
from edgefashion.hosts.ssh import Remote
from edgefashion.reporting import Progress, Report

Result = TypeVar("Result")
Work = Callable[[Remote, Progress, Report], Result]
"""What is done with a machine; it says how far it is, and lines to keep, and raises HostError where it cannot
be done.
"""
Tell = Callable[[Host, str, int, int], None]
"""Called with a machine, what it is doing, and how many steps of how many are done."""
Note = Callable[[Host, str], None]
"""Called with a machine, and a line that it is to be remembered by."""
Ended = Callable[[Host, HostError | None], None]
"""Called with a machine from which nothing more comes, and why it failed where it did."""
MOST_WAITING = 100
"""Messages that wait for being told; who has more to say waits too."""


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """What came of it on one machine: a result, or why there is none."""

    host: Host
    result: Result | HostError


def gather(
    hosts: Sequence[Host],
    work: Work[Result],
    take: Callable[[Host, Result], None],
    tell: Tell,
    note: Note,
    ended: Ended,
) -> None:
    """As `each`, where `take` gets each result as it comes; it may raise HostError too."""
    with contextlib.closing(each(hosts, work, tell, note)) as outcomes:
        for outcome in outcomes:
            failure: HostError | None = None
            try:
                if isinstance(outcome.result, HostError):
                    raise outcome.result
                take(outcome.host, outcome.result)
            except HostError as error:
                failure = error
            ended(outcome.host, failure)


def each(
    hosts: Sequence[Host], work: Work[Result], tell: Tell, note: Note
) -> Generator[Outcome[Result], None, None]:
    """Do the work with all machines at once; outcomes come as they are there, and one that fails keeps no
    other from going on.

    `tell` and `note` are called by whoever iterates. When the iterator is left early, as by Ctrl-C,
    everything that runs there is ended and waited for. Raises what `work` raises besides HostError, which is
    no machine's fault.
    """
    stop = threading.Event()
    said: queue.Queue[Outcome[Result] | BaseException | Callable[[], None]] = queue.Queue(MOST_WAITING)

    def one(host: Host) -> None:
        try:
            result = work(
                Remote(host, stop),
                lambda *progress: said.put(partial(tell, host, *progress)),
                lambda line: said.put(partial(note, host, line)),
            )
            said.put(Outcome(host, result))
        except HostError as error:
            said.put(Outcome(host, error))
        except BaseException as error:
            said.put(error)

    threads = [threading.Thread(target=one, args=(host,), name=host.name) for host in hosts]
    try:
        for thread in threads:
            thread.start()
        left = len(hosts)
        while left:
            match said.get():
                case Outcome() as outcome:
                    left -= 1
                    yield outcome
                case BaseException() as error:
                    raise error
                case telling:
                    telling()
    finally:
        stop.set()
        while any(thread.is_alive() for thread in threads):
            with contextlib.suppress(queue.Empty):
                said.get(timeout=0.1)
