"""The sshds that the tests of this folder run against are what they claim to be."""

import os
import shlex
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sshd import Shelf


def there(name: str, command: str) -> "subprocess.CompletedProcess[str]":
    words = [*shlex.split(os.environ["EDGEFASHION_SSH"]), "-oBatchMode=yes", name, command]
    return subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30)


def test_each_host_has_a_home_of_its_own_and_ends_what_runs_there(shelf: "Shelf") -> None:
    a, b = shelf("a", "b")
    assert there("a", "echo $HOME; pwd").stdout.split() == [str(a.home)] * 2
    assert there("b", "echo $HOME").stdout.strip() == str(b.home)
    working = subprocess.Popen([*shlex.split(shelf.ssh), "a", "sleep 60"], stdin=subprocess.DEVNULL)
    while not any("sleep" in line for line in a.processes().values()):
        time.sleep(0.02)
    assert b.processes() == {}
    a.cut()
    assert working.wait(20) == 255
    assert there("a", "true").returncode == 0


def test_a_host_without_network_has_none_and_strangers_are_refused(shelf: "Shelf") -> None:
    (a,) = shelf("a")
    a.without_network()
    assert there("a", "tail -n +2 /proc/net/route; echo told").stdout == "told\n"
    shelf.with_key("stranger")
    assert "Permission denied" in there("a", "true").stderr
    shelf.missing("off")
    assert "Connection refused" in there("off", "true").stderr
