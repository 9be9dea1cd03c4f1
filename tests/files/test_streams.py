"""Devices and pipes: nobody waits for a reader who never comes, and one who came is not left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgefashion import files
from edgefashion.errors import OutputError
from edgefashion.files import temporary


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_a_pipe_that_nobody_reads_is_refused_not_waited_for(pipe: Path) -> None:
    for write in (files.check_writable, lambda path: files.write_text(path, "content")):
        with pytest.raises(OutputError, match="nobody reads it: start its reader first, or name a file"):
            write(pipe)


def test_trying_a_pipe_does_not_leave_its_reader(pipe: Path) -> None:
    reader = subprocess.Popen(["cp", pipe, pipe.with_name("copy")])
    while True:
        try:
            files.check_writable(pipe)
            break
        except OutputError:
            assert reader.poll() is None
    files.check_writable(pipe)
    with pytest.raises(subprocess.TimeoutExpired):
        reader.wait(0.1)
    files.write_bytes(pipe, b"x" * 300_000)
    assert reader.wait(10) == 0
    assert pipe.with_name("copy").read_bytes() == b"x" * 300_000


def test_a_reader_who_left_is_an_error_of_one_line(pipe: Path) -> None:
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    files.check_writable(pipe)
    os.close(reader)
    with pytest.raises(OutputError, match="Broken pipe; nobody reads it"):
        files.write_text(pipe, "content")


def test_a_device_that_is_none_is_not_made() -> None:
    for path in ("/dev/edgefashion-none", "/dev/fd/987", "/dev/fd/99999999999999999999"):
        with pytest.raises(OutputError, match=f"cannot write {path}"):
            files.check_writable(Path(path))
        assert not os.path.lexists(path)


def test_an_input_of_this_process_is_no_output(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    handle = os.open(tmp_path / "a", os.O_RDONLY)
    with pytest.raises(OutputError):
        files.check_writable(Path(f"/dev/fd/{handle}"))
    os.close(handle)


def test_what_a_process_killed_while_it_pours_leaves_is_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import os; from pathlib import Path; from edgefashion import files\n"
        "with files.replacing(Path('/dev/null')) as path: os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script], env=os.environ | {"TMPDIR": str(tmp_path)})
    assert len(list(tmp_path.iterdir())) == 1
    temporary.clear(tmp_path)
    assert list(tmp_path.iterdir()) == []
