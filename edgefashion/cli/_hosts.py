"""What the verbs share that do their work on other machines, over the user's own ssh."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from edgefashion.cli._options import FILE, options
from edgefashion.cli._output import say
from edgefashion.cli._progress import Bars
from edgefashion.errors import BadInput, HostError

if TYPE_CHECKING:
    from edgefashion.hosts.host import Host
    from edgefashion.hosts.ssh import Remote
    from edgefashion.reporting import Progress, Report
    from edgefashion.shelf.shelf import Ended, Tell, Work

Result = TypeVar("Result")
_host_options = options(
    click.option(
        "--host",
        "host_names",
        metavar="HOST",
        multiple=True,
        help="Do it there, over your own ssh: pi@raspberrypi, or an alias; several at the same time.",
    ),
    click.option("--hosts", "host_list", type=FILE, help="The same for each line of a file."),
    click.option(
        "--python",
        metavar="PATH",
        help="An interpreter there that has this edgefashion; default: an environment of ours is made there.",
    ),
)


class Elsewhere(NamedTuple):
    """Where to do the work; on this computer if there are no hosts."""

    hosts: "Sequence[Host]"
    python: str | None
    """An interpreter there."""

    def with_hosts(self, command: str) -> str:
        """A command that goes on with the same hosts, as it is typed."""
        return shlex.join((*shlex.split(command), *(f"--host={host}" for host in self.hosts)))

    def need_hosts(self, **settings: object) -> None:
        """Raise BadInput for options that say nothing without a host."""
        given = [name for name, value in {"python": self.python, **settings}.items() if value]
        if given and not self.hosts:
            raise BadInput(f"--{given[0]} is for other machines: name one with --host")


def takes_hosts(command: Any) -> Any:
    """The options that name other machines, given to the verb as one argument `elsewhere`."""

    @wraps(command)
    def wrapped(host_names: Sequence[str], host_list: Path | None, python: str | None, **values: Any) -> Any:
        hosts: Sequence[Host] = ()
        if host_names or host_list:
            from edgefashion.hosts.host import parse_all

            hosts = parse_all(host_names, host_list)
        return command(elsewhere=Elsewhere(hosts, python), **values)

    return _host_options(wrapped)


def tell_note(host: "Host", line: str) -> None:
    """Say what is to be remembered of a host."""
    say(f"{host}: {line}")


@contextmanager
def following_all(hosts: "Sequence[Host]") -> "Iterator[tuple[Tell, Ended]]":
    """A block in which it is shown how far all hosts are, and said at once which one fails."""
    with Bars(hosts) as bars:

        def ended(host: "Host", error: HostError | None) -> None:
            bars.end(host)
            if error:
                say(f"failed: {error}")

        yield bars.tell, ended


def follow(
    hosts: "Sequence[Host]",
    work: "Work[Result]",
    take: "Callable[[Host, Result], None]",
) -> list[HostError]:
    """Do the work with all hosts at once, and `take` each result as it comes; gives why others have none, in
    the order of the hosts.

    `take` too may raise HostError. Each that ends is said at once.
    """
    from edgefashion.shelf import shelf

    failed: dict[Host, HostError] = {}
    with following_all(hosts) as (tell, told):

        def ended(host: "Host", error: HostError | None) -> None:
            told(host, error)
            if error:
                failed[host] = error

        shelf.gather(hosts, work, take, tell, tell_note, ended)
    return [failed[host] for host in hosts if host in failed]


def forget_hosts(elsewhere: Elsewhere, names: Sequence[str]) -> None:
    """Remove what edgefashion has left on hosts. Raises HostError where that fails."""
    from edgefashion.hosts import environment

    if names:
        raise BadInput(f"--forget measures nothing: leave {names[0]} out")

    def work(remote: "Remote", tell: "Progress", _: "Report") -> bool:
        tell("removing what edgefashion has left there", 0, 0)
        return environment.forget(remote)

    def told(host: "Host", removed: bool) -> None:
        what = "removed" if removed else "there is no"
        say(f"{host}: {what} {environment.FOLDER}; data that a training fetched there stays")

    raise_all(follow(elsewhere.hosts, work, told), len(elsewhere.hosts))


def raise_all(failed: Sequence[HostError], count: int) -> None:
    """Raise what stands for those of `count` hosts that failed, where any did."""
    if failed:
        from edgefashion.shelf.table import named

        names = named([error.host for error in failed])
        raise HostError(names, f"{len(failed)} of {count} hosts failed", "see above why, and what mends it")
