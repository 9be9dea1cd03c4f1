"""Many machines at the same time, against real sshds: each is heard, and none keeps another from going on."""

import shlex
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from edgefashion.errors import HostError
from edgefashion.hosts.host import Host
from edgefashion.hosts.ssh import Remote
from edgefashion.reporting import Progress, Report
from edgefashion.shelf import asking, messages
from edgefashion.shelf import shelf as shelf_of
from edgefashion.shelf.asking import Limits
from edgefashion.shelf.messages import Request

if TYPE_CHECKING:
    from sshd import Shelf

ANSWERS = [
    "Welcome!",
    '{"type": "progress", "doing": "measuring", "done": 1, "total": 2}',
    '{"type": "alive"}',
    '{"type": "part", "text": "re"}',
    '{"type": "part", "text": "port"}',
    '{"type": "done", "characters": 6}',
]


PART = '{"type": "part", "text": "' + "x" * 10_000 + '"}'


class Script(NamedTuple):
    """What answers in place of an edgefashion there."""

    text: str

    def command(self, module: str) -> str:
        return f"exec sh -c {shlex.quote(self.text)}"


def saying(*lines: str, then: str = "cat > /dev/null") -> Script:
    """A script that reads a request, says lines and does something else."""
    said = "".join(f"printf '%s\\n' {shlex.quote(line)}; " for line in lines)
    return Script(f"read -r request; {said}{then}")


def ask(
    script: Script, folder: Path, remote: Remote, tell: Progress = lambda *_: None, limit_s: float = 60
) -> str:
    report = folder / f"{remote.host}.report"
    asking.ask(remote, script, Request("doctor"), report, Limits(limit_s, 1 << 20), tell)
    return report.read_text()


def each(hosts: list[Host], script: Script, folder: Path) -> dict[str, str | HostError]:
    """What comes of the same script on all of them."""
    outcomes = shelf_of.each(hosts, lambda remote, *_: ask(script, folder, remote), *[lambda *_: None] * 2)
    return {outcome.host.name: outcome.result for outcome in outcomes}


def test_eight_hosts_at_once_all_answer_whatever_else_they_say(shelf: "Shelf", tmp_path: Path) -> None:
    names = [f"host-{number}" for number in range(8)]
    shelf(*names)
    found = each([*map(Host.parse, names)], saying(*ANSWERS), tmp_path)
    assert found == dict.fromkeys(names, "report")


def test_one_that_fails_says_why_and_keeps_no_other_from_going_on(shelf: "Shelf", tmp_path: Path) -> None:
    slow, dead, _ = shelf("slow", "dead", "quick")
    slow.login("until [ -e go ]; do sleep 0.1; done")
    shelf.missing("off")
    told: list[tuple[str, str]] = []
    notes: list[tuple[Host, str]] = []
    ended: list[str] = []
    dies = saying(*ANSWERS[:4])

    def work(remote: Remote, tell: Progress, note: Report) -> str:
        note(f"of {remote.host}")
        return ask(dies if remote.host.name == "dead" else saying(*ANSWERS), tmp_path, remote, tell)

    def tell(host: Host, doing: str, *_: int) -> None:
        told.append((host.name, doing))
        if told[-1] == ("dead", "measuring"):
            dead.cut()

    for outcome in shelf_of.each(
        [*map(Host.parse, ("slow", "dead", "off", "quick"))], work, tell, lambda *line: notes.append(line)
    ):
        ended.append(outcome.host.name)
        if len(ended) == 3:
            (slow.home / "go").touch()
        if outcome.host.name in ("slow", "quick"):
            assert outcome.result == "report"
        else:
            assert isinstance(outcome.result, HostError) and outcome.result.host == outcome.host.name
            assert outcome.result.why and outcome.result.mend
    assert ended[-1] == "slow" and sorted(ended[:-1]) == ["dead", "off", "quick"]
    assert ("slow", "starting") in told and (Host.parse("slow"), "of slow") in notes
    dead.wait_until_idle()


def test_leaving_early_ends_what_runs_there(shelf: "Shelf", tmp_path: Path) -> None:
    hosts = shelf("a", "b")
    script = saying(ANSWERS[1])
    before = {*threading.enumerate()}

    def interrupted(_: Host, doing: str, *__: int) -> None:
        if doing == "measuring":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        for _ in shelf_of.each(
            [*map(Host.parse, ("a", "b"))],
            lambda remote, tell, _: ask(script, tmp_path, remote, tell),
            interrupted,
            print,
        ):
            pass
    assert {*threading.enumerate()} <= before
    for host in hosts:
        host.wait_until_idle(0)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (saying(then="yes 'a line of rubbish' | head -c 1000000000"), "sent more than 1 MiB"),
        (saying(then="head -c 100000000 /dev/zero"), "sent more than 1 MiB"),
        (saying("\x1b[2J\x1b]0;title\x07", then="exit 3"), "it ended in the middle, with exit code 3"),
        (saying(then="printf '\\033[31mred' >&2; exit 3"), r"with exit code 3: \\x1b\[31mred"),
        (saying('{"type": "failed", "why": "\x1b[31mred"}', then="exit 1"), "it ended in the middle"),
        (saying('{"type": "failed", "why": "\\u001b[31mred"}'), r"\\x1b\[31mred"),
        (saying(then=f"yes '{PART}' | head -n 1000"), "sent more than 1 MiB"),
        (saying('{"type": "done", "characters": 5}'), "sent more than 1 MiB"),
        (saying(then="exit 127"), "with exit code 127"),
    ],
)
def test_a_host_that_lies_or_rages_is_refused_in_a_line(
    script: Script, why: str, shelf: "Shelf", tmp_path: Path
) -> None:
    (host,) = shelf("a")
    with pytest.raises(HostError, match=why) as found:
        ask(script, tmp_path, Remote(Host.parse("a")))
    assert str(found.value).isprintable() and len(str(found.value)) < 500
    host.wait_until_idle()


def test_a_host_that_says_nothing_is_given_up(
    shelf: "Shelf", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (host,) = shelf("a")
    beats = 'while sleep 0.1; do echo \'{"type": "alive"}\' || exit; done'
    with pytest.raises(HostError, match="it took longer than all"):
        ask(saying(then=beats), tmp_path, Remote(Host.parse("a")), limit_s=0.5)
    monkeypatch.setattr(messages, "SILENCE_S", 1.5)
    with pytest.raises(HostError, match="gave no answer for"):
        ask(saying(), tmp_path, Remote(Host.parse("a")))
    host.wait_until_idle()
