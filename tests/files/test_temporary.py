"""Temporary folders, and what killed processes left of theirs."""

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from edgefashion.errors import OutputError
from edgefashion.files import temporary

LEAVE = (
    "import os; from edgefashion.files import temporary; f = temporary.Folder(); print(f.path, flush=True);"
)


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def left_by(script: str) -> Path:
    command = [sys.executable, "-c", LEAVE + script]
    return Path(subprocess.run(command, capture_output=True, text=True).stdout.strip())


def test_a_folder_is_private_and_gone_at_the_end(root: Path) -> None:
    with temporary.Folder() as path:
        assert path.parent == root
        assert path.stat().st_mode & 0o777 == 0o700
        (path / "a").mkdir()
        (path / "a/b").write_text("content")
    folder = temporary.Folder()
    folder.remove()
    folder.remove()
    assert not list(root.iterdir())
    assert not left_by("").exists()  # Python ends without a word of its own


def test_what_a_killed_process_left_is_cleared_by_the_next(root: Path) -> None:
    left = left_by("(f.path / 'images.npy').write_bytes(b'1'); os.kill(os.getpid(), 9)")
    assert (left / "images.npy").exists()
    with temporary.Folder() as mine:
        assert list(root.iterdir()) == [mine]


def test_a_folder_in_use_is_left_alone(root: Path) -> None:
    with temporary.Folder() as mine:
        other = left_by("(f.path / 'mine').touch()")
        assert not other.exists()
        assert list(root.iterdir()) == [mine]
        temporary.clear(root)
        assert mine.exists()


def test_only_what_is_ours_is_cleared(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = root.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "owner").touch()
    (root / "edgefashion-link").symlink_to(elsewhere)
    linked, unmarked, foreign = (root / f"edgefashion-{name}" for name in ("linked", "unmarked", "foreign"))
    for folder in (linked, unmarked, foreign):
        folder.mkdir()
    (linked / "owner").symlink_to(elsewhere / "owner")
    (foreign / "owner").touch()
    os.mkfifo(unmarked / "owner")
    (root / "edgefashion-file").touch()
    (root / "another").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    temporary.clear(root)
    assert foreign.exists()
    monkeypatch.undo()
    temporary.clear(root)
    assert not foreign.exists()
    assert (elsewhere / "owner").exists()
    assert {path.name for path in root.iterdir()} == {
        "edgefashion-link", "edgefashion-linked", "edgefashion-unmarked", "edgefashion-file", "another"
    }  # fmt: skip


def test_without_locks_a_folder_is_never_taken_for_a_leftover(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    with temporary.Folder() as path:
        monkeypatch.undo()
        temporary.clear(root)
        assert list(root.iterdir()) == [path]
    assert not list(root.iterdir())


def test_no_folder_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(OutputError, match=r"cannot write .*missing: No such file"):
        temporary.Folder()
