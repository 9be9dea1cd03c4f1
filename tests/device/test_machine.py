"""Machine: what is missing, refuses, hangs or prints nonsense is None, and costs no time to speak of."""

import os
import time
from pathlib import Path

import pytest

from edgefashion.device import System, machine


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `vcgencmd` that does what its script, written by the test, says."""
    path = tmp_path / "bin/vcgencmd"
    path.parent.mkdir()
    monkeypatch.setenv("PATH", f"{path.parent}:/bin:/usr/bin")
    return path


def write(path: Path, script: str) -> None:
    path.write_text(script)
    path.chmod(0o755)


def test_what_a_command_prints(command: Path) -> None:
    write(command, "#!/bin/sh\necho $1=$2 $LC_ALL\n")
    assert System().run("vcgencmd", "measure_clock", "arm") == "measure_clock=arm C\n"


def test_a_command_that_is_missing() -> None:
    system = System()
    assert system.run("no-such-command") is None
    assert system.refusals == {}


def test_a_command_that_refuses(command: Path) -> None:
    write(command, "#!/bin/sh\necho VCHI initialization failed\nexit 255\n")
    system = System()
    assert system.run("vcgencmd", "measure_temp") is None
    assert system.refusals == {"vcgencmd": "VCHI initialization failed"}
    write(command, "#!/bin/sh\nexit 3\n")
    assert system.run("vcgencmd", "measure_temp") is None
    assert system.refusals == {"vcgencmd": "exit code 3"}


def test_a_command_that_cannot_be_started(command: Path) -> None:
    write(command, "neither a script nor a program")
    system = System()
    assert system.run("vcgencmd") is None
    assert system.refusals == {"vcgencmd": "Exec format error"}


def test_a_command_that_hangs_is_left_alone(command: Path, tmp_path: Path) -> None:
    write(command, f"#!/bin/sh\necho once >> {tmp_path}/calls\necho a part\nexec sleep 60\n")
    system = System()
    begin = time.monotonic()
    assert [system.run("vcgencmd") for _ in range(3)] == [None] * 3
    assert time.monotonic() - begin < 30
    assert (tmp_path / "calls").read_text() == "once\n"
    assert system.refusals == {"vcgencmd": f"no answer within {machine.COMMAND_SECONDS:g} s"}


def test_a_command_that_prints_no_text(command: Path) -> None:
    write(command, "#!/bin/sh\nprintf '\\377\\000x'\n")
    assert System().run("vcgencmd") == "\ufffd\0x"


def test_a_file_that_is_missing_or_refuses(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"\xff")
    system = System(tmp_path)
    assert [system.text(name) for name in ("nothing", "file/below", "folder", "file")] == [None] * 3 + [
        "\ufffd"
    ]
    assert system.refusals == {"folder": "Is a directory"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "file").touch(0)
    system = System(tmp_path)
    assert system.text("file") is None
    assert system.refusals == {"file": "Permission denied"}


def test_links_and_patterns(tmp_path: Path) -> None:
    (tmp_path / "b1").touch()
    (tmp_path / "b0").symlink_to("nowhere")
    system = System(tmp_path)
    assert system.link("b0") == "nowhere"
    assert system.link("b1") is None
    assert system.find("b*") == ["b0", "b1"]
    assert system.find("no/such/*") == []
