"""What ssh says when it fails, as OpenSSH 9.2 words it, and what mends it."""

import pytest

from edgefashion.hosts import failures
from edgefashion.hosts.host import Host

HOST = Host.parse("pi@shelf:2222")


@pytest.mark.parametrize(
    ("stderr", "why", "mend"),
    [
        (
            "ssh: Could not resolve hostname shelf: Name or service not known",
            "no machine is known",
            "HostName",
        ),
        ("ssh: connect to host shelf port 2222: Connection refused", "no ssh server answers", "systemctl"),
        ("ssh: connect to host shelf port 22: Connection timed out", "cannot be reached", "ping shelf"),
        ("ssh: connect to host shelf port 22: No route to host", "cannot be reached", "ping shelf"),
        ("Connection timed out during banner exchange", "says nothing", "ssh -p 2222 pi@shelf -v true"),
        ("kex_exchange_identification: Connection closed by remote host", "before ssh is spoken", "-v true"),
        (
            "@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@\n"
            "Host key verification failed.",
            "another than before",
            "ssh-keygen -R '[shelf]:2222'",
        ),
        ("Host key verification failed.", "not known here", "accept it once with ssh -p 2222 pi@shelf true"),
        ("pi@shelf: Permission denied (publickey).", "none of your keys", "ssh-copy-id -p 2222 pi@shelf"),
        ("Timeout, server shelf not responding.", "connection was lost", "still on"),
        ("client_loop: send disconnect: Broken pipe", "connection was lost", "still on"),
        (
            "/a: line 1: Bad configuration option: x\n/a: terminating, 1 bad configuration options",
            "take your",
            "",
        ),
        ("what no ssh ever said", "ssh ended: what no ssh ever said", "ssh -p 2222 pi@shelf -v true"),
        ("", "ssh ended: nothing", "ssh -p 2222 pi@shelf -v true"),
    ],
)
def test_every_failure_has_a_reason_and_a_command(stderr: str, why: str, mend: str) -> None:
    error = failures.of_ssh(HOST, stderr)
    assert (error.host, error.exit_code) == ("pi@shelf:2222", 1)
    assert why in error.why
    assert mend in error.mend


def test_what_ends_after_it_has_begun_was_cut() -> None:
    text = "Connection closed by 127.0.0.1 port 2222"
    assert "before ssh is spoken" in failures.of_ssh(HOST, text).why
    assert failures.of_ssh(HOST, text, has_begun=True).why == f"the connection was lost: {text}"


def test_what_a_stranger_says_is_one_short_line_that_acts_on_nothing() -> None:
    said = failures.said(b"fine\n\x1b]0;title\x07\x1b[2J\xff " + b"x" * 1000 + b"\r\n\n")
    assert said.isprintable()
    assert said.startswith("\\x1b]0;title")
    assert len(said) < 300
    assert str(failures.of_ssh(HOST, "\x1b[31mPermission denied\x1b[0m")).isprintable()
    assert failures.said("") == "nothing"
    assert failures.said("no such thing\nWarning: Permanently added 'a' to the list of known hosts.") == (
        "no such thing"
    )
