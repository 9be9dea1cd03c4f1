"""edgefashion comes to another machine by itself, whole or not at all."""

import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import edgefashion as ef
from edgefashion.errors import BadInput, HostError
from edgefashion.hosts import environment, probe
from edgefashion.hosts.host import Host
from edgefashion.hosts.ssh import Remote
from edgefashion.reporting import silent

if TYPE_CHECKING:
    from sshd import LoopbackHost

PATH = 'PATH="$HOME/bin:$PATH"'
NO_INDEX = ("export PIP_CONFIG_FILE=/dev/null", "export PIP_INDEX_URL=http://127.0.0.1:9/simple")
"""After these lines of shell pip has an index at a port where nobody listens."""


def served_by(folder: Path) -> tuple[str, ...]:
    """Lines of shell after which pip has a folder for its index."""
    return (PATH, *NO_INDEX, "export PIP_NO_INDEX=1", f"export PIP_FIND_LINKS={folder}")


def prepare(
    remote: Remote, step: Callable[[str], None] = silent, report: Callable[[str], None] = silent
) -> environment.Environment:
    return environment.prepare(remote, probe.look(remote), report, lambda doing, done, total: step(doing))


def folders(host: "LoopbackHost") -> list[str]:
    return sorted(path.name for path in (host.home / ".cache/edgefashion/hosts").glob("env-*"))


@pytest.mark.usefixtures("small")
def test_two_at_once_make_one_environment_which_is_kept(
    host: "LoopbackHost", remote: Remote, index: Path
) -> None:
    host.login(*served_by(index))
    found = probe.look(remote)
    assert environment.there(found) is None
    name = environment._name(found)
    half = host.home / ".cache/edgefashion/hosts" / name / "lib"
    half.mkdir(parents=True)  # of one that was cut off, or whose Python went
    (half / "half").touch()
    (half.parent / "ready").touch()
    said: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: prepare(remote, said.append), range(2)))
    assert made[0] == made[1] == environment.there(probe.look(remote)) == prepare(remote, said.append)
    assert said.count("making a virtual environment") == 1
    assert said.count("waiting: another edgefashion is being brought there") == 1
    assert any(line.startswith("installing: click-") and line.endswith(".whl") for line in said)
    assert folders(host) == [name]
    assert not list(host.home.glob(".cache/edgefashion/hosts/env-*/lib/half"))
    assert not list(host.home.glob(".cache/edgefashion/hosts/env-*/packages"))
    done = remote.run(made[0].command("edgefashion", "--version"))
    assert (done.code, done.stdout.split()[-1]) == (0, ef.__version__)
    assert {path.name for path in host.home.iterdir()} <= {"bin", ".cache", ".rustup"}  # pip asks for Rust
    damaged = host.home / ".cache/edgefashion/hosts" / name / "lib"
    (served,) = damaged.rglob("shelf/served.py")
    served.unlink()
    assert not environment.is_whole(remote, found)
    noted: list[str] = []
    assert prepare(remote, report=noted.append) == made[0]
    assert noted == ["its environment was damaged, and had to be made anew"]
    assert served.is_file() and environment.is_whole(remote, found)
    assert environment.forget(remote)
    assert not environment.forget(remote)
    assert not folders(host)


@pytest.mark.usefixtures("small")
def test_a_machine_without_a_network_gets_packages_from_here(
    host: "LoopbackHost", remote: Remote, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.login(PATH, *NO_INDEX, within=isolation())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    said: list[str] = []
    steps: list[str] = []
    made = prepare(remote, steps.append, said.append)
    (note,) = said
    assert note.startswith("no package index served it (No matching distribution")
    assert note.endswith("its packages came from here")
    assert any(line.startswith("fetching here what it needs") for line in steps)
    done = remote.run(made.command("edgefashion", "--version"))
    assert (done.code, done.stdout.split()[-1]) == (0, ef.__version__)


def isolation() -> tuple[str, ...]:
    """What runs a command in a network of its own, where the kernel lets this user make one."""
    words = ("unshare", "--map-root-user", "--net")
    return words if subprocess.run([*words, "true"], stderr=subprocess.DEVNULL).returncode == 0 else ()


@pytest.mark.usefixtures("small")
def test_without_an_index_on_either_end_both_are_named(
    host: "LoopbackHost", remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange = says(host, """echo edgefashion is there; echo '{"failed": "no such index"}'""")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    both = r"no package index serves it \(no such index\), nor this computer \(No matching.*--python"
    with pytest.raises(HostError, match=both):
        environment.prepare(remote, strange, silent, lambda *_: None)
    assert not list((host.home.parents[1]).glob("for-hosts/*/*.whl"))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("how", ["stop", "cut"])
def test_an_end_half_way_leaves_nothing_behind(
    host: "LoopbackHost", remote: Remote, index: Path, how: str
) -> None:
    host.login(*served_by(index))

    def step(doing: str) -> None:
        if doing == "making a virtual environment":
            threading.Timer(0.3, remote.stop.set if how == "stop" else host.cut).start()

    with pytest.raises(HostError, match="interrupted from here" if how == "stop" else "connection was lost"):
        prepare(remote, step)
    host.wait_until_idle()
    assert folders(host) == []


@pytest.mark.usefixtures("small")
def test_a_folder_that_cannot_be_made_is_no_fault_of_a_package_index(
    host: "LoopbackHost", remote: Remote
) -> None:
    (host.home / "file").touch()
    host.login(PATH, 'export XDG_CACHE_HOME="$HOME/file"')
    said: list[str] = []
    with pytest.raises(HostError, match=r"^a: /\S+/file/edgefashion/hosts: Not a directory; see that"):
        prepare(remote, report=said.append)
    assert said == []


def test_a_disk_that_is_full_is_told_before_anything_is_sent(host: "LoopbackHost", remote: Remote) -> None:
    mount = 'mkdir -p "$HOME/.cache"; mount -t tmpfs -o size=2m none "$HOME/.cache" && exec "$@"'
    within = ("unshare", "--map-root-user", "--mount", "/bin/sh", "-c", mount, "sh")
    host.login(PATH, within=within)
    if remote.run("true").code:
        pytest.skip("the kernel lets this user mount nothing")
    with pytest.raises(HostError, match=r"its disk is full: .* has 2 MiB free, and 400 are needed; free"):
        prepare(remote)


def test_an_interpreter_that_has_edgefashion_is_used_as_it_is(host: "LoopbackHost", remote: Remote) -> None:
    host.login("printf 'Welcome> '")
    (host.home / "bin/python3").rename(host.home / "bin/with it")
    for typed in (f"{host.home}/bin/python", "~/bin/python"):
        (host.home / "bin/python").unlink(missing_ok=True)
        (host.home / "bin/python").symlink_to("with it")
        found = environment.named(remote, typed)
        assert not found.is_ours
        assert remote.run(found.command("edgefashion", "--version")).stdout.split()[-1] == ef.__version__
    assert not (host.home / ".cache").exists()


def test_an_interpreter_without_this_release_is_refused(
    host: "LoopbackHost", remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = host.home / "old"
    (old / "edgefashion").mkdir(parents=True)
    (old / "edgefashion/__init__.py").touch()
    (old / "edgefashion/version.py").write_text("__version__ = '0.0.9\\x1b[2J'")
    python = (host.home / "bin/python3").read_text().split()[2]
    (host.home / "bin/old").write_text(f'#!/bin/sh\nPYTHONPATH={old} exec /usr/bin/env {python} "$@"\n')
    (host.home / "bin/old").chmod(0o755)
    with pytest.raises(HostError, match=r"has edgefashion 0\.0\.9\\x1b.*and here it is") as raised:
        environment.named(remote, "~/bin/old")
    assert str(raised.value).isprintable()
    with pytest.raises(HostError, match=r"/no/python does not serve: .*No such file.*; install edgefashion"):
        environment.named(remote, "/no/python")
    monkeypatch.setattr(environment, "LIMITED", probe.LIMITED.replace("KILL 10 ", "KILL 1 "))
    (host.home / "bin/hanging").write_text("#!/bin/sh\nsleep 60\n")
    (host.home / "bin/hanging").chmod(0o755)
    with pytest.raises(HostError, match="bin/hanging does not serve: no answer in 10 s"):
        environment.named(remote, "~/bin/hanging")
    host.wait_until_idle(1)
    for typed in ("", "-c", "a b", "$(reboot)", "a\nb", "a;b"):
        with pytest.raises(BadInput, match="is no path of a Python there"):
            environment.named(remote, typed)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("echo rubbish", "it did not run the command, and said: rubbish"),
        ("echo edgefashion is there; echo '\x1b[2J'", r"it answered with \\x1b"),
        ("echo edgefashion is there; echo '[1]'", r"it answered with \[1\]"),
        ("""echo edgefashion is there; echo '{"path": "/a\\u001b"}'""", "its folder has no sound name"),
        ("echo edgefashion is there; echo no >&2; exit 1", "its Python ended before it was done: no"),
        ("echo edgefashion is there; cat /dev/zero", "it sent more than 1 MiB"),
        ("yes", "it sent more than 1 MiB"),
        (
            """echo edgefashion is there; echo '{"failed": "full", "free_mib": 3, "folder": "/x\\u001b"}'""",
            r"its disk is full: /x\\x1b has 3 MiB free, and 400 are needed",
        ),
    ],
)
def test_a_python_that_answers_something_else_is_a_failure(
    host: "LoopbackHost", remote: Remote, line: str, why: str
) -> None:
    found = says(host, line)
    start = time.monotonic()
    with pytest.raises(HostError, match=why) as raised:
        environment.prepare(remote, found, silent, lambda *_: None)
    assert str(raised.value).isprintable()
    assert time.monotonic() - start < 20


def says(host: "LoopbackHost", line: str) -> probe.Probe:
    """A machine whose Python does this instead."""
    (host.home / "bin/strange").write_text(f"#!/bin/sh\n{line}\n")
    (host.home / "bin/strange").chmod(0o755)
    path = f"{host.home}/bin/strange"
    python = probe.Interpreter(path, (3, 11, 0), 64, ("glibc", "2.36"), free_mib=900, is_writable=True)
    return probe.Probe("a", "Linux", "x86_64", 64, f"{host.home}/.cache/edgefashion/hosts", 0.0, (python,))


def test_a_host_that_cannot_be_reached_is_said_so_by_every_way(remote: Remote) -> None:
    away = Remote(Host.parse("127.0.0.1:1"))
    for ask in (probe.look, environment.forget, lambda each: environment.named(each, "/usr/bin/python3")):
        with pytest.raises(HostError, match="no ssh server answers on that port"):
            ask(away)  # type: ignore[operator]


def test_machines_of_two_kinds_that_share_a_home_have_an_environment_each(host: "LoopbackHost") -> None:
    here = says(host, "true")
    own = replace(here.require(), environments=(environment._name(here),))
    x86, pi = (replace(here, machine=kind, interpreters=(own,)) for kind in ("x86_64", "aarch64"))
    assert environment.there(x86) and not environment.there(pi)
    strange = replace(here, machine="../../x")
    assert environment._name(strange).endswith("-unknown")
