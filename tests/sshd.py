"""Real sshds on loopback ports, each of them a host of its own: keys, users' folders and configuration are
made for one test, and nothing of the user who runs it is read or written.
"""

import contextlib
import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

READY_S, END_S = 20, 20
_PRIVILEGED = os.geteuid() == 0
_ISOLATED = ("unshare", "--net") if _PRIVILEGED else ("unshare", "--map-root-user", "--net")


class LoopbackHost:
    """A host: what a user types for it is its name, and its home is a folder of its own."""

    def __init__(self, name: str, folder: Path, port: int) -> None:
        self.name, self.folder, self.port = name, folder, port
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self.login()

    def login(self, *lines: str, within: tuple[str, ...] = ()) -> None:
        """From now on these lines of shell run before whatever is asked, and that as an argument of
        `within`: `host.login("sleep 5")` is a slow host, `host.login("exit 1")` one that does nothing.
        """
        command = shlex.join((*within, "/bin/sh", "-c"))
        start = ["unset XDG_CACHE_HOME", f"export HOME={shlex.quote(str(self.home))}", 'cd "$HOME"']
        end = f'exec {command} "$SSH_ORIGINAL_COMMAND"'
        (self.folder / "login").write_text("\n".join([*start, *lines, end, ""]))

    def without_network(self) -> None:
        """From now on what runs there is in a network of its own, in which there is nobody else."""
        if subprocess.run([*_ISOLATED, "true"], stderr=subprocess.DEVNULL).returncode:
            pytest.skip("the kernel lets this user make no network namespace")
        self.login(within=_ISOLATED)

    def start(self, keys: Path) -> None:
        """Start its sshd."""
        lines = {
            "ListenAddress": f"127.0.0.1:{self.port}",
            "HostKey": keys / "host",
            "AuthorizedKeysFile": keys / "user.pub",
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PermitRootLogin": "prohibit-password",
            "MaxStartups": "100",
            "ForceCommand": f"exec /bin/sh {shlex.quote(str(self.folder / 'login'))}",
        }
        config = self.folder / "sshd_config"
        config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
        with (self.folder / "log").open("wb") as log:
            self._sshd = subprocess.Popen(
                [_program(), "-D", "-e", "-f", config], stdin=subprocess.DEVNULL, stderr=log
            )

    def is_ready(self) -> bool:
        """Whether it listens, once that is known: another process may have taken its port."""
        end = time.monotonic() + READY_S
        while "Server listening" not in (log := (self.folder / "log").read_text()):
            if self._sshd.poll() is not None and "Address already in use" in log:
                return False
            assert time.monotonic() < end and self._sshd.poll() is None, log
            time.sleep(0.02)
        return True

    def processes(self) -> dict[int, str]:
        """What runs there, also what nobody waits for any more: the command line of each process."""
        found = {}
        mark = f"HOME={self.home}".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    words = (folder / "cmdline").read_bytes().split(b"\0")
                    found[int(folder.name)] = b" ".join(words).decode(errors="replace")
        return found

    def wait_until_idle(self, seconds: float = END_S) -> None:
        """Fail unless everything that runs there ends in time."""
        end = time.monotonic() + seconds
        while left := self.processes():
            assert time.monotonic() < end, left
            time.sleep(0.05)

    def cut(self) -> None:
        """End the sessions at once, as of a host that is switched off; others may begin."""
        for pid in _below(self._sshd.pid):
            if b"sshd" in _command_line(pid).split(b"\0")[0]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End sshd, its sessions and what runs there."""
        self._sshd.kill()
        self._sshd.wait()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Shelf:
    """The hosts of a test, and what its ssh is told of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.hosts = folder, list[LoopbackHost]()
        self.keys = folder / "keys"
        self.keys.mkdir(parents=True)
        for name in ("host", "user", "stranger"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.keys / name]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        if _PRIVILEGED:
            Path("/run/sshd").mkdir(
                mode=0o755, exist_ok=True
            )  # sshd wants it, and its package makes it at boot
        self._write_config()

    @property
    def ssh(self) -> str:
        """What EDGEFASHION_SSH has to be."""
        return shlex.join(("ssh", "-F", str(self.folder / "config")))

    def __call__(self, *names: str) -> list[LoopbackHost]:
        """Hosts of these names, which listen."""
        made = [LoopbackHost(name, self.folder / name, _free_port()) for name in names]
        self.hosts += made
        for host in made:
            host.start(self.keys)
        for host in made:
            while not host.is_ready():
                host.port = _free_port()
                host.start(self.keys)
        self._write_config()
        return made

    def missing(self, name: str) -> int:
        """The port of a host of this name, where nobody listens."""
        host = LoopbackHost(name, self.folder / name, _free_port())
        self._write_config(host)
        return host.port

    def with_key(self, name: str) -> None:
        """From now on "user" or "stranger" is the key that this user has."""
        config = self.folder / "config"
        config.write_text(config.read_text().replace(str(self.keys / "user"), str(self.keys / name)))

    def forget_host_keys(self) -> None:
        """From now on no host's key is known here."""
        (self.folder / "known_hosts").write_text("")

    def stop(self) -> None:
        """End all."""
        for host in self.hosts:
            host.stop()

    def _write_config(self, *others: LoopbackHost) -> None:
        key = (self.keys / "host.pub").read_text()
        known, parts = "", []
        for host in (*self.hosts, *others):
            known += f"[127.0.0.1]:{host.port} {key}"
            parts += [f"Host {host.name}", "HostName 127.0.0.1", f"Port {host.port}"]
        (self.folder / "known_hosts").write_text(known)
        parts += [
            "Host *",
            f"User {pwd.getpwuid(os.geteuid()).pw_name}",
            f"IdentityFile {self.keys / 'user'}",
            "IdentitiesOnly yes",
            "IdentityAgent none",
            f"UserKnownHostsFile {self.folder / 'known_hosts'}",
            "GlobalKnownHostsFile none",
        ]
        (self.folder / "config").write_text("\n".join([*parts, ""]))


@contextlib.contextmanager
def shelf(folder: Path) -> Iterator[Shelf]:
    """A shelf that ends with the block. Where there is no sshd the test is skipped; in CI it fails, but for
    a user who cannot install one.
    """
    lacking = [name for name, path in (("sshd", _program()), ("ssh", shutil.which("ssh"))) if not path]
    if lacking or sys.platform != "linux":
        why = f"needs Linux with {' and '.join(lacking) or 'OpenSSH'}: install openssh-server"
        if "EDGEFASHION_CI" in os.environ and _PRIVILEGED:
            pytest.fail(why)
        pytest.skip(why)
    made = Shelf(folder)
    try:
        yield made
    finally:
        made.stop()


def _program() -> str | None:
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _below(pid: int) -> list[int]:
    """The children of a process, and theirs."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [each for child in map(int, children) for each in (child, *_below(child))]


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
