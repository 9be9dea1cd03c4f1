"""A virtual environment of ours on another machine: made once, kept, and of the very code that runs here."""

import re
import shlex
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from edgefashion.errors import BadInput, HostError
from edgefashion.escaping import visible
from edgefashion.files import temporary
from edgefashion.hosts import agent, failures, packages, wheel
from edgefashion.hosts.probe import INTERPRETER_S, KILLED, LIMITED, OLDEST, Probe
from edgefashion.hosts.ssh import Remote
from edgefashion.reporting import Progress, Report
from edgefashion.version import __version__

ROOM_MIB, TRAINING_MIB = 400, 4000
"""What a new one needs, with the packages that it is made from."""
EXTRAS, TRAINING = "[pi]", "[train]"
"""What it can do besides inspecting files: measure, or train."""
LIMIT_S = 1800.0
ANSWER_S = 60.0
_MEND = "name a Python there that has edgefashion: edgefashion bench --python PATH"
_MARK = "edgefashion is"
FOLDER = "~/.cache/edgefashion/hosts"
"""All that is ours there, unless XDG_CACHE_HOME is set."""
_FORGET = """
folder="${XDG_CACHE_HOME:-$HOME/.cache}/edgefashion/hosts"
if [ -d "$folder" ]; then rm -rf -- "$folder" && echo removed; else echo nothing; fi
"""


_packing = threading.Lock()


@dataclass(frozen=True)
class Environment:
    """An interpreter there that has this release of edgefashion."""

    python: str
    is_ours: bool = True

    def command(self, module: str, *words: str) -> str:
        """What runs a module there, for the shell there; it notes that the environment is in use."""
        run = shlex.join((self.python, "-P", "-m", module, *words))
        ready = shlex.quote(f"{self.python.removesuffix('/bin/python')}/ready")
        touch = f"touch {ready} 2>/dev/null; " if self.is_ours else ""
        return f"exec /bin/sh -c {shlex.quote(f'{touch}exec {run}')}"


def there(found: Probe, extras: str | None = None) -> Environment | None:
    """The environment of ours for this code, if a machine that was looked at has it. Raises HostError."""
    python = found.require()
    name = _name(found, extras or EXTRAS)
    return Environment(f"{found.folder}/{name}/bin/python") if name in python.environments else None


def is_whole(remote: Remote, found: Probe, extras: str | None = None) -> bool:
    """Whether nothing is missing from the environment of ours that is there. Raises HostError."""
    python = found.require()
    request: dict[str, object] = {"do": "check", "name": _name(found, extras or EXTRAS)}
    try:
        agent.ask(remote, python.path, request, {}, lambda *_: None, ANSWER_S)
    except agent.Refused:
        return False
    return True


def prepare(
    remote: Remote, found: Probe, report: Report, progress: Progress, extras: str | None = None
) -> Environment:
    """The environment of ours there, made where it is missing or damaged: from the package index
    that the machine has, else of packages that are fetched here and sent, which `report` is told; `progress`
    gets each step.

    Raises HostError where the machine cannot serve, BadInput where edgefashion cannot be sent from here.
    """
    extras = extras or EXTRAS
    if existing := there(found, extras):
        if is_whole(remote, found, extras):
            return existing
        report("its environment was damaged, and had to be made anew")
    room_mib = TRAINING_MIB if extras == TRAINING else ROOM_MIB
    python = found.require(0 if existing else room_mib)
    ours, pip = _wheels()
    sent = {each.name: each for each in (ours, pip)}
    request: dict[str, object] = {
        "do": "install",
        "name": _name(found, extras),
        "wheel": ours.name,
        "pip": pip.name,
        "extras": extras,
        "version": __version__,
    }

    def make(offline: bool) -> Environment:
        asked = {**request, "offline": offline}
        return Environment(agent.ask(remote, python.path, asked, sent, progress, LIMIT_S, room_mib))

    try:
        return make(offline=False)
    except agent.Refused as error:
        why = error.why
    sent |= {each.name: each for each in _fetch(remote, found, extras, progress, why)}
    report(f"no package index served it ({why}): its packages came from here")
    try:
        return make(offline=True)
    except agent.Refused as error:
        raise HostError(
            remote.host.name, f"packages that were sent do not serve: {error.why}", _MEND
        ) from error


def _fetch(remote: Remote, found: Probe, extras: str, progress: Progress, why: str) -> list[Path]:
    """Packages from here, as no index serves them there, and why. Raises HostError where none are had."""
    ours, pip = _wheels()
    try:
        return packages.fetch(
            found, found.require(), ours, extras, pip, lambda line: progress(line, 0, 0), remote.stop
        )
    except packages.NotFetched as error:
        if remote.stop.is_set():
            raise failures.stopped(remote.host) from None
        both = f"no package index serves it ({why}), nor this computer ({error})"
        raise HostError(remote.host.name, both, f"give one of them a network, or {_MEND}") from error


def named(remote: Remote, python: str) -> Environment:
    """An interpreter there that has edgefashion already: nothing is installed.

    Raises BadInput for what is no path, HostError for one that has not this very release.
    """
    if not re.fullmatch(r"(~/)?[\w./+-]+", python) or python.startswith("-"):
        raise BadInput(
            f"“{visible(python)}” is no path of a Python there: name one as /home/pi/venv/bin/python"
        )
    path = f'"$HOME"/{python[2:]}' if python.startswith("~/") else python
    look = (
        "import os, sys, edgefashion.version as v; print(); print(sys.argv[1], v.__version__, sys.executable)"
    )
    done = remote.shell(f"{LIMITED}limited {path} -P -c '{look}' '{_MARK}' </dev/null", limit_s=ANSWER_S)
    found = re.search(rf"^{_MARK} (\S+) (/.*)$", done.stdout, re.MULTILINE)
    wanted = f"install edgefashion {__version__} for it there"
    if not found:
        said = f"no answer in {INTERPRETER_S} s" if done.code == KILLED else failures.said(done.stderr)
        why = f"{python} does not serve: {said}"
        raise HostError(remote.host.name, why, f"{wanted}, with Python {'.'.join(map(str, OLDEST))} or newer")
    if found[1] != __version__:
        why = f"{python} has edgefashion {visible(found[1][:40])}, and here it is {__version__}"
        raise HostError(remote.host.name, why, wanted)
    return Environment(found[2], is_ours=False)


def forget(remote: Remote) -> bool:
    """Remove our folder there, and say whether there was any. Raises HostError."""
    done = remote.shell(_FORGET, limit_s=ANSWER_S)
    lines = done.stdout.splitlines()
    if done.code or not lines or lines[-1] not in ("removed", "nothing"):
        raise failures.nothing_ran(remote.host, done.stderr or done.stdout)
    return lines[-1] == "removed"


def _wheels() -> tuple[Path, Path]:
    """edgefashion and pip, as they are here; packed once a process."""
    with _packing:
        return _packed()


@cache
def _packed() -> tuple[Path, Path]:
    folder = _kept().path
    return wheel.pack_edgefashion(folder), packages.pip_wheel(folder)


@cache
def _kept() -> temporary.Folder:
    return temporary.Folder()


def _name(found: Probe, extras: str = EXTRAS) -> str:
    """What the environment is called: by release, code, Python, whether it trains, and the processor, for
    machines of several kinds may share a home.
    """
    version = "{}.{}".format(*found.require().version)
    training = "-train" if extras == TRAINING else ""
    return f"env-{__version__}-{wheel.digest(_wheels()[0])}-python{version}{training}-{found.processor}"
