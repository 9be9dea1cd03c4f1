"""Files written in one step: the old content or the new, whatever happens."""

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgefashion import files
from edgefashion.errors import OutputError


def full_disk(*ignored: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_is_written_can_be_read_back(tmp_path: Path) -> None:
    files.write_text(tmp_path / "text", "Ångström\n")
    files.write_json(tmp_path / "json", {"a": [1, 2]})
    assert (tmp_path / "text").read_bytes() == "Ångström\n".encode()
    assert (tmp_path / "json").read_text() == '{\n  "a": [\n    1,\n    2\n  ]\n}\n'


def test_missing_folders_are_not_made(tmp_path: Path) -> None:
    path = tmp_path / "a/b/c.bin"
    for refused in (lambda: files.write_bytes(path, b"new"), lambda: files.check_writable(path)):
        with pytest.raises(OutputError, match=r"c\.bin: No such file or directory; its folder is missing"):
            refused()
    assert not list(tmp_path.iterdir())


def test_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("old")
    files.write_text(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_who_may_read_the_file_is_what_the_umask_says(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        files.write_text(tmp_path / "result", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "result").stat().st_mode) == mode


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "result"
    path.touch(mode)
    path.chmod(mode)
    with files.replacing(path) as temporary:
        assert stat.S_IMODE(temporary.stat().st_mode) == mode
        temporary.write_text("new")
    assert (stat.S_IMODE(path.stat().st_mode), path.read_text()) == (mode, "new")


def test_a_link_is_replaced_and_what_it_leads_to_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    (tmp_path / "link").symlink_to("target")
    files.write_text(tmp_path / "link", "new")
    assert (tmp_path / "target").read_text() == "precious"
    assert not (tmp_path / "link").is_symlink()


def test_the_half_of_a_killed_process_is_cleared_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    code = f"""
import os, pathlib, sys
from edgefashion import files
with files.replacing(pathlib.Path({str(tmp_path / "r.json")!r})) as half:
    half.write_text("half")
    print(flush=True)
    sys.stdin.read()
"""
    killed, living = (
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    )
    for process in (killed, living):
        assert process.stdout
        process.stdout.readline()
    assert len(list(tmp_path.iterdir())) == 2
    killed.kill()
    killed.wait()
    (tmp_path / ".r.json").touch()
    files.write_text(tmp_path / "r.json", "ours")
    assert sorted(path.name for path in tmp_path.iterdir())[-1] == "r.json"
    assert len(list(tmp_path.iterdir())) == 3
    living.communicate(b"")
    assert (tmp_path / "r.json").read_text() == "half"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".r.json", "r.json"]


def test_a_device_or_a_pipe_is_written_into(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    files.check_writable(tmp_path / "pipe")
    files.write_text(tmp_path / "pipe", "through")
    assert os.read(reader, 99) == b"through"
    os.close(reader)
    files.write_text(Path("/dev/null"), "nothing")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(OutputError, match="cannot write /dev/full: No space left on device; free some space"):
        files.write_text(Path("/dev/full"), "nothing")


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EACCES, "that you may write to"),
        (errno.EROFS, "it is read-only: choose a folder elsewhere"),
        (errno.EISDIR, "name a file, not a folder"),
        (errno.ENAMETOOLONG, "choose a shorter name"),
        (errno.EIO, "choose another folder"),
    ],
)
def test_the_advice_fits_the_reason(tmp_path: Path, number: int, advice: str) -> None:
    with pytest.raises(OutputError, match=advice) as caught, files.naming_output(tmp_path):
        raise OSError(number, os.strerror(number))
    assert ("space;" in str(caught.value) or "free" in str(caught.value)) == (number == errno.ENOSPC)


def test_trying_a_file_changes_nothing(tmp_path: Path) -> None:
    files.check_writable(tmp_path / "c.json")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "here").write_text("old")
    files.check_writable(tmp_path / "here")
    assert (tmp_path / "here").read_text() == "old"


def test_json_says_which_bytes_of_a_name_are_no_text(tmp_path: Path) -> None:
    files.write_json(tmp_path / "json", {"name": os.fsdecode(b"caf\xe9"), "other": "µ"})
    assert json.loads((tmp_path / "json").read_text()) == {"name": "caf\\udce9", "other": "µ"}


def test_the_temporary_file_is_beside_the_target_and_of_its_kind(tmp_path: Path) -> None:
    with files.replacing(tmp_path / "model.keras") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".keras"
        assert not (tmp_path / "model.keras").exists()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_content(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "result"
    path.write_text("old")
    with pytest.raises(error), files.replacing(path) as temporary:
        temporary.write_text("half of the ne")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_fills_while_writing(tmp_path: Path) -> None:
    path = tmp_path / "result"
    path.write_text("old")
    with (
        pytest.raises(OutputError, match=f"cannot write {path}: No space left on device"),
        files.replacing(path) as temporary,
    ):
        temporary.write_text("half of the ne")
        full_disk()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_turns_out_to_be_full_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OutputError, match=f"cannot write {tmp_path / 'result'}: No space left on device"):
        files.write_text(tmp_path / "result", "new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file/folder/result"
    with pytest.raises(OutputError, match=f"cannot write {path}: Not a directory"):
        files.write_text(path, "new")
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "result").mkdir()
    with pytest.raises(OutputError, match=f"cannot write {tmp_path / 'result'}: Is a directory"):
        files.write_text(tmp_path / "result", "new")
    assert list(tmp_path.iterdir()) == [tmp_path / "result"]


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert files.sha256(tmp_path / "abc") == expected
