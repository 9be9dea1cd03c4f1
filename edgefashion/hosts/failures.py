"""Why a machine could not be reached or used, and the command that mends it, from the words of `ssh`.

Whatever comes from there is a stranger's text: it is shown in one line, cut, with nothing that acts.
"""

import re
import shlex

from edgefashion.errors import HostError
from edgefashion.escaping import visible
from edgefashion.hosts.host import Host

SSH_FAILED = 255
"""The exit code of `ssh` for what failed before, or beside, the command there."""
_LONGEST = 200
_NOISE = re.compile(r"^(Warning: Permanently added|Pseudo-terminal will not|debug\d:|\*\* |@+$)")
_LOST = "see that it is still on and in this network, then try again"
_KINDS = (
    (
        "Could not resolve hostname",
        "no machine is known by that name here",
        "check the name, or give it a HostName in ~/.ssh/config",
    ),
    (
        "Connection refused",
        "it is there, and no ssh server answers on that port",
        "start it there with sudo systemctl start ssh, or name its port as HOST:PORT",
    ),
    (
        "IDENTIFICATION HAS CHANGED|Host key for .* has changed|key mismatch",
        "its host key is another than before: it was set up anew, or somebody poses as it",
        "if it was set up anew: ssh-keygen -R {known}, then {ssh} true",
    ),
    (
        "Host key verification failed|host key is known for",
        "its host key is not known here",
        "compare and accept it once with {ssh} true",
    ),
    (
        "UNPROTECTED PRIVATE KEY|bad permissions",
        "ssh does not use a key that others may read",
        "chmod 600 the key that {ssh} true names",
    ),
    (
        "Permission denied|Too many authentication failures",
        "it takes none of your keys, and no password is ever asked for",
        "bring yours there with ssh-copy-id {words}, or load it with ssh-add",
    ),
    (
        "timed out during banner exchange",
        "it takes the connection and says nothing",
        "see that ssh is what answers on that port: {ssh} -v true",
    ),
    (
        "kex_exchange_identification|Connection (closed|reset) by .* port",
        "it takes the connection and ends it before ssh is spoken",
        "see what {ssh} -v true says",
    ),
    (
        "Timeout, server|not responding|Broken pipe|closed by remote host|Connection reset",
        "the connection was lost",
        _LOST,
    ),
    (
        "timed? ?out|No route to host|unreachable|Host is down",
        "it cannot be reached",
        "see that it is on and in this network: ping {machine}",
    ),
    (
        "Bad configuration option|Can't open user config|terminating, \\d+ bad|Bad owner or permissions",
        "ssh does not take your configuration: {said}",
        "mend what {ssh} true names",
    ),
)
"""Words of OpenSSH, what they mean, and what mends it; the first that is found counts."""


def said(text: str | bytes) -> str:
    """The last line that says something, made safe for a terminal, and cut; `nothing` where there is none."""
    text = text.decode(errors="backslashreplace") if isinstance(text, bytes) else text
    told = [line.strip() for line in text.splitlines() if line.strip() and not _NOISE.search(line.strip())]
    line = visible(told[-1][:_LONGEST]) if told else "nothing"
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def of_ssh(host: Host, stderr: str, ssh: tuple[str, ...] = ("ssh",), *, has_begun: bool = False) -> HostError:
    """What an exit with `SSH_FAILED` means, before or after the command there has said something; `ssh` is
    what was used.
    """
    if has_begun:
        return HostError(host.name, f"the connection was lost: {said(stderr)}", _LOST)
    machine = host.address.rpartition("@")[2]
    fields = {
        "ssh": shlex.join((*ssh, *host.words)),
        "words": shlex.join(host.words),
        "machine": shlex.quote(machine),
        "known": shlex.quote(f"[{machine}]:{host.port}" if host.port else machine),
        "said": said(stderr),
    }
    for words, why, mend in _KINDS:
        if re.search(words, stderr, re.IGNORECASE):
            return HostError(host.name, why.format_map(fields), mend.format_map(fields))
    return HostError(host.name, f"ssh ended: {fields['said']}", f"see what {fields['ssh']} -v true says")


def silent(host: Host, limit_s: float, ssh: tuple[str, ...] = ("ssh",)) -> HostError:
    """It said nothing for too long."""
    why = f"it gave no answer for {limit_s:.0f} s"
    return HostError(host.name, why, f"see that {shlex.join((*ssh, *host.words))} true ends, then try again")


def talkative(host: Host, at_most: int) -> HostError:
    """It said more than there is to say."""
    why = f"it sent more than {at_most / 2**20:.0f} MiB where an answer was expected"
    return HostError(host.name, why, "see what its login scripts print, or leave this host out")


def nothing_ran(host: Host, text: str) -> HostError:
    """It was reached, and did not run what was asked."""
    mend = "see what it does with a command: its user needs a shell, and login scripts that ask nothing"
    return HostError(host.name, f"it did not run the command, and said: {said(text)}", mend)


def stopped(host: Host) -> HostError:
    """It was ended from here."""
    return HostError(host.name, "it was interrupted from here", "try again")
