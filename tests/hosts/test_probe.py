"""A machine is looked at before anything is sent: what it is, and why it cannot serve."""

import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgefashion.errors import HostError
from edgefashion.hosts import probe
from edgefashion.hosts.probe import OLDEST, Interpreter, Probe, look
from edgefashion.hosts.ssh import Remote

if TYPE_CHECKING:
    from sshd import LoopbackHost

PYTHON = Interpreter("/usr/bin/python3", (3, 11, 2), 64, ("glibc", "2.36"), "", 900, True)
PI = Probe("a", "Linux", "aarch64", 64, "/home/pi/.cache/edgefashion/hosts", 0.0, (PYTHON,))


def program(host: "LoopbackHost", name: str, *lines: str) -> None:
    """Put a program before all others there."""
    file = host.home / "bin" / name
    file.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    file.chmod(0o755)


def test_a_machine_says_what_it_is_and_nothing_changes(host: "LoopbackHost", remote: Remote) -> None:
    before = sorted(host.home.rglob("*"))
    found = look(remote)
    assert (found.host, found.system, found.bits) == ("a", "Linux", 64)
    assert found.folder == f"{host.home}/.cache/edgefashion/hosts"
    assert abs(found.clock_offset_s) < 30 and found.clock is None and found.boot
    used = found.require(room_mib=1)
    assert used.version == sys.version_info[:3]
    assert (used.libc[0], used.environments) == ("glibc", ())
    assert sorted(host.home.rglob("*")) == before
    made = host.home / ".cache/edgefashion/hosts"
    for name in ("env-1-whole", "env-1-half", "env-1-old"):
        (made / name / "bin").mkdir(parents=True)
        (made / name / "bin/python").symlink_to("/no/python" if name == "env-1-old" else used.path)
    for name in ("env-1-whole", "env-1-old"):
        (made / name / "ready").touch()
    assert look(remote).require().environments == ("env-1-whole",)


def test_a_login_script_may_talk(host: "LoopbackHost", remote: Remote) -> None:
    host.login("echo Welcome; echo noise >&2; printf '\\033[2Jhello'", 'PATH="$HOME/bin:$PATH"')
    assert look(remote).require()


@pytest.mark.parametrize(
    "lines",
    [("echo '\x1b[2J'This account is closed; exit 1",), ("exit 0",), ("printf 'Really? '; read -r answer",)],
)
def test_one_that_runs_no_command_says_so(host: "LoopbackHost", remote: Remote, lines: tuple[str]) -> None:
    host.login(*lines)
    with pytest.raises(HostError, match="it did not run the command, and said: ") as raised:
        look(remote)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("has_timeout", [True, False])
def test_a_python_that_hangs_is_named_and_passed_over(
    host: "LoopbackHost", remote: Remote, monkeypatch: pytest.MonkeyPatch, has_timeout: bool
) -> None:
    script = probe._SCRIPT.replace("KILL 10 ", "KILL 1 ").replace("-lt 100", "-lt 10")
    script = script if has_timeout else script.replace("command -v timeout", "false")
    monkeypatch.setattr(probe, "_SCRIPT", script)
    (host.home / "bin/python3").rename(host.home / "bin/python3.13")
    program(host, "python3", f"trap '' TERM; {'' if has_timeout else 'exec'} sleep 60")
    found = look(remote)
    assert found.hanging == (f"{host.home}/bin/python3",)
    assert found.require().version == sys.version_info[:3]
    host.wait_until_idle(1)
    with pytest.raises(HostError, match=r"not found there: .*python3 gave no answer in 10 s; install it"):
        replace(found, interpreters=()).require()


def test_no_python_and_an_old_one_are_told_apart(host: "LoopbackHost", remote: Remote) -> None:
    for tool in ("uname", "getconf", "date"):
        program(host, tool, f'exec /usr/bin/{tool} "$@"')
    host.login('PATH="$HOME/bin"')
    found = replace(look(remote), interpreters=())
    with pytest.raises(HostError, match=r"Python 3.11 or newer is not found there; install it"):
        found.require()
    old = replace(PYTHON, version=(3, 9, 2))
    with pytest.raises(HostError, match=r"not found there: its newest is Python 3.9.2; install it"):
        replace(found, interpreters=(replace(old, version=(2, 7, 18)), old)).require()
    assert replace(found, interpreters=(old, PYTHON)).require() == PYTHON


def test_a_system_of_32_bits_is_refused_under_a_kernel_of_64(host: "LoopbackHost", remote: Remote) -> None:
    program(host, "getconf", "echo 32")
    with pytest.raises(HostError, match=r"its system is of 32 bits \(.*install a 64-bit system"):
        look(remote).require()
    with pytest.raises(HostError, match="32 bits"):
        replace(PI, bits=None, interpreters=(replace(PYTHON, bits=32),)).require()


def test_a_foreign_system_library_or_home_is_refused(host: "LoopbackHost", remote: Remote) -> None:
    program(host, "uname", "printf 'Plan\\033[9'")
    with pytest.raises(HostError, match=r"it runs Plan\\x1b\[9; use one with Linux or macOS"):
        look(remote).require()
    with pytest.raises(HostError, match="not the GNU C library"):
        replace(PI, interpreters=(replace(PYTHON, libc=("", "")),)).require()
    with pytest.raises(HostError, match="cannot be made there"):
        replace(PI, interpreters=(replace(PYTHON, is_writable=False),)).require()


def test_a_full_disk_says_how_much_is_free() -> None:
    assert PI.require(room_mib=900) == PYTHON
    with pytest.raises(HostError, match="has 900 MiB free, and 901 are needed; free some space"):
        PI.require(room_mib=901)


def test_rubbish_in_the_place_of_an_answer_is_no_python(host: "LoopbackHost", remote: Remote) -> None:
    program(host, "python3", """echo 'python={"path": "/x", "version": "3.11"}'; head -c 900 /dev/urandom""")
    found = look(remote)
    assert "/x" not in [each.path for each in found.interpreters]
    program(host, "python3", "cat /dev/zero")
    with pytest.raises(HostError, match="sent more than 1 MiB"):
        look(remote)


def test_a_clock_that_is_far_off_is_told_in_days(host: "LoopbackHost", remote: Remote) -> None:
    program(host, "date", "echo 0")
    assert re.fullmatch(r"its clock is \d\d,\d{3} days behind", look(remote).clock or "")
    assert replace(PI, clock_offset_s=90.2).clock == "its clock is 90 s ahead"


def test_the_oldest_python_is_that_of_the_project() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert f'requires-python = ">={".".join(map(str, OLDEST))}"' in text


def test_a_host_that_hangs_a_moment_is_waited_for(host: "LoopbackHost", remote: Remote) -> None:
    host.login("sleep 1")
    start = time.monotonic()
    assert look(remote).system == "Linux"
    assert time.monotonic() - start >= 1
