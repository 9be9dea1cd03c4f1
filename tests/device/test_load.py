"""The load of other processes, from two looks at /proc."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgefashion.device import LoadMeter, RecordedMachine


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "proc").mkdir()
    return tmp_path / "proc"


def show(proc: Path, seconds: float, busy: int, stolen: int = 0, cores: int = 4, **processes: int) -> None:
    """Ticks of all cores together, and of processes (by the name `pidN`)."""
    idle = int(seconds * 100) * cores - busy - stolen
    lines = [
        f"cpu  {busy} 0 0 {idle} 0 0 0 {stolen} 0 0",
        *(f"cpu{core} 0 0 0 0 0 0 0 0 0 0" for core in range(cores)),
    ]
    (proc / "stat").write_text("\n".join(lines) + "\n")
    for name, ticks in processes.items():
        folder = proc / name.removeprefix("pid")
        folder.mkdir(exist_ok=True)
        fields = f"S 1 2 3 4 5 6 7 8 9 10 {ticks} 0 0 0 20 0"
        (folder / "stat").write_text(f"{name.removeprefix('pid')} (a (strange) name) {fields}\n")


def test_what_is_ours_does_not_count(proc: Path) -> None:
    own = f"pid{os.getpid()}"
    show(proc, 10, 1000, pid7=100, **{own: 50})
    meter = LoadMeter([7], RecordedMachine(proc.parent))
    show(proc, 12, 1330, pid7=250, **{own: 80})  # 330 ticks in 2 s, 180 of them ours
    load = meter.read()
    assert load
    assert (load.other_cores, load.stolen_cores) == (0.75, 0)


def test_what_the_host_took(proc: Path) -> None:
    show(proc, 10, 0, 100)
    meter = LoadMeter(sources=RecordedMachine(proc.parent))
    show(proc, 11, 0, 150)
    load = meter.read()
    assert load
    assert (load.other_cores, load.stolen_cores) == (0, 0.5)


def test_a_child_that_comes_later_is_ours_from_its_start(proc: Path) -> None:
    show(proc, 10, 1000)
    meter = LoadMeter(sources=RecordedMachine(proc.parent))
    meter.pids.add(8)
    show(proc, 11, 1100, pid8=100)
    load = meter.read()
    assert load
    assert load.other_cores == 0


def test_too_short_a_time_gives_nothing_and_is_not_lost(proc: Path) -> None:
    show(proc, 10, 0)
    meter = LoadMeter(sources=RecordedMachine(proc.parent))
    show(proc, 10.1, 40)
    assert meter.read() is None
    show(proc, 11, 100)
    load = meter.read()
    assert load
    assert load.other_cores == 1


@pytest.mark.parametrize(
    "text", [None, "", "cpu  1 2 three 4 5 6 7 8\ncpu0 1\n", "cpu  1 2 3\n", "cpu\ncpu0\n"]
)
def test_a_system_that_does_not_tell(text: str | None, proc: Path) -> None:
    if text is not None:
        (proc / "stat").write_text(text)
    meter = LoadMeter(sources=RecordedMachine(proc.parent))
    assert meter.read() is None
    show(proc, 10, 0)
    assert meter.read() is None
    show(proc, 11, 100)
    assert meter.read()


def test_on_this_machine_a_busy_child_is_other_load_unless_it_is_named() -> None:
    code = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\nwhile True: pass"
    others = LoadMeter()
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as busy:
        ours = LoadMeter([busy.pid])
        try:
            assert busy.stdout
            busy.stdout.readline()
            theirs, none = others.read(), ours.read()
        finally:
            busy.kill()
    assert theirs
    assert none
    assert theirs.other_cores > none.other_cores
