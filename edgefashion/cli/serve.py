"""The verb that serves a model: a page and a JSON endpoint."""

import errno
import socket
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgefashion.cli import _resolve
from edgefashion.cli._options import Whole, in_process_option, runs_option
from edgefashion.cli._output import say, show
from edgefashion.errors import BadInput, MissingExtra

if TYPE_CHECKING:
    from edgefashion.artifacts.artifact import Artifact
    from edgefashion.serving.pool import Pool
    from edgefashion.serving.server import Server

PORT, HOST, MOST_WORKERS = 8000, "127.0.0.1", 256
STOPPED = "stopped; what had been asked was answered"


@click.command()
@click.argument("model", metavar="RUN|FILE|zoo:NAME")
@click.option("--port", type=Whole(0, 65535), default=PORT, show_default=True, help="0: any that is free.")
@click.option("--host", default=HOST, show_default=True, help="The address to listen at; 0.0.0.0: all.")
@click.option(
    "--workers", type=Whole(1, MOST_WORKERS), help="Pictures classified at a time; default: one a core."
)
@in_process_option
@runs_option
def serve(model: str, port: int, host: str, workers: int | None, in_process: bool, root: Path) -> None:
    """Serve a model: a page for people, and a JSON endpoint for programs.

    The page takes a picture by drop, file or camera, or a drawing, and shows what the model makes of it. A
    float32 and an int8 file of one run answer side by side. Ctrl-C ends it.

    Example: edgefashion serve zoo:cnn-64k
    """
    from edgefashion.serving import address, origins
    from edgefashion.serving.about import About
    from edgefashion.serving.selection import choose, task_of
    from edgefashion.serving.site import Site

    serving = _server()
    named = _resolve.named_artifacts([model], root)
    artifacts = choose(named)
    task_of(artifacts)
    with _listen(host, port) as listener:
        pool = _start(artifacts, workers, in_process)
        try:
            names = origins.own_names() | {host.lower()}
            server = serving(listener, Site(pool, About.of(artifacts, pool.versions), names, say))
            if left := [each.path.name for each in named if each not in artifacts]:
                say(f"not served: {', '.join(left)}; name a file to serve that one")
            if address.is_open(listener):
                say("whoever reaches this machine may send pictures: there is no password, and no encryption")
            say(f"serving {', '.join(each.path.name for each in artifacts)} until Ctrl-C")
            show(address.url(listener))
            sys.stdout.flush()
            server.run()
        except KeyboardInterrupt:
            raise KeyboardInterrupt(STOPPED) from None
        finally:
            pool.close()


def _server() -> "type[Server]":
    try:
        from edgefashion.serving.server import Server
    except ModuleNotFoundError as error:
        raise MissingExtra("Serving needs h11", "serve") from error
    return Server


def _start(artifacts: "list[Artifact]", workers: int | None, in_process: bool) -> "Pool":
    from edgefashion import device
    from edgefashion.serving.pool import OwnProcess, Pool, SameProcess

    if in_process:
        say("the models run in this process: a crash of theirs ends it, and no time limit holds")
        return Pool(partial(SameProcess, artifacts), 1)
    return Pool(partial(OwnProcess, artifacts), workers or device.cores())


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises BadInput where that cannot be, with what can."""
    from edgefashion.serving import address

    try:
        return address.listen(host, port)
    except (OSError, UnicodeError) as error:
        raise BadInput(_why(error, host, port)) from error


def _why(error: OSError | UnicodeError, host: str, port: int) -> str:
    from edgefashion.serving import address

    if isinstance(error, socket.gaierror | UnicodeError):
        return f"nothing is known by the name {host}: give --host an address of this machine, like {HOST}"
    if error.errno == errno.EADDRINUSE:
        holder, free = address.holder(port), address.free_port(host, port)
        taken = f"port {port} is taken" + (f" by {holder}" if holder else "")
        return f"{taken}: " + (f"--port {free} is free" if free else "--port 0 takes one that is free")
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine: --host {HOST} is, and 0.0.0.0 stands for all"
    if error.errno == errno.EACCES:
        return f"port {port} is for root alone: give --port 1024 or above"
    return f"{host}, port {port}: {error.strerror or error}"
