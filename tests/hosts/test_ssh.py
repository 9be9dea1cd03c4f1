"""A command on another machine: what it says comes here in bounds, and it never outlives its connection."""

import os
import shlex
import stat
import threading
import time
from pathlib import Path

import pytest

from edgefashion.errors import BadInput, HostError
from edgefashion.hosts.host import Host
from edgefashion.hosts.ssh import Remote, ssh_command


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    """What looks like ssh from here, and runs the command with a shell of this machine."""
    script = tmp_path / "ssh"
    script.write_text('#!/bin/sh\nfor last; do :; done\nexec /bin/sh -c "$last"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("EDGEFASHION_SSH", shlex.quote(str(script)))
    return Remote(Host.parse("pi@shelf"))


def test_a_command_gets_its_input_and_gives_what_it_says(remote: Remote) -> None:
    done = remote.run("cat; echo beside >&2; exit 3", b"across\n")
    assert done == (3, "across\n", "beside\n")
    done = remote.run("echo across; exec >&-; sleep 0.3; echo beside >&2")
    assert done == (0, "across\n", "beside\n"), "whichever of them ends first"
    large = bytes(1 << 22)
    assert remote.run("wc -c", large).stdout.split() == [str(len(large))]
    assert remote.run("exit 0", large) == (0, "", "")


def test_lines_come_as_they_are_written_and_go_both_ways(remote: Remote) -> None:
    with remote.open("while read line; do echo got $line; done; printf end") as connection:
        lines = connection.lines(5)
        for word in ("one", "two"):
            connection.send([f"{word}\n".encode()], 5)
            assert next(lines) == f"got {word}"
        connection.end_input()
        assert list(lines) == ["end"]
        assert connection.close() == 0


def test_one_that_says_nothing_is_not_waited_for(remote: Remote) -> None:
    start = time.monotonic()
    with pytest.raises(HostError, match=r"gave no answer for 1 s; see that ") as raised:
        remote.run("exec sleep 60", limit_s=1)
    assert time.monotonic() - start < 10
    assert raised.value.host == "pi@shelf"
    with pytest.raises(HostError, match="gave no answer"), remote.open("exec sleep 60") as connection:
        connection.send([bytes(1 << 20)], 0.5)


@pytest.mark.parametrize("command", ["yes", "cat /dev/zero", "yes >&2 & exec cat /dev/zero"])
def test_one_that_never_ends_to_talk_is_cut_off(remote: Remote, command: str) -> None:
    with pytest.raises(HostError, match="sent more than 1 MiB"):
        remote.run(command)
    with pytest.raises(HostError, match="more"), remote.open("cat /dev/zero", 1 << 16) as connection:
        next(connection.lines(5))


def test_a_command_ends_with_its_input_when_it_is_closed(remote: Remote, tmp_path: Path) -> None:
    command = f"echo $$; cat >/dev/null; echo seen >{tmp_path}/end"
    with remote.open(command) as connection:
        assert int(next(connection.lines(5))) > 0
    assert (tmp_path / "end").read_text() == "seen\n"


def test_nothing_can_be_asked_for(remote: Remote) -> None:
    with remote.open("echo $$ $SSH_ASKPASS_REQUIRE; cat") as connection:
        number, asking = next(connection.lines(5)).split()
        assert (os.getsid(int(number)), asking) == (int(number), "never"), "a session without a terminal"


def test_what_does_not_end_by_itself_is_ended(remote: Remote) -> None:
    with remote.open("echo $$; trap '' TERM HUP; exec sleep 60") as connection:
        number = int(next(connection.lines(5)))
        connection.close(patience_s=0.2)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_stop_ends_what_runs_and_what_would_begin(remote: Remote) -> None:
    threading.Timer(0.3, remote.stop.set).start()
    start = time.monotonic()
    with remote.open("cat") as connection, pytest.raises(HostError, match="interrupted from here"):
        next(connection.lines(30))
    assert connection.close() == 0, "it saw the end of its input"
    with pytest.raises(HostError, match="interrupted from here"):
        remote.run("cat", limit_s=30)
    assert time.monotonic() - start < 10


def test_ssh_may_be_another_command_with_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEFASHION_SSH", "ssh -F '/a b/config'")
    assert ssh_command() == ("ssh", "-F", "/a b/config")
    monkeypatch.setenv("EDGEFASHION_SSH", "")
    assert ssh_command() == ("ssh",)
    monkeypatch.setenv("EDGEFASHION_SSH", "ssh '")
    with pytest.raises(BadInput, match="EDGEFASHION_SSH is no command"):
        ssh_command()
    monkeypatch.setenv("EDGEFASHION_SSH", "/no/such/ssh")
    with pytest.raises(BadInput, match=r"cannot be started: No such file.*openssh-client"):
        Remote(Host.parse("a")).run("true")
