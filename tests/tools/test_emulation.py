"""tools/emulation: what a board looks like, the command line, the cache, the errors."""

import os
import platform
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from edgefashion.device import RecordedMachine, describe
from edgefashion.errors import BadInput

ROOT = Path(__file__).parents[2]


@pytest.fixture
def emulation(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "tools/emulation")
    return import_module("emulation")


@pytest.fixture
def parts(emulation: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """tools/emulation/emulation_parts.py with an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return import_module("emulation_parts")


def silent(line: str) -> None:
    """Report nothing."""


@pytest.mark.parametrize(
    ("name", "cpu", "dot_product"),
    [("pi3", "Cortex-A53", False), ("pi4", "Cortex-A72", False), ("pi5", "Cortex-A76", True)],
)
def test_a_board_is_recognized(
    emulation: ModuleType, tmp_path: Path, name: str, cpu: str, dot_product: bool
) -> None:
    """As our own description of a machine reads it."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(emulation.BOARDS[name].cpuinfo())
    found = describe(RecordedMachine(tmp_path))
    assert found.cpu == cpu
    assert found.board and found.board.startswith(f"Raspberry Pi {name[-1]} Model B")
    assert ("asimddp" in (found.isa or ())) == dot_product
    assert (tmp_path / "proc/cpuinfo").read_text().count("processor\t: ") == 4


@pytest.fixture
def pi(emulation: ModuleType) -> object:
    folder = Path("/cache/bookworm-1/pi5")
    search = (Path("/cache/wheel-1/unpacked"), Path("/cache/packages-1"))
    python = folder / "usr/bin/python3.11"
    return emulation.EmulatedPi(emulation.BOARDS["pi5"], ("ld.so", "qemu"), folder, python, search)


def test_the_command_line_names_the_processor_and_runs_the_wheel(emulation: ModuleType, pi: object) -> None:
    words = pi.command(["edgefashion", "--help"], options=["-plugin", "count.so"])
    assert " ".join(words) == (
        "ld.so qemu -cpu cortex-a76 -plugin count.so -L /cache/bookworm-1/pi5"
        " /cache/bookworm-1/pi5/usr/bin/python3.11 -P -m edgefashion --help"
    )
    assert pi.command(["python", "-c", "1"])[-3:] == [str(pi.python), "-c", "1"]
    with pytest.raises(BadInput, match="no ls on the emulated Pi: it has edgefashion, python, python3"):
        pi.command(["ls"])


def test_the_environment_says_that_it_is_emulated_and_leaves_out_this_machines_libraries(pi: object) -> None:
    here = {
        "HOME": "/home/me",
        "PYTHONPATH": "/other",
        "PYTHONHOME": "/usr",
        "LD_PRELOAD": "x",
        "PATH": "/bin",
    }
    assert pi.environment(here) == {
        "HOME": "/home/me",
        "PATH": "/cache/bookworm-1/pi5/usr/bin",
        "PYTHONPATH": "/cache/wheel-1/unpacked:/cache/packages-1",
        "OPENBLAS_NUM_THREADS": "1",
        "EDGEFASHION_EMULATED": "qemu-aarch64 -cpu cortex-a76",
    }


def test_a_part_is_made_once_for_what_it_is_made_from(parts: ModuleType) -> None:
    made: list[Path] = []

    def make(folder: Path, report: object) -> None:
        made.append(folder)
        (folder / "file").write_text("content")

    first = parts.part("system", ["one"], make, silent)
    assert parts.part("system", ["one"], make, silent) == first
    assert parts.part("system", ["two"], make, silent) != first
    assert parts.part("system", [parts.PROJECT], make, silent) != first
    assert len(made) == 3
    assert (first / "file").read_text() == "content"
    assert first not in made, "it was filled elsewhere and moved when it was complete"


def test_a_part_that_fails_or_was_cut_short_is_not_used(parts: ModuleType) -> None:
    def fail(folder: Path, report: object) -> None:
        (folder / "half").touch()
        raise parts.Unavailable("no network")

    def make(folder: Path, report: object) -> None:
        assert list(folder.iterdir()) == []

    with pytest.raises(parts.Unavailable):
        parts.part("system", [], fail, silent)
    assert [path.name for path in parts.cache_folder().iterdir()] == ["lock"]
    name = parts.part("system", [], make, silent).name
    (parts.cache_folder() / name).rmdir()
    (parts.cache_folder() / "staging" / name / "killed").mkdir(parents=True)
    assert list(parts.part("system", [], make, silent).iterdir()) == []


def test_two_processes_that_want_the_same_part_make_it_once(parts: ModuleType) -> None:
    started, go_on = threading.Event(), threading.Event()
    made: list[str] = []
    said: list[str] = []

    def make(folder: Path, report: object) -> None:
        made.append("slowly")
        started.set()
        assert go_on.wait(10)

    def wait(line: str) -> None:
        said.append(line)
        go_on.set()

    first = threading.Thread(target=parts.part, args=("system", [], make, silent))
    first.start()
    assert started.wait(10)
    parts.part("system", [], make, wait)
    first.join()
    assert made == ["slowly"]
    assert said == ["another process is building a part of the emulated Pi; waiting for it"]


def test_what_nothing_has_used_for_weeks_makes_room(parts: ModuleType) -> None:
    old, recent = (parts.part("system", [word], lambda *_: None, silent) for word in ("old", "recent"))
    other = parts.part("qemu", [], lambda *_: None, silent)
    for folder in (old, other):
        os.utime(folder, (0, 0))
    parts.part("system", ["new"], lambda *_: None, silent)
    assert (old.exists(), recent.exists(), other.exists()) == (False, True, True)


def test_a_cache_that_cannot_be_written_is_named(parts: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(parts.Unavailable, match=r"cannot write to the cache .*emulated-pi: .*XDG_CACHE_HOME"):
        parts.part("system", [], lambda *_: None, silent)


def test_an_installer_that_fails_gives_its_own_reason(parts: ModuleType) -> None:
    script = "import sys; sys.exit('WARNING: old\\nERROR: No matching distribution\\n\\nERROR: more')"
    with pytest.raises(parts.Unavailable) as caught:
        parts.run([sys.executable, "-c", script], "packages cannot be fetched")
    assert str(caught.value) == "packages cannot be fetched: ERROR: No matching distribution"


def emulated_pi(*words: str, folder: Path, code: int) -> str:
    """Run the tool without any program on the PATH and with an empty cache; give what it says."""
    done = subprocess.run(
        [sys.executable, ROOT / "tools/emulation/emulated_pi", *words],
        env={"PATH": str(folder), "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stderr


def test_what_there_is_none_of_is_one_line(tmp_path: Path) -> None:
    said = emulated_pi("--board", "pi6", "python", folder=tmp_path, code=2)
    assert said == "emulated_pi: no board pi6: choose pi3, pi4, pi5\n"
    said = emulated_pi("--os", "buster", "python", folder=tmp_path, code=2)
    assert said == "emulated_pi: no system buster: choose bookworm, trixie\n"
    assert "no COMMAND" in emulated_pi(folder=tmp_path, code=2)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="no emulator for this machine")
def test_a_machine_without_apt_is_one_line(tmp_path: Path) -> None:
    said = emulated_pi("edgefashion", "--version", folder=tmp_path, code=1)
    assert said == "emulated_pi: no apt on this machine: an emulated Pi is made of Debian packages\n"


@pytest.mark.parametrize(
    ("machine", "loader"), [("x86_64", "ld-linux-x86-64.so.2"), ("aarch64", "ld-linux-aarch64.so.1")]
)
def test_the_emulator_is_started_by_its_own_loader(
    emulation: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, machine: str, loader: str
) -> None:
    """That of this machine may be of another Debian, and crashes with the libraries of the emulator's."""
    libraries = tmp_path / f"lib/{machine}-linux-gnu"
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(emulation, "part", lambda *_: tmp_path)
    monkeypatch.setattr(emulation, "packages", lambda *_: ())
    qemu = emulation.prepare("pi4", "bookworm", silent).qemu
    assert qemu == (
        str(libraries / loader),
        "--library-path",
        str(libraries),
        str(tmp_path / "bin/qemu-aarch64"),
    )


def test_a_machine_without_an_emulator(emulation: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(emulation.Unavailable, match="no emulator for linux on riscv64"):
        emulation.prepare("pi4", "bookworm")
