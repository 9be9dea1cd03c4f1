"""Files written in one step: the old content or the new, whatever happens."""

import errno
import os
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


def test_missing_folders_are_made(tmp_path: Path) -> None:
    files.write_bytes(tmp_path / "a/b/c.bin", b"new")
    assert (tmp_path / "a/b/c.bin").read_bytes() == b"new"


def test_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("old")
    files.write_text(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_everybody_may_read_the_file(tmp_path: Path) -> None:
    files.write_text(tmp_path / "result", "x")
    assert (tmp_path / "result").stat().st_mode & 0o777 == 0o644


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


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.ENOSPC, "free some space or choose another folder"),
        (errno.EDQUOT, "free some space or choose another folder"),
        (errno.EACCES, "choose another folder"),
        (errno.EROFS, "choose another folder"),
    ],
)
def test_space_is_advised_only_where_it_is_lacking(code: int, advice: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught, files.naming_output(tmp_path):
        raise OSError(code, os.strerror(code))
    assert str(caught.value) == f"cannot write {tmp_path}: {os.strerror(code)}; {advice}"
