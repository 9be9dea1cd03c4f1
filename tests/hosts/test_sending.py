"""A file goes to another machine once, whole, under its checksum."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgefashion import files
from edgefashion.errors import BadInput, HostError
from edgefashion.hosts.environment import Environment
from edgefashion.hosts.sending import send
from edgefashion.hosts.ssh import Remote

if TYPE_CHECKING:
    from sshd import LoopbackHost


class Sender:
    """Sends files to a host, and counts the bytes that went."""

    def __init__(self, remote: Remote, environment: Environment) -> None:
        self.remote, self.environment, self.done = remote, environment, 0

    def __call__(self, path: Path) -> Path:
        return Path(send(self.remote, self.environment, path, self.progress))

    def progress(self, doing: str, done: int, total: int) -> None:
        assert (doing, done <= total) == ("sending, in MiB", True)
        self.done = done


@pytest.fixture
def sender(host: "LoopbackHost", remote: Remote) -> Sender:
    return Sender(remote, Environment(f"{host.home}/bin/python3", is_ours=False))


def test_it_is_sent_once_and_by_its_content(host: "LoopbackHost", sender: Sender, tmp_path: Path) -> None:
    host.login("printf 'Welcome> '")
    path = tmp_path / "a bundle; reboot.zip"
    path.write_bytes(bytes(range(256)) * 4096)
    kept = sender(path)
    assert kept == host.home / ".cache/edgefashion/hosts/files" / files.sha256(path) / "a_bundle__reboot.zip"
    assert kept.read_bytes() == path.read_bytes()
    assert sender.done == 1
    sender.done = 0
    assert sender(path) == kept
    assert sender.done == 0, "it lies there already"
    for damaged in (b"half", bytes(1 << 20)):
        kept.write_bytes(damaged)
        assert sender(path).read_bytes() == path.read_bytes()
    path.write_bytes(b"other")
    assert sender(path) != kept
    assert [path.name for path in kept.parents[1].iterdir() if path.name.startswith("half")] == []


def test_an_empty_file_is_one(sender: Sender, tmp_path: Path) -> None:
    (tmp_path / "-").touch()
    kept = sender(tmp_path / "-")
    assert (kept.name, kept.read_bytes()) == ("_", b"")
    with pytest.raises(BadInput, match="does not exist"):
        sender(tmp_path / "none")


def test_what_is_cut_off_leaves_no_half(host: "LoopbackHost", sender: Sender, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(64 << 20))
    progress = sender.progress

    def cutting(doing: str, done: int, total: int) -> None:
        if sender.done < 2 <= done:
            threading.Thread(target=host.cut).start()
        progress(doing, done, total)

    sender.progress = cutting  # type: ignore[method-assign]
    with pytest.raises(HostError, match="the connection was lost"):
        sender(path)
    host.wait_until_idle()
    assert list((host.home / ".cache/edgefashion/hosts/files").iterdir()) == []


def test_a_disk_without_room_says_how_much_there_is(
    host: "LoopbackHost", sender: Sender, tmp_path: Path
) -> None:
    (tmp_path / "large").write_bytes(bytes(8 << 20))
    (tmp_path / "small").write_bytes(bytes(8))
    for option, path, why in (
        ("size=4m", "large", "has 4 MiB free, and 24 are needed"),
        ("size=64m,nr_inodes=4", "small", "its disk takes no more files: .*No space left"),
    ):
        mount = f'mkdir -p "$HOME/.cache"; mount -t tmpfs -o {option} none "$HOME/.cache" && exec "$@"'
        host.login(within=("unshare", "--map-root-user", "--mount", "/bin/sh", "-c", mount, "sh"))
        if sender.remote.run("true").code:
            pytest.skip("the kernel lets this user mount nothing")
        with pytest.raises(HostError, match=why):
            sender(tmp_path / path)


def test_a_file_that_changes_on_its_way_is_not_kept(
    host: "LoopbackHost", sender: Sender, tmp_path: Path
) -> None:
    path = tmp_path / "growing"
    path.write_bytes(bytes(1 << 20))
    progress = sender.progress

    def changing(doing: str, done: int, total: int) -> None:
        with path.open("r+b") as file:
            file.truncate(300_000)
        progress(doing, done, total)

    sender.progress = changing  # type: ignore[method-assign]
    with pytest.raises(BadInput, match="has changed while it was sent"):
        sender(path)
    host.wait_until_idle()
    assert not list(host.home.rglob("growing"))
