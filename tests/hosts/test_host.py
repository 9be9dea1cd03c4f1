"""What the user may call another machine."""

from pathlib import Path

import pytest

from edgefashion.errors import BadInput
from edgefashion.hosts.host import Host, parse_all


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pi@raspberrypi", ("pi@raspberrypi",)),
        ("shelf-3.local", ("shelf-3.local",)),
        ("pi@raspberrypi:2222", ("-p", "2222", "pi@raspberrypi")),
        ("localhost:2222", ("-p", "2222", "localhost")),
        ("ssh://pi@10.0.0.7:2222/", ("-p", "2222", "pi@10.0.0.7")),
        ("ssh://pi@10.0.0.7", ("pi@10.0.0.7",)),
        ("pi@[fe80::1%eth0]:2222", ("-p", "2222", "pi@fe80::1%eth0")),
        ("::1", ("::1",)),
        ("alice@example.org@gateway", ("alice@example.org@gateway",)),
    ],
)
def test_a_host_is_what_ssh_takes_and_may_have_a_port(text: str, words: tuple[str, ...]) -> None:
    assert Host.parse(text).words == words
    assert str(Host.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "-oProxyCommand=reboot", "pi@-oProxyCommand=reboot", "-l@host", "@host", "pi@", "a b"),
        *("a;reboot", "`reboot`", "$(reboot)", "a\nb", "a\x1b[2J", "a\u202eb", "a'b", "pi@a:", "a" * 300),
        *("ssh://", "a:0", "a:99999", "pi@a/b", "a,b", "a:b"),
    ],
)
def test_what_would_be_an_option_or_act_on_a_shell_is_no_host(text: str) -> None:
    with pytest.raises(BadInput) as raised:
        Host.parse(text)
    assert str(raised.value).isprintable()


def test_a_list_of_hosts_has_one_a_line_and_comments(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("# the shelf\npi@a\n\n  pi@b:2222  # the slow one\r\n")
    assert [host.name for host in parse_all(["pi@c"], file)] == ["pi@c", "pi@a", "pi@b:2222"]


@pytest.mark.parametrize("twice", ["pi@a", "pi@A", "ssh://pi@a"])
def test_a_host_that_is_named_twice_is_refused(twice: str) -> None:
    with pytest.raises(BadInput, match="cannot do two things at once"):
        parse_all(["pi@a", "pi@b", twice])
    assert len(parse_all(["pi@a", "root@a", "pi@a:2222"])) == 3


def test_a_list_may_come_from_windows_and_not_be_of_a_thousand(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_bytes(b"\xef\xbb\xbf# the shelf\r\npi@a\r\n\r\npi@b  # slow\r\n")
    assert [host.name for host in parse_all([], file)] == ["pi@a", "pi@b"]
    file.write_text("".join(f"pi-{number}\n" for number in range(1000)))
    with pytest.raises(BadInput, match="1,000 hosts are more than 128 at once"):
        parse_all([], file)


def test_a_list_that_names_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("# none yet\n")
    with pytest.raises(BadInput, match="names no host"):
        parse_all([], tmp_path / "hosts")
    with pytest.raises(BadInput, match="name a list of hosts"):
        parse_all([], tmp_path / "none")
